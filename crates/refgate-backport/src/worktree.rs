//! Locates and removes the worktrees of a run. It never loses work of the user.

use std::path::{Path, PathBuf};

use crate::conflict::{brings, ensure_not_busy};
use crate::git_command;
use crate::output::{Failure, tell};
use crate::pick_writer::PickWriter;
use crate::recovery::{self, WorktreeState, with_work_marker};
use crate::resolution::{detach, head, nested, shell_path, uncommitted};
use crate::run_state::{Journal, Line, State};

/// The path of the worktree for a ref. Each ref has its own worktree. If the user has
/// moved the worktree, Git knows the new path.
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

/// The `HEAD` of a worktree whose directory was deleted, which Git still stores. `None`
/// if nothing was committed there.
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

/// Whether a branch is checked out in any worktree.
pub(crate) fn holds(git_dir: &Path, reference: &str) -> Result<bool, Failure> {
    let listed = git_command::output(git_dir, &["worktree", "list", "--porcelain"])?;
    Ok(listed.lines().any(|line| line.strip_prefix("branch ") == Some(reference)))
}

/// The message for a branch that is checked out, and therefore not updated.
pub(crate) fn checked_out_message(reference: &str) -> String {
    format!("cannot update {reference}: it is checked out in a worktree")
}

/// The message for a worktree that an earlier run left behind. `None` if there is none.
pub(crate) fn leftover_worktree_message(git_dir: &Path, reference: &str) -> Option<String> {
    let folder = place(git_dir, reference);
    folder.exists().then(|| {
        let (shown, path) = (folder.display(), shell_path(&folder));
        let remove = match recovery::is_complete(&folder) {
            true => format!("git worktree remove --force --force {path}"),
            false => format!("rm -r {path}"),
        };
        format!("{shown} is left from an earlier backport; check it, then run\n{remove}")
    })
}

/// Removes the worktree of a line, if there is one. Prints the ids of commits in it that
/// are on no branch, so that they are not lost.
pub(crate) fn remove(pick_writer: &PickWriter, line: &Line) -> Result<(), Failure> {
    let git_dir = &pick_writer.git_dir;
    let folder = place(git_dir, &line.reference);
    if !folder.exists() {
        let settled = line.state.base().filter(|_| line.resolved).map(ToString::to_string);
        if let Some(head) = gone(git_dir, line).or(settled).filter(|head| *head != line.new) {
            tell(&format!("{}: committed work saved as {head}", line.branch));
        }
        return git_command::output(git_dir, &["worktree", "prune"]).map(|_| ());
    }
    let shown = folder.display().to_string();
    if recovery::is_locked(&folder) {
        tell(&format!(
            "kept {shown}: it is locked\nhint: run `git worktree unlock {}`",
            shell_path(&folder)
        ));
        return Ok(());
    }
    if recovery::is_complete(&folder)
        && let Some(nested) = nested(&folder)?
    {
        tell(&format!("kept {shown}: {nested} in it is a separate repository"));
        return Ok(());
    }
    if recovery::is_complete(&folder) {
        if let Some((what, began)) = recovery::busy(&folder) {
            tell(&format!("{}: {what} was in progress there, from {began}", line.branch));
        }
        let head = head(&folder)?;
        let base = line.state.base().unwrap_or_default();
        if (head != base || line.resolved) && head != line.new {
            tell(&format!("{}: committed work saved as {head}", line.branch));
        }
        if let Some(stood) = uncommitted(&folder, &head)? {
            tell(&format!("{}: uncommitted changes saved as {stood}", line.branch));
        }
    }
    let mut remove = git_command::command(git_dir);
    remove.args(["worktree", "remove", "--force", "--force", &shown]);
    if pick_writer.run(remove).is_err() {
        // Git cannot remove an incomplete worktree, which it has locked itself.
        let _ = git_command::output(git_dir, &["worktree", "unlock", &shown]);
        std::fs::remove_dir_all(&folder)?;
    }
    git_command::output(git_dir, &["worktree", "prune"]).map(|_| ())
}

/// Abandons the conflicting pick in the worktree of a line, and resets the worktree to
/// its base. Saves work of the user first.
pub(crate) fn leave(pick_writer: &PickWriter, line: &Line) -> Result<(), Failure> {
    let worktree = place(&pick_writer.git_dir, &line.reference);
    let State::Conflict { base, left } = &line.state else { return Ok(()) };
    let Some(fix) = left.first().filter(|_| recovery::is_complete(&worktree)) else {
        return Ok(());
    };
    recovery::repair(&worktree)?;
    ensure_not_busy(&worktree)?;
    detach(&worktree, &line.branch)?;
    let head = head(&worktree)?;
    if let Some(stood) = uncommitted(&worktree, &head)? {
        tell(&format!("{}: uncommitted changes saved as {stood}", line.branch));
    }
    if head != *base {
        tell(&format!("{}: committed work saved as {head}", line.branch));
    }
    let mut back = git_command::command(&worktree);
    back.args(["reset", "-q", "--hard", base]);
    // After a kill here, the pick starts again.
    with_work_marker(&worktree, WorktreeState::Begins(&brings(&worktree, fix)?), || {
        pick_writer.run(back)
    })
}

/// The number of unmerged files in a worktree.
pub(crate) fn unmerged(worktree: &Path) -> usize {
    let listed = git_command::output(worktree, &["diff", "--name-only", "--diff-filter=U"]);
    listed.map(|text| text.lines().count()).unwrap_or(0)
}
