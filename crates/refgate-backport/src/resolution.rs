//! Finds out which commits of a user in a worktree are the expected picks or the merge.

use std::collections::BTreeSet;
use std::path::Path;

use refgate_core::Oid;
use refgate_gate::Exit;
use refgate_report::quoted;

use crate::git_command;
use crate::output::{Failure, tell};
use crate::pick_writer::PickWriter;

/// A commit that the user made in the worktree.
struct WorktreeCommit {
    id: String,
    /// The author's address and date. A pick keeps them, even if its message changes.
    written: String,
    message: String,
}

/// A path, quoted for a shell.
pub(crate) fn shell_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

pub(crate) fn head(worktree: &Path) -> Result<String, Failure> {
    Ok(git_command::output(worktree, &["rev-parse", "HEAD"])?.trim().to_string())
}

/// Detaches `HEAD` if a branch is checked out in the worktree, so that the run does not
/// move that branch. A pick that is in progress is kept.
pub(crate) fn detach(worktree: &Path, branch: &str) -> Result<(), Failure> {
    let mut symbolic = git_command::command(worktree);
    let output = symbolic.args(["symbolic-ref", "-q", "--short", "HEAD"]).output()?;
    if output.status.success() {
        let theirs = String::from_utf8_lossy(&output.stdout).trim().to_string();
        let head = head(worktree)?;
        git_command::output(worktree, &["update-ref", "--no-deref", "HEAD", &head])?;
        tell(&format!("{branch}: detached from your branch {theirs}, which stays at {head}"));
    }
    Ok(())
}

/// The commits that must still be picked, without those that the user has committed with
/// `git commit` or `cherry-pick --continue`. A pick without the line that names its
/// original gets this line.
pub(crate) fn remaining_picks(
    pick_writer: &PickWriter,
    worktree: &Path,
    base: &str,
    left: Vec<String>,
) -> Result<Vec<String>, Failure> {
    let head = head(worktree)?;
    if head == base {
        return Ok(left);
    }
    ensure_descends_from(worktree, base, &head)?;
    let made = made(worktree, base, &head)?;
    let mut rest: Vec<String> = Vec::new();
    let mut unnamed: Vec<&WorktreeCommit> = made.iter().collect();
    for id in &left {
        let line = format!("(cherry picked from commit {id})");
        match unnamed.iter().position(|one| one.message.contains(&line)) {
            Some(place) => drop(unnamed.remove(place)),
            None => rest.push(id.clone()),
        }
    }
    let known = rest.len() < left.len();
    if let Some(id) = rest.first().cloned() {
        let written = written(worktree, &id)?;
        let same = unnamed.iter().rposition(|one| one.written == written);
        let place = match same {
            Some(place) => Some(place),
            // A commit that the user wrote by hand must change a file of the fix.
            None if known => None,
            None => find_by_changed_paths(worktree, &id, &unnamed)?,
        };
        if let Some(one) = place.and_then(|place| unnamed.get(place)) {
            if name(pick_writer, worktree, &one.id, &id)? {
                return remaining_picks(pick_writer, worktree, base, left);
            }
            rest.remove(0);
            return Ok(rest);
        }
    }
    if let (false, Some(other), Some(id)) = (known, unnamed.first(), rest.first()) {
        let message = format!(
            "cannot continue in {}: {} is unrelated to {id}\nhint: pick that commit there, or go \
             back with\n  git -C {} checkout --detach {base}",
            worktree.display(),
            other.id,
            shell_path(worktree),
        );
        return Err(Failure::new(Exit::BadInput, message));
    }
    Ok(rest)
}

/// Fails if `HEAD` of the worktree does not descend from `base`, or if commits of a
/// remote branch come after `base`.
fn ensure_descends_from(worktree: &Path, base: &str, head: &str) -> Result<(), Failure> {
    let shown = worktree.display();
    let path = shell_path(worktree);
    let back = format!(
        "hint: go back with\n  git -C {path} checkout --detach {base}\nor run `git backport abort`"
    );
    let wrong = |why: String| Failure::new(Exit::BadInput, format!("{shown} {why}\n{back}"));
    if !is_ancestor(worktree, base, head)? {
        return Err(wrong(format!("is at {head}, which does not descend from {base}")));
    }
    let count = |others: &[&str]| -> Result<usize, Failure> {
        let range = format!("{base}..{head}");
        let listed = [&["rev-list", "--count", &range][..], others].concat();
        Ok(git_command::output(worktree, &listed)?.trim().parse().unwrap_or(0))
    };
    if count(&[])? != count(&["--not", "--remotes"])? {
        return Err(wrong(format!("is at {head}, with commits of a remote branch after {base}")));
    }
    Ok(())
}

fn is_ancestor(worktree: &Path, old: &str, new: &str) -> Result<bool, Failure> {
    let mut stands = git_command::command(worktree);
    Ok(stands.args(["merge-base", "--is-ancestor", old, new]).output()?.status.success())
}

/// Fails if `HEAD` of the worktree does not contain both parents of the merge.
pub(crate) fn ensure_contains_both_parents(
    worktree: &Path,
    base: &str,
    theirs: &str,
) -> Result<(), Failure> {
    let (head, shown, path) = (head(worktree)?, worktree.display(), shell_path(worktree));
    for (old, why) in [(base, "does not descend from"), (theirs, "does not contain")] {
        if !is_ancestor(worktree, old, &head)? {
            let message = format!(
                "{shown} is at {head}, which {why} {old}\nhint: go back with\n  git -C {path} \
                 checkout --detach {base}\nor run `git backport abort`"
            );
            return Err(Failure::new(Exit::BadInput, message));
        }
    }
    Ok(())
}

