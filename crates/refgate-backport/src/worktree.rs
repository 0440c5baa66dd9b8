//! Where do our worktrees lie, and how do they go without anything being lost?

use std::path::{Path, PathBuf};

use crate::conflict::{brings, undisturbed};
use crate::git_command;
use crate::output::{Failure, tell};
use crate::pick_writer::PickWriter;
use crate::recovery::{self, WorktreeState, at_work};
use crate::resolution::{detach, head, nested, typed, uncommitted};
use crate::run_state::{Journal, Line, State};

/// Where the worktree for a reference lies; no two references share one. One
/// that somebody has moved is where git knows it to be.
pub(crate) fn place(git_dir: &Path, reference: &str) -> PathBuf {
    let name = name(reference);
    let folder = Journal::folder(git_dir).join(&name);
    if !folder.exists()
        && let Ok(text) =
            std::fs::read_to_string(git_dir.join("worktrees").join(&name).join("gitdir"))
        && let Some(moved) = Path::new(text.trim_end()).parent().filter(|moved| moved.exists())
    {
        return moved.to_path_buf();
    }
    folder
}

fn name(reference: &str) -> String {
    let name = reference.strip_prefix("refs/heads/").unwrap_or(reference);
    name.replace('%', "%25").replace('/', "%2F")
}

/// What stood in a worktree whose folder somebody has removed: git remembers.
pub(crate) fn gone(git_dir: &Path, line: &Line) -> Option<String> {
    let head = git_dir.join("worktrees").join(name(&line.reference)).join("HEAD");
    let head = std::fs::read_to_string(head).ok()?;
    let id = match head.trim_end().strip_prefix("ref: ") {
        Some(branch) => {
            git_command::output(git_dir, &["rev-parse", "-q", "--verify", branch]).ok()?
        }
        None => head,
    };
    Some(id.trim_end().to_string()).filter(|id| Some(id.as_str()) != line.state.base())
}

/// Whether some worktree has a branch checked out.
pub(crate) fn holds(git_dir: &Path, reference: &str) -> Result<bool, Failure> {
    let listed = git_command::output(git_dir, &["worktree", "list", "--porcelain"])?;
    Ok(listed.lines().any(|line| line.strip_prefix("branch ") == Some(reference)))
}

/// What is told of a branch under somebody's feet, which is not moved.
pub(crate) fn is_checked_out(reference: &str) -> String {
    format!("{reference} is checked out; its files would be left behind")
}

/// What an earlier run left is not made part of this one: what is told of it.
pub(crate) fn left_standing(git_dir: &Path, reference: &str) -> Option<String> {
    let folder = place(git_dir, reference);
    folder.exists().then(|| {
        let (shown, path) = (folder.display(), typed(&folder));
        let remove = match recovery::is_whole(&folder) {
            true => format!("git worktree remove --force --force {path}"),
            false => format!("rm -r {path}"),
        };
        format!("{shown} is left from an earlier backport; look at it, then\n{remove}")
    })
}

/// Removes the worktree of a line, if it has one. What was committed there and
/// is on no branch is told, so that nobody loses it.
pub(crate) fn remove(scribe: &PickWriter, line: &Line) -> Result<(), Failure> {
    let git_dir = &scribe.git_dir;
    let folder = place(git_dir, &line.reference);
    if !folder.exists() {
        let settled = line.state.base().filter(|_| line.resolved).map(ToString::to_string);
        if let Some(head) = gone(git_dir, line).or(settled).filter(|head| *head != line.new) {
            tell(&format!("{}: what was committed there is {head}", line.branch));
        }
        return git_command::output(git_dir, &["worktree", "prune"]).map(|_| ());
    }
    let shown = folder.display().to_string();
    if recovery::is_locked(&folder) {
        tell(&format!("{shown} is locked, and stays; `git worktree unlock {}`", typed(&folder)));
        return Ok(());
    }
    if recovery::is_whole(&folder)
        && let Some(nested) = nested(&folder)?
    {
        tell(&format!("{shown} stays: {nested} in it is a repository of its own"));
        return Ok(());
    }
    if recovery::is_whole(&folder) {
        if let Some((what, began)) = recovery::busy(&folder) {
            tell(&format!("{}: {what} was under way there, from {began}", line.branch));
        }
        let head = head(&folder)?;
        let base = line.state.base().unwrap_or_default();
        if (head != base || line.resolved) && head != line.new {
            tell(&format!("{}: what was committed there is {head}", line.branch));
        }
        if let Some(stood) = uncommitted(&folder, &head)? {
            tell(&format!("{}: what stood there, uncommitted, is {stood}", line.branch));
        }
    }
    let mut remove = git_command::command(git_dir);
    remove.args(["worktree", "remove", "--force", "--force", &shown]);
    if scribe.run(remove).is_err() {
        // Git locks what it has not made to the end.
        let _ = git_command::output(git_dir, &["worktree", "unlock", &shown]);
        std::fs::remove_dir_all(&folder)?;
    }
    git_command::output(git_dir, &["worktree", "prune"]).map(|_| ())
}

/// Ends the pick that conflicts in the worktree of a line, without it.
pub(crate) fn leave(scribe: &PickWriter, line: &Line) -> Result<(), Failure> {
    let worktree = place(&scribe.git_dir, &line.reference);
    let State::Conflict { base, left } = &line.state else { return Ok(()) };
    let Some(fix) = left.first().filter(|_| recovery::is_whole(&worktree)) else { return Ok(()) };
    recovery::mend(&worktree)?;
    undisturbed(&worktree)?;
    detach(&worktree, &line.branch)?;
    let head = head(&worktree)?;
    if let Some(stood) = uncommitted(&worktree, &head)? {
        tell(&format!("{}: what stood there, uncommitted, is {stood}", line.branch));
    }
    if head != *base {
        tell(&format!("{}: what was committed there is {head}", line.branch));
    }
    let mut back = git_command::command(&worktree);
    back.args(["reset", "-q", "--hard", base]);
    // A kill in between leaves it as if it had just begun.
    at_work(&worktree, WorktreeState::Begins(&brings(&worktree, fix)?), || scribe.run(back))
}

/// How many files of a worktree still wait for `git add`.
pub(crate) fn unmerged(worktree: &Path) -> usize {
    let listed = git_command::output(worktree, &["diff", "--name-only", "--diff-filter=U"]);
    listed.map(|text| text.lines().count()).unwrap_or(0)
}
