//! How is a conflict resolved? By plain Git, in a worktree that nobody else works in.

use std::path::{Path, PathBuf};

use refgate_core::Recipe;
use refgate_gate::Exit;

use crate::apply::Scribe;
use crate::git;
use crate::halfway::{self, Work, at_work};
use crate::journal::{Journal, Line, State};
use crate::output::{Failure, tell};
use crate::recipes;

/// Where the worktree for a reference lies; no two references share one.
pub(crate) fn place(git_dir: &Path, reference: &str) -> PathBuf {
    let name = reference.strip_prefix("refs/heads/").unwrap_or(reference);
    Journal::folder(git_dir).join(name.replace('%', "%25").replace('/', "%2F"))
}

/// Whether some worktree has a branch checked out.
pub(crate) fn holds(git_dir: &Path, reference: &str) -> Result<bool, Failure> {
    let listed = git::output(git_dir, &["worktree", "list", "--porcelain"])?;
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
        let shown = folder.display();
        format!(
            "{shown} is left from an earlier backport; look at it, then\n\
             git worktree remove --force {shown}"
        )
    })
}

/// Removes the worktree of a line, if it has one. What was committed there and
/// is on no branch is told, so that nobody loses it.
pub(crate) fn remove(scribe: &Scribe, line: &Line) -> Result<(), Failure> {
    let git_dir = &scribe.git_dir;
    let folder = place(git_dir, &line.reference);
    if !folder.exists() {
        return Ok(());
    }
    let shown = folder.display().to_string();
    if halfway::is_whole(&folder) {
        let head = git::output(&folder, &["rev-parse", "HEAD"])?.trim().to_string();
        let base = line.state.base().unwrap_or_default();
        if head != base && head != line.new {
            tell(&format!("{}: what was committed there is {head}", line.branch));
        }
    }
    let mut remove = git::command(git_dir);
    remove.args(["worktree", "remove", "--force", "--force", &shown]);
    if scribe.run(remove).is_err() {
        // Git locks what it has not made to the end.
        let _ = git::output(git_dir, &["worktree", "unlock", &shown]);
        std::fs::remove_dir_all(&folder)?;
    }
    git::output(git_dir, &["worktree", "prune"]).map(|_| ())
}

fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(Exit::BadInput, message)
}

/// Goes on in the worktree of a line, from wherever the user, or a kill, has
/// left it: until all is picked or merged, or something conflicts.
pub(crate) fn resolve(scribe: &Scribe, line: &Line, recipes: &[Recipe]) -> Result<Line, Failure> {
    let Some(base) = line.state.base() else { return Ok(line.clone()) };
    let worktree = place(&scribe.git_dir, &line.reference);
    let stood = halfway::is_whole(&worktree);
    if !stood {
        remove(scribe, line)?;
        let mut add = git::command(&scribe.git_dir);
        add.args(["worktree", "add", "--force", "--force", "--quiet", "--detach"]);
        add.arg(&worktree).arg(base);
        let added = scribe.run(add);
        // A hook that complains about a worktree does not undo it.
        if !halfway::is_whole(&worktree) {
            added?;
        }
    }
    let mended = halfway::mend(&worktree)?;
    if stood && !mended && matches!(line.state, State::Conflict { .. }) {
        given_up(&worktree, line, base)?;
    }
    match &line.state {
        State::Conflict { base, left } => {
            picked(scribe, &worktree, line, recipes, (base, left.clone()))
        }
        State::Merging { base, theirs, message, whole } => {
            let recipes = if *whole { &[] } else { recipes };
            merged(scribe, &worktree, line, recipes, [base, theirs, message])
        }
        State::Written | State::Done | State::Skipped => Ok(line.clone()),
    }
}

/// Says what becomes of a pick that somebody ended with `cherry-pick --abort`.
fn given_up(worktree: &Path, line: &Line, base: &str) -> Result<(), Failure> {
    if head(worktree)? == base && !begun(worktree, "CHERRY_PICK_HEAD")? {
        let branch = &line.branch;
        tell(&format!(
            "{branch}: the pick was given up there, and begins again (`git backport skip {branch}` \
             leaves it out)"
        ));
    }
    Ok(())
}

fn picked(
    scribe: &Scribe,
    worktree: &Path,
    line: &Line,
    recipes: &[Recipe],
    (base, mut left): (&str, Vec<String>),
) -> Result<Line, Failure> {
    loop {
        let head = head(worktree)?;
        left = still_left(worktree, base, &head, left)?;
        let waits = Line {
            state: State::Conflict { base: base.to_string(), left: left.clone() },
            ..line.clone()
        };
        if begun(worktree, "CHERRY_PICK_HEAD")? {
            if is_unmerged(worktree)? {
                return Ok(waits);
            }
            marks(worktree, &["diff", "--cached", "--check", "HEAD"])?;
            at_work(worktree, Work::Commits, || go_on(scribe, worktree, line))?;
            continue;
        }
        let Some(next) = left.first() else { return finished(worktree, line, head) };
        let begin = || match picks(scribe, worktree, next)? {
            true => Ok(true),
            false => recipes::apply_in(worktree, recipes, next).map(|()| false),
        };
        let went = at_work(worktree, Work::Begins(&format!("{next}^..{next}")), begin)?;
        if !went && (is_unmerged(worktree)? || !begun(worktree, "CHERRY_PICK_HEAD")?) {
            return Ok(waits);
        }
    }
}