/// Adds the trailers of `message` that are missing in the user's merge commit, because
/// the server requires them.
pub(crate) fn add_missing_trailers(
    pick_writer: &PickWriter,
    worktree: &Path,
    base: &str,
    message: &str,
) -> Result<(), Failure> {
    let said = git_command::output(worktree, &["show", "-s", "--format=%P%n%B"])?;
    let ours = said.split_whitespace().next() == Some(base);
    for trailer in message.lines().skip(1).filter(|line| ours && line.contains(": ")) {
        if said.lines().any(|line| line == trailer) {
            continue;
        }
        let mut amend = git_command::command(worktree);
        amend.args(["-c", "core.editor=true", "commit", "--amend", "-q", "--no-edit"]);
        amend.args(["--no-verify", "--trailer", trailer]);
        pick_writer.run(amend)?;
        tell(&format!("added `{trailer}` to your merge commit"));
    }
    Ok(())
}

/// A repository that the user created in a worktree. A commit of the worktree would not
/// contain it.
pub(crate) fn nested(folder: &Path) -> Result<Option<String>, Failure> {
    let others = ["ls-files", "-z", "--others", "--directory"];
    let listed = git_command::output(folder, &others)?;
    let nested = |path: &&str| path.ends_with('/') && folder.join(path).join(".git").exists();
    Ok(listed.split('\0').find(nested).map(ToString::to_string))
}

/// Commits the uncommitted changes of a worktree, so that they are not lost. The commit
/// is on no branch. `None` if there are no changes.
pub(crate) fn uncommitted(folder: &Path, head: &str) -> Result<Option<String>, Failure> {
    if git_command::output(folder, &["status", "--porcelain"])?.is_empty() {
        return Ok(None);
    }
    let index = git_command::output(folder, &["rev-parse", "--git-path", "refgate-kept"])?;
    // A killed run can have left this index locked. No other program uses it.
    let _ = std::fs::remove_file(format!("{}.lock", index.trim()));
    let step = |arguments: &[&str]| {
        let mut git = git_command::command(folder);
        git.env("GIT_INDEX_FILE", index.trim()).args(arguments);
        git_command::run_with_input(git, &[])
    };
    step(&["read-tree", head])?;
    step(&["add", "--all"])?;
    let tree = step(&["write-tree"])?;
    let message = "git backport: uncommitted changes of a worktree";
    let made = step(&["commit-tree", "-p", head, "-m", message, tree.trim()])?;
    Ok(Some(made.trim().to_string()))
}

/// The commits after `base` without merges, the oldest first.
fn made(worktree: &Path, base: &str, head: &str) -> Result<Vec<WorktreeCommit>, Failure> {
    let range = format!("{base}..{head}");
    let format = "--format=%H%n%ae %at%n%B";
    let log =
        git_command::output(worktree, &["log", "-z", "--reverse", "--no-merges", format, &range])?;
    let one = |text: &str| {
        let mut lines = text.splitn(3, '\n').map(ToString::to_string);
        let (id, written) = (lines.next()?, lines.next()?);
        Some(WorktreeCommit { id, written, message: lines.next().unwrap_or_default() })
    };
    Ok(log.split('\0').filter_map(one).collect())
}

fn written(worktree: &Path, id: &str) -> Result<String, Failure> {
    Ok(git_command::output(worktree, &["show", "-s", "--format=%ae %at", id])?.trim().to_string())
}

/// The index of the last commit that changes a file of the fix.
fn find_by_changed_paths(
    worktree: &Path,
    id: &str,
    made: &[&WorktreeCommit],
) -> Result<Option<usize>, Failure> {
    let touched: BTreeSet<String> = touched(worktree, id)?.into_iter().collect();
    for (place, one) in made.iter().enumerate().rev() {
        if self::touched(worktree, &one.id)?.iter().any(|path| touched.contains(path)) {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// The paths that a commit changes. For a merge, compared with its first parent.
pub(crate) fn touched(worktree: &Path, id: &str) -> Result<Vec<String>, Failure> {
    let listed = ["diff-tree", "-r", "-m", "--root", "--first-parent", "--no-commit-id"];
    let arguments = [&listed[..], &["--name-only", "-z", id]].concat();
    let said = git_command::output(worktree, &arguments)?;
    Ok(said.split('\0').filter(|path| !path.is_empty()).map(ToString::to_string).collect())
}

/// Adds the line that names the original to the message of a commit, and rewrites the
/// commits after it. Returns `false` if a merge comes after it.
fn name(
    pick_writer: &PickWriter,
    worktree: &Path,
    commit: &str,
    from: &str,
) -> Result<bool, Failure> {
    let range = format!("{commit}..HEAD");
    let above = git_command::output(worktree, &["rev-list", "--reverse", "--parents", &range])?;
    if above.lines().any(|line| line.split(' ').count() != 2) {
        tell(&format!("warning: the message of {commit} does not name its original {from}"));
        return Ok(false);
    }
    let mut new = pick_writer.again(commit, Oid::from_hex(from), None)?;
    for line in above.lines() {
        new = pick_writer.again(line.split(' ').next().unwrap_or_default(), None, Some(new))?;
    }
    let mut update = git_command::command(worktree);
    update.args(["update-ref", "--no-deref", "HEAD", &new.to_string()]);
    pick_writer.run(update)?;
    tell(&format!("added `(cherry picked from commit {from})` to your commit"));
    Ok(true)
}
