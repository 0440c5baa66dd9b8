//! What did a kill leave in the middle, and how does it become whole again?

use std::fs;
use std::path::{Path, PathBuf};

use crate::git_command;
use crate::output::Failure;

/// Says in a worktree's own git directory that we are at work there.
const MARK: &str = "refgate-at-work";

/// What we do in a worktree, which is somebody else's in between.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WorktreeState<'a> {
    /// Begins a pick or a merge that brings this range's changes.
    Begins(&'a str),
    /// Commits what somebody has resolved.
    Commits,
}

/// Git's own folder of a worktree, if it was made to the end: Git writes the
/// index last.
fn admin(worktree: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(worktree.join(".git")).ok()?;
    let folder = worktree.join(text.strip_prefix("gitdir: ")?.trim_end());
    (folder.join("index").exists() && folder.join("HEAD").exists()).then_some(folder)
}

/// Whether a worktree was made to the end.
pub(crate) fn is_whole(worktree: &Path) -> bool {
    admin(worktree).is_some()
}

/// Whether somebody has locked it. Git locks what it has not made to the end.
pub(crate) fn is_locked(worktree: &Path) -> bool {
    let reason = admin(worktree).and_then(|folder| fs::read_to_string(folder.join("locked")).ok());
    reason.is_some_and(|reason| reason.trim() != "initializing")
}

/// Locks that git has left in a repository and in a worktree's own folder.
pub(crate) fn locks(git_dir: &Path, worktree: &Path) -> Vec<PathBuf> {
    let folders = [Some(git_dir.to_path_buf()), admin(worktree)];
    let entries = folders.into_iter().flatten().filter_map(|folder| fs::read_dir(folder).ok());
    let paths = entries.flatten().flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "lock")).collect()
}

/// What somebody has begun in a worktree that git goes on with commit by
/// commit, and what it began from.
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

/// Does something in a worktree, so that a kill in between can be mended.
pub(crate) fn at_work<T>(
    worktree: &Path,
    work: WorktreeState<'_>,
    run: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let Some(mark) = admin(worktree).map(|folder| folder.join(MARK)) else { return run() };
    fs::write(&mark, if let WorktreeState::Begins(range) = work { range } else { "" })?;
    let done = run();
    fs::remove_file(&mark)?;
    done
}

/// Mends what a kill left in a worktree where we were at work: none of our own
/// git is alive any more, so its locks are nobody's. What we had begun is
/// begun anew; what somebody had resolved stays as it is. Whether there was
/// something to mend.
pub(crate) fn mend(worktree: &Path) -> Result<bool, Failure> {
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
        // Files that it was about to add are in its way now.
        let paths = git_command::differing(worktree, &[&begun])?;
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
