//! `refgate restore`: pushes the kept value of a deleted branch or tag to the server again.

use std::process::Command;

use refgate_gate::Exit;
use refgate_git::DELETED;

use crate::args::Restore;
use crate::output::{Failure, VerbResult, done, say, tell};

pub(crate) fn run(args: &Restore) -> VerbResult {
    let what = args.what.strip_prefix("refs/").unwrap_or(&args.what);
    let names = match what.split_once('/') {
        Some(("heads" | "tags", _)) => vec![what.to_string()],
        _ => vec![format!("heads/{what}"), format!("tags/{what}")],
    };
    let listed = git(args, &["ls-remote", &args.remote, &format!("{DELETED}*")])?;
    let mut kept: Vec<(&str, &str, &str)> = Vec::new();
    for line in listed.lines() {
        let Some((id, reference)) = line.split_once('\t') else { continue };
        let Some((name, _)) = reference.strip_prefix(DELETED).and_then(|r| r.rsplit_once('/'))
        else {
            continue;
        };
        if names.iter().any(|wanted| wanted == name) {
            kept.push((id, reference, name));
        }
    }
    let (reference, name) = match kept.as_slice() {
        [] => {
            let message = format!("`{}` has no deleted ref `{}`", args.remote, args.what);
            return Err(Failure::new(Exit::BadInput, message));
        }
        [(_, reference, name)] => ((*reference).to_string(), (*name).to_string()),
        several => {
            tell("refgate: this ref was deleted more than once; fetch and push one of these:");
            for (_, reference, name) in several {
                tell(&format!("  git fetch {} {reference}", args.remote));
                tell(&format!("  git push {} FETCH_HEAD:refs/{name}", args.remote));
            }
            return Ok(done(Exit::BadInput));
        }
    };
    git(args, &["fetch", "-q", &args.remote, &reference])?;
    // The server judges this push like any other creation of a ref.
    git(args, &["push", "-q", &args.remote, &format!("FETCH_HEAD:refs/{name}")])?;
    say(&format!("restored refs/{name}"));
    Ok(done(Exit::Accepted))
}

fn git(args: &Restore, words: &[&str]) -> Result<String, Failure> {
    let output = Command::new("git").arg("-C").arg(&args.repository).args(words).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Failure::new(Exit::Rejected, said.trim().to_string()))
}
