//! What happens when the learner pushes: the real server judges, then teammates react in the same output.

use std::path::Path;
use std::process::{Command, Stdio};

use refgate_gate::Exit;
use serde_json::Value;

use super::time::told;
use crate::journal::{self, Event};
use crate::output::{Done, Failure, done, tell};
use crate::setup::{self, lock};
use crate::snapshot;
use crate::world::{MARK, World};

/// Git runs this in the place of `git receive-pack`. Standard input and output
/// are the push itself; what goes to standard error, the learner sees.
pub(crate) fn run(root: &Path, who: &str, server: &Path) -> Done {
    let here = std::env::current_dir()?.canonicalize()?;
    if here.starts_with(root.parent().unwrap_or(root)) && !here.starts_with(root) {
        let there = here.ancestors().any(|folder| folder.join(MARK).is_dir());
        if there {
            let message = "this world was moved; refgate-sim goal mends its clone, then push again";
            return Err(Failure::new(Exit::BadSetup, message));
        }
    }
    let _held = lock(root)?;
    let world = World::open(root)?;
    snapshot::remember(&world.root)?;
    let before = log_tip(&world)?;
    let mut receive = Command::new("git");
    receive.arg("receive-pack").arg(server).env("GL_USER", who);
    for name in ["REMOTE_USER", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"] {
        receive.env_remove(name);
    }
    let status = receive.stdin(Stdio::inherit()).stdout(Stdio::inherit()).status()?;
    let after = log_tip(&world)?;
    if after != before {
        journal::write(root, &last(&world, who)?)?;
    }
    // A push may have changed records and policy.
    let mut world = World::open(root)?;
    let said = world.react()?;
    told(&world, said)?.iter().for_each(|line| tell(&format!("remote: {line}")));
    // A refused push is no failure of the transport.
    let ended = if status.success() { Exit::Accepted } else { Exit::Refused };
    Ok(done(ended))
}

fn log_tip(world: &World) -> Result<String, Failure> {
    let mut git = refgate_scenario::git_command(&world.real.server());
    let output = git.args(["rev-parse", "-q", "--verify", "refs/refgate/log"]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// The last decision of the server, as its log has it.
pub(crate) fn decision(world: &World) -> Result<Option<(String, Value)>, Failure> {
    if log_tip(world)?.is_empty() {
        return Ok(None);
    }
    let mut git = refgate_scenario::git_command(&world.real.server());
    let text = setup::said(git.args(["log", "-1", "--format=%B", "refs/refgate/log"]))?;
    let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
    let object = serde_json::from_str(body.trim()).unwrap_or(Value::Null);
    Ok(Some((head.to_string(), object)))
}

fn last(world: &World, who: &str) -> Result<Event, Failure> {
    let (text, object) = decision(world)?.unwrap_or_default();
    let word = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    let rules = object.get("rules").and_then(Value::as_array).into_iter().flatten();
    Ok(Event {
        at: word("at"),
        kind: "push".to_string(),
        who: who.to_string(),
        text,
        verdict: word("verdict"),
        rules: rules.filter_map(Value::as_str).map(ToString::to_string).collect(),
    })
}
