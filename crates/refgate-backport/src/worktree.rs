//! How is a conflict resolved? By plain Git, in a worktree that nobody else works in.

use std::path::{Path, PathBuf};

use refgate_gate::Exit;

use crate::command::apply::{id, is_worktree};
use crate::git;
use crate::journal::{Journal, Line, State};
use crate::output::Failure;

/// Where the worktree of a branch lies.
pub(crate) fn place(git_dir: &Path, branch: &str) -> PathBuf {
    Journal::folder(git_dir).join(branch.replace('/', "-"))
}

/// Whether some worktree has a branch checked out.
pub(crate) fn holds(git_dir: &Path, reference: &str) -> Result<bool, Failure> {
    let listed = git::output(git_dir, &["worktree", "list", "--porcelain"])?;
    Ok(listed.lines().any(|line| line.strip_prefix("branch ") == Some(reference)))
}

/// Goes on in the worktree of a line, from wherever the user, or a kill, has
/// left it: until all is picked, or something conflicts.
pub(crate) fn resolve(git_dir: &Path, line: &Line) -> Result<Line, Failure> {
    let State::Conflict { worktree, base, left } = &line.state else { return Ok(line.clone()) };
    let shown = worktree.display().to_string();
    if !is_worktree(worktree) {
        git::output(git_dir, &["worktree", "prune"])?;
        git::output(git_dir, &["worktree", "add", "--quiet", "--detach", &shown, base])?;
    }
    let mut left = left.clone();
    loop {
        let head = git::output(worktree, &["rev-parse", "HEAD"])?.trim().to_string();
        left = still_left(worktree, base, &head, left)?;
        let Some(next) = left.first().cloned() else {
            let line = line.clone();
            return Ok(Line { new: head, state: State::Written, ..line });
        };
        let waits = Line {
            state: State::Conflict {
                worktree: worktree.clone(),
                base: base.clone(),
                left: left.clone(),
            },
            ..line.clone()
        };
        if picking(worktree)? {
            if !git::output(worktree, &["ls-files", "--unmerged"])?.is_empty() {
                return Ok(waits);
            }
            marks(worktree, &["diff", "--cached", "--check", "HEAD"])?;
            let mut go_on = git::command(worktree);
            go_on.args(["-c", "core.editor=true", "cherry-pick", "--continue"]);
            let said = go_on.output()?;
            if !said.status.success() {
                let why = String::from_utf8_lossy(&said.stderr).trim().to_string();
                return Err(Failure::new(Exit::Failed, format!("git cherry-pick: {why}")));
            }
        } else {
            let parents = git::output(worktree, &["rev-list", "--parents", "-1", &next])?;
            let mut pick = git::command(worktree);
            pick.args(["cherry-pick", "-x", "--allow-empty"]);
            if parents.split_whitespace().count() > 2 {
                pick.args(["-m", "1"]);
            }
            if !pick.arg(&next).output()?.status.success() {
                return Ok(waits);
            }
        }
    }
}

/// What is still to be picked: what somebody has committed here already, with
/// `git commit` or `cherry-pick --continue`, is not.
fn still_left(
    worktree: &Path,
    base: &str,
    head: &str,
    left: Vec<String>,
) -> Result<Vec<String>, Failure> {
    if head == base {
        return Ok(left);
    }
    let range = format!("{base}..{head}");
    let said = git::output(worktree, &["log", "--format=%B", &range])?;
    let marks = git::output(worktree, &["rev-list", "--count", &range])?;
    let made: usize = marks.trim().parse().unwrap_or(0);
    marks_in(worktree, base, head)?;
    let named = |id: &String| said.contains(&format!("(cherry picked from commit {id})"));
    let rest: Vec<String> = left.iter().filter(|id| !named(id)).cloned().collect();
    // Whoever rewrote the message all the same made a commit for it.
    let done = left.len() - rest.len();
    Ok(if made > done && done == 0 { left.into_iter().skip(1).collect() } else { rest })
}

/// Whether a pick has begun there and is not finished.
fn picking(worktree: &Path) -> Result<bool, Failure> {
    let mut parse = git::command(worktree);
    let output = parse.args(["rev-parse", "-q", "--verify", "CHERRY_PICK_HEAD"]).output()?;
    Ok(output.status.success())
}

fn marks_in(worktree: &Path, base: &str, head: &str) -> Result<(), Failure> {
    id(base)?;
    marks(worktree, &["diff", "--check", base, head])
}

/// Conflict marks that somebody was about to commit are refused.
fn marks(worktree: &Path, check: &[&str]) -> Result<(), Failure> {
    let output = git::command(worktree).args(check).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let marked: Vec<&str> =
        said.lines().filter(|line| line.ends_with("leftover conflict marker")).collect();
    if marked.is_empty() {
        return Ok(());
    }
    let message = format!("there are conflict marks left:\n{}", marked.join("\n"));
    Err(Failure::new(Exit::BadInput, message))
}
