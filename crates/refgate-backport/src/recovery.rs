//! Detects and repairs worktrees in which a run was killed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::git_command;
use crate::output::Failure;

/// A marker file in the worktree's git directory. It exists while a run changes the
/// worktree.
const MARK: &str = "refgate-at-work";

/// What a run does in a worktree. Between runs, the worktree belongs to the user.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WorktreeState<'a> {
    /// Starts a pick or a merge of the changes in this range.
    Begins(&'a str),
    /// Commits a resolution by the user.
    Commits,
}

/// The git directory of a worktree. `None` if the worktree is incomplete: Git writes the
/// index last.
fn admin(worktree: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(worktree.join(".git")).ok()?;
    let folder = worktree.join(text.strip_prefix("gitdir: ")?.trim_end());
    (folder.join("index").exists() && folder.join("HEAD").exists()).then_some(folder)
}

/// Whether a worktree is complete.
pub(crate) fn is_complete(worktree: &Path) -> bool {
    admin(worktree).is_some()
}

/// Whether a user has locked the worktree. Git itself locks a worktree that it is
/// creating, with the reason `initializing`.
pub(crate) fn is_locked(worktree: &Path) -> bool {
    let reason = admin(worktree).and_then(|folder| fs::read_to_string(folder.join("locked")).ok());
    reason.is_some_and(|reason| reason.trim() != "initializing")
}

/// The lock files in a repository and in a worktree's git directory.
pub(crate) fn locks(git_dir: &Path, worktree: &Path) -> Vec<PathBuf> {
    let folders = [Some(git_dir.to_path_buf()), admin(worktree)];
    let entries = folders.into_iter().flatten().filter_map(|folder| fs::read_dir(folder).ok());
    let paths = entries.flatten().flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "lock")).collect()
}

/// A rebase or a bisect that is in progress in a worktree, and where it started from.
pub(crate) fn busy(worktree: &Path) -> Option<(&'static str, String)> {
    let folder = admin(worktree)?;
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let from = |name: &str| read(name).unwrap_or_default().trim().to_string();
    for (mark, what, began) in [
        ("rebase-merge", "a rebase", "rebase-merge/orig-head"),
        ("rebase-apply", "a rebase", "rebase-apply/orig-head"),
        ("BISECT_LOG", "a bisect", "BISECT_START"),
    ] {
        if folder.join(mark).exists() {
            return Some((what, from(began)));
        }
    }
    None
}

/// Changes a worktree. The marker file lets `repair` repair the worktree after a kill.
pub(crate) fn with_work_marker<T>(
    worktree: &Path,
    work: WorktreeState<'_>,
    run: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let Some(mark) = admin(worktree).map(|folder| folder.join(MARK)) else { return run() };
    let text = if let WorktreeState::Begins(range) = work { range } else { "" };
    refgate_git::replace_file(&mark, text.as_bytes())?;
    let done = run();
    fs::remove_file(&mark)?;
    done
}

/// Repairs a worktree in which a run was killed. The run's Git processes have ended, so
/// their lock files are stale and are removed. A pick or merge that had started is reset,
/// but a resolution by the user is kept. Returns whether there was something to repair.
pub(crate) fn repair(worktree: &Path) -> Result<bool, Failure> {
    let Some(folder) = admin(worktree) else { return Ok(false) };
    let Ok(begun) = fs::read_to_string(folder.join(MARK)) else { return Ok(false) };
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "lock") {
            fs::remove_file(path)?;
        }
    }
    if !begun.is_empty() {
        git_command::output(worktree, &["reset", "-q", "--hard"])?;
        // Files that the pick was adding are now untracked, and would block it.
        let paths = git_command::differing_paths(worktree, &[&begun])?;
        let paths: Vec<String> = paths.iter().map(|path| format!(":(literal){path}")).collect();
        for some in paths.chunks(500) {
            let clean = ["clean", "-q", "-f", "-d", "-x", "--"].into_iter();
            let arguments: Vec<&str> = clean.chain(some.iter().map(String::as_str)).collect();
            git_command::output(worktree, &arguments)?;
        }
    }
    fs::remove_file(folder.join(MARK))?;
    Ok(true)
}
