//! Handles a push of the learner: stores a step, runs the real server, then lets teammates react.

use std::path::Path;
use std::process::{Command, Stdio};

use refgate_core::LEDGER;
use refgate_gate::{Exit, LogEntry};
use serde_json::Value;

use super::time::told;
use crate::clone_setup::lock;
use crate::journal::{self, Event};
use crate::output::{Failure, VerbResult, done, tell};
use crate::snapshot;
use crate::world::{MARK, World};

/// Git runs this in place of `git receive-pack`. Standard input and output carry the
/// push. The learner sees standard error.
pub(crate) fn run(root: &Path, who: &str, server: &Path) -> VerbResult {
    let here = std::env::current_dir()?.canonicalize()?;
    if here.starts_with(root.parent().unwrap_or(root)) && !here.starts_with(root) {
        let there = here.ancestors().any(|folder| folder.join(MARK).is_dir());
        if there {
            let message =
                "cannot push: this world was moved\nhint: run `refgate-sim goal`, then push";
            return Err(Failure::new(Exit::BadSetup, message));
        }
    }
    let _held = lock(root)?;
    let world = World::open(root)?;
    world.check_unbroken()?;
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
    // The world is opened again, because the push may have changed records or policy.
    let mut world = World::open(root)?;
    let said = world.run_triggers()?;
    told(&world, said)?.iter().for_each(|line| tell(&format!("remote: {line}")));
    // A rejected push is not an error of the transport.
    let ended = if status.success() { Exit::Accepted } else { Exit::Rejected };
    Ok(done(ended))
}

fn log_tip(world: &World) -> Result<String, Failure> {
    let mut git = refgate_scenario::git_command(&world.real.server());
    let output = git.args(["rev-parse", "-q", "--verify", "refs/refgate/log"]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// The last decision in the server's log, except pushes that contain only records.
pub(crate) fn decision(world: &World) -> Result<Option<(String, Value)>, Failure> {
    let work = |entry: &LogEntry| {
        let updates = entry.object.get("updates").and_then(Value::as_array);
        let name = |update: &Value| update.get("ref").and_then(Value::as_str) == Some(LEDGER);
        !updates.is_some_and(|updates| updates.iter().all(name))
    };
    entry(world, work)
}

/// The newest entry of the server's log that is wanted.
fn entry(
    world: &World,
    wanted: impl Fn(&LogEntry) -> bool,
) -> Result<Option<(String, Value)>, Failure> {
    let mut found = None;
    world.reader()?.log_entries(&mut |id, text, _| {
        let entry = LogEntry::parse(id, text);
        found = wanted(&entry).then_some((entry.head, entry.object));
        found.is_none()
    })?;
    Ok(found)
}

fn last(world: &World, who: &str) -> Result<Event, Failure> {
    let (text, object) = entry(world, |_| true)?.unwrap_or_default();
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