/// The same for a merge.
fn merged(
    scribe: &Scribe,
    worktree: &Path,
    line: &Line,
    recipes: &[Recipe],
    [base, theirs, message]: [&str; 3],
) -> Result<Line, Failure> {
    if head(worktree)? == base && !begun(worktree, "MERGE_HEAD")? {
        let merge = ["merge", "--no-ff", "--no-commit", "-q", "-m", message, theirs];
        at_work(worktree, Work::Begins(&format!("HEAD...{theirs}")), || {
            let mut git = git::command(worktree);
            git.args(merge);
            // Where it conflicts it says so, too.
            let _ = scribe.run(git);
            recipes::apply_in(worktree, recipes, theirs)
        })?;
    }
    if begun(worktree, "MERGE_HEAD")? {
        if is_unmerged(worktree)? {
            return Ok(line.clone());
        }
        marks(worktree, &["diff", "--cached", "--check", "HEAD"])?;
        let mut commit = git::command(worktree);
        commit.args(["-c", "core.editor=true", "commit", "-q"]);
        at_work(worktree, Work::Commits, || scribe.run(commit))?;
    }
    let head = head(worktree)?;
    for (old, why) in [(base, "does not stand on"), (theirs, "does not hold")] {
        if !is_ancestor(worktree, old, &head)? {
            let message = format!(
                "{} is at {head}, which {why} {old}; bring it back with `git reset --keep \
                 {base}`, or give up with `git backport abort`",
                worktree.display()
            );
            return Err(wrong(message));
        }
    }
    marks(worktree, &["diff", "--check", base, &head])?;
    finished(worktree, line, head)
}

fn finished(worktree: &Path, line: &Line, head: String) -> Result<Line, Failure> {
    if !git::output(worktree, &["status", "--porcelain"])?.is_empty() {
        let message = format!(
            "{} holds changes that are in no commit; commit them or remove them",
            worktree.display()
        );
        return Err(wrong(message));
    }
    Ok(Line { new: head, state: State::Written, ..line.clone() })
}

fn head(worktree: &Path) -> Result<String, Failure> {
    Ok(git::output(worktree, &["rev-parse", "HEAD"])?.trim().to_string())
}

fn is_unmerged(worktree: &Path) -> Result<bool, Failure> {
    Ok(!git::output(worktree, &["ls-files", "--unmerged"])?.is_empty())
}

fn is_ancestor(worktree: &Path, old: &str, new: &str) -> Result<bool, Failure> {
    let mut stands = git::command(worktree);
    Ok(stands.args(["merge-base", "--is-ancestor", old, new]).output()?.status.success())
}

/// `git cherry-pick --continue`, with the message as it is.
fn go_on(scribe: &Scribe, worktree: &Path, line: &Line) -> Result<(), Failure> {
    let mut go_on = git::command(worktree);
    go_on.args(["-c", "core.editor=true", "cherry-pick", "--continue"]);
    let way = format!("if nothing is left of it there, `git backport skip {}`", line.branch);
    let told = |why: Failure| Failure::new(Exit::Failed, format!("{}\n{way}", why.message));
    scribe.run(go_on).map_err(told)
}

/// Begins a pick; whether it went through.
fn picks(scribe: &Scribe, worktree: &Path, next: &str) -> Result<bool, Failure> {
    let parents = git::output(worktree, &["rev-list", "--parents", "-1", next])?;
    let mut pick = git::command(worktree);
    pick.args(["cherry-pick", "-x", "--allow-empty"]);
    if parents.split_whitespace().count() > 2 {
        pick.args(["-m", "1"]);
    }
    pick.arg(next);
    Ok(scribe.run(pick).is_ok())
}

/// What is still to be picked: what somebody has committed here already, with
/// `git commit` or `cherry-pick --continue`, is not. Commits that do not stand
/// on what the run began with are none of its own.
fn still_left(
    worktree: &Path,
    base: &str,
    head: &str,
    left: Vec<String>,
) -> Result<Vec<String>, Failure> {
    if head == base {
        return Ok(left);
    }
    if !is_ancestor(worktree, base, head)? {
        let message = format!(
            "{} is at {head}, which does not stand on {base}; bring it back with `git reset \
             --keep {base}`, or give up with `git backport abort`",
            worktree.display()
        );
        return Err(wrong(message));
    }
    let range = format!("{base}..{head}");
    let said = git::output(worktree, &["log", "--format=%B", &range])?;
    let made: usize =
        git::output(worktree, &["rev-list", "--count", &range])?.trim().parse().unwrap_or(0);
    marks(worktree, &["diff", "--check", base, head])?;
    let named = |id: &String| said.contains(&format!("(cherry picked from commit {id})"));
    let rest: Vec<String> = left.iter().filter(|id| !named(id)).cloned().collect();
    // Whoever rewrote the message all the same made a commit for it.
    let unnamed = made > 0 && rest.len() == left.len();
    Ok(if unnamed { left.into_iter().skip(1).collect() } else { rest })
}

/// Whether a pick or a merge has begun there and is not finished.
fn begun(worktree: &Path, by: &str) -> Result<bool, Failure> {
    let mut parse = git::command(worktree);
    Ok(parse.args(["rev-parse", "-q", "--verify", by]).output()?.status.success())
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
    Err(wrong(format!("there are conflict marks left:\n{}", marked.join("\n"))))
}

/// How many files of a worktree still wait for `git add`.
pub(crate) fn unmerged(worktree: &Path) -> usize {
    let listed = git::output(worktree, &["diff", "--name-only", "--diff-filter=U"]);
    listed.map(|text| text.lines().count()).unwrap_or(0)
}
