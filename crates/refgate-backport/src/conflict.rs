//! Continues a pick or a merge in a worktree, where a person resolves conflicts with Git.
//! It never commits unmerged files or conflict markers.

use std::path::Path;

use refgate_core::Recipe;
use refgate_gate::Exit;
use refgate_git::EMPTY_TREE;

use crate::git_command;
use crate::output::{Failure, tell};
use crate::pick_writer::PickWriter;
use crate::recipes;
use crate::recovery::{self, WorktreeState, with_work_marker};
use crate::resolution::{
    add_missing_trailers, detach, ensure_contains_both_parents, head, remaining_picks,
};
use crate::run_state::{Line, State};
use crate::worktree::{gone, place, remove};

fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(Exit::BadInput, message)
}

/// Continues in the worktree of a line, whatever state the user or a killed run has
/// left there, until everything is picked or merged, or the next conflict.
pub(crate) fn resolve(
    pick_writer: &PickWriter,
    line: &Line,
    recipes: &[Recipe],
) -> Result<Line, Failure> {
    let Some(base) = line.state.base() else { return Ok(line.clone()) };
    let worktree = place(&pick_writer.git_dir, &line.reference);
    let stood = recovery::is_complete(&worktree);
    if !stood {
        let from = gone(&pick_writer.git_dir, line).filter(|_| !worktree.exists());
        let from = from.as_deref().unwrap_or(base);
        if from == base {
            remove(pick_writer, line)?;
        }
        let mut add = git_command::command(&pick_writer.git_dir);
        add.args(["worktree", "add", "--force", "--force", "--quiet", "--detach"]);
        add.arg(&worktree).arg(from);
        let added = pick_writer.run(add);
        // If a post-checkout hook fails, the worktree exists nevertheless.
        if !recovery::is_complete(&worktree) {
            added?;
        }
    }
    let repaired = recovery::repair(&worktree)?;
    ensure_not_busy(&worktree)?;
    detach(&worktree, &line.branch)?;
    if stood && !repaired && matches!(line.state, State::Conflict { .. }) {
        report_aborted_pick(&worktree, line, base)?;
    }
    match &line.state {
        State::Conflict { base, left } => {
            picked(pick_writer, &worktree, line, recipes, (base.clone(), left.clone()))
        }
        State::Merging { base, theirs, message, whole } => {
            let recipes = if *whole { &[] } else { recipes };
            merged(pick_writer, &worktree, line, recipes, [base, theirs, message])
        }
        State::Written | State::Done | State::Skipped => Ok(line.clone()),
    }
}

/// Fails if a rebase or a bisect is in progress, because continuing would break it.
pub(crate) fn ensure_not_busy(worktree: &Path) -> Result<(), Failure> {
    let Some((what, _)) = recovery::busy(worktree) else { return Ok(()) };
    let shown = worktree.display();
    Err(wrong(format!("cannot continue: {what} is in progress in {shown}\nhint: end it first")))
}

/// The line with its state updated from the commits in its worktree.
pub(crate) fn refresh_progress(pick_writer: &PickWriter, line: &Line) -> Line {
    let worktree = place(&pick_writer.git_dir, &line.reference);
    let State::Conflict { base, left } = &line.state else { return line.clone() };
    if !recovery::is_complete(&worktree) || recovery::busy(&worktree).is_some() {
        return line.clone();
    }
    // If the worktree cannot be interpreted, the recorded state remains.
    let rest = detach(&worktree, &line.branch)
        .and_then(|()| remaining_picks(pick_writer, &worktree, base, left.clone()));
    match (rest, head(&worktree)) {
        (Ok(rest), Ok(head)) if rest.len() < left.len() => {
            let state = State::Conflict { base: head, left: rest };
            Line { resolved: true, state, ..line.clone() }
        }
        _ => line.clone(),
    }
}

/// Reports that the next fix is picked again if somebody ended its cherry-pick.
/// `cherry-pick --abort` and `--skip` leave the same state, so they are not told apart.
fn report_aborted_pick(worktree: &Path, line: &Line, base: &str) -> Result<(), Failure> {
    let State::Conflict { left, .. } = &line.state else { return Ok(()) };
    let next = left.first().and_then(|id| id.get(..10));
    if let Some(next) = next
        && head(worktree)? == base
        && !begun(worktree, "CHERRY_PICK_HEAD")?
    {
        let (branch, way) = (&line.branch, skip_hint(line));
        tell(&format!("{branch}: no cherry-pick is in progress; picking {next} ({way})"));
    }
    Ok(())
}

/// The revision range `parent..commit` of a commit's changes.
pub(crate) fn brings(worktree: &Path, id: &str) -> Result<String, Failure> {
    let root = git_command::output(worktree, &["rev-list", "--parents", "-1", id])?.trim() == id;
    let before = if root { EMPTY_TREE.to_string() } else { format!("{id}^") };
    Ok(format!("{before}..{id}"))
}

/// Names the commands that leave out the fix that does not apply.
fn skip_hint(line: &Line) -> String {
    let branch = &line.branch;
    match &line.state {
        State::Conflict { left, .. } if left.len() > 1 => {
            let fix = left.first().and_then(|id| id.get(..10)).unwrap_or_default();
            format!(
                "`git backport skip {branch} {fix}` leaves out this fix, `git backport skip \
                 {branch}` the branch"
            )
        }
        _ => format!("`git backport skip {branch}` leaves out the branch"),
    }
}

fn picked(
    pick_writer: &PickWriter,
    worktree: &Path,
    line: &Line,
    recipes: &[Recipe],
    (mut base, mut left): (String, Vec<String>),
) -> Result<Line, Failure> {
    let mut resolved = line.resolved;
    loop {
        let waited = left.len();
        left = remaining_picks(pick_writer, worktree, &base, left)?;
        let head = head(worktree)?;
        if head != base {
            ensure_no_conflict_markers(worktree, &["diff", "--check", &base, &head])?;
        }
        if left.len() < waited {
            // The next pick starts from the commits that are finished.
            base.clone_from(&head);
            resolved = true;
        }
        let waits = Line {
            resolved,
            state: State::Conflict { base: base.clone(), left: left.clone() },
            ..line.clone()
        };
        if begun(worktree, "CHERRY_PICK_HEAD")? {
            if is_unmerged(worktree)? {
                return Ok(waits);
            }
            if quit_committed_pick(pick_writer, worktree, &left)? {
                continue;
            }
            ensure_no_conflict_markers(worktree, &["diff", "--cached", "--check", "HEAD"])?;
            with_work_marker(worktree, WorktreeState::Commits, || {
                continue_cherry_pick(pick_writer, worktree, &waits)
            })?;
            continue;
        }
        let Some(next) = left.first() else { return finished(worktree, line, head) };
        let mut remembered = false;
        let begin = || {
            let stopped = picks(pick_writer, worktree, next)?;
            if stopped.is_some() {
                remembered = begun(worktree, "CHERRY_PICK_HEAD")? && !is_unmerged(worktree)?;
                recipes::apply_in_worktree(worktree, recipes, next)?;
            }
            Ok(stopped)
        };
        let stopped =
            with_work_marker(worktree, WorktreeState::Begins(&brings(worktree, next)?), begin)?;
        if remembered && rerere_stages_resolutions(worktree)? {
            // Git also stops here, so that a person checks the resolution.
            tell(&format!(
                "{}: rerere reused an earlier resolution\nhint: check it, then run `git backport \
                 continue`",
                line.branch
            ));
            return Ok(waits);
        }
        let Some(said) = stopped else { continue };
        if is_unmerged(worktree)? {
            return Ok(waits);
        }
        if !begun(worktree, "CHERRY_PICK_HEAD")? {
            // This is not a conflict. Git could not start the pick.
            return Err(said);
        }
    }
}

/// Continues the merge of a hotfix into a line.
fn merged(
    pick_writer: &PickWriter,
    worktree: &Path,
    line: &Line,
    recipes: &[Recipe],
    [base, theirs, message]: [&str; 3],
) -> Result<Line, Failure> {
    if head(worktree)? == base && !begun(worktree, "MERGE_HEAD")? {
        let merge = ["merge", "--no-ff", "--no-commit", "-q", "-m", message, theirs];
        with_work_marker(worktree, WorktreeState::Begins(&format!("HEAD...{theirs}")), || {
            let mut git = git_command::command(worktree);
            git.args(merge);
            // The merge fails if it conflicts. `is_unmerged` finds that out below.
            let _ = pick_writer.run(git);
            recipes::apply_in_worktree(worktree, recipes, theirs)
        })?;
    }
    if begun(worktree, "MERGE_HEAD")? {
        if is_unmerged(worktree)? {
            return Ok(line.clone());
        }
        ensure_no_conflict_markers(worktree, &["diff", "--cached", "--check", "HEAD"])?;
        let mut commit = git_command::command(worktree);
        commit.args(["-c", "core.editor=true", "commit", "-q"]);
        with_work_marker(worktree, WorktreeState::Commits, || pick_writer.run(commit))?;
    }
    ensure_contains_both_parents(worktree, base, theirs)?;
    with_work_marker(worktree, WorktreeState::Commits, || {
        add_missing_trailers(pick_writer, worktree, base, message)
    })?;
    let head = head(worktree)?;
    ensure_no_conflict_markers(worktree, &["diff", "--check", base, &head])?;
    finished(worktree, line, head)
}

fn ensure_clean(worktree: &Path) -> Result<(), Failure> {
    if git_command::output(worktree, &["status", "--porcelain"])?.is_empty() {
        return Ok(());
    }
    let message = format!(
        "cannot finish: {} has uncommitted changes\nhint: commit or remove them",
        worktree.display()
    );
    Err(wrong(message))
}

fn finished(worktree: &Path, line: &Line, head: String) -> Result<Line, Failure> {
    ensure_clean(worktree)?;
    Ok(Line { new: head, state: State::Written, ..line.clone() })
}

fn is_unmerged(worktree: &Path) -> Result<bool, Failure> {
    Ok(!git_command::output(worktree, &["ls-files", "--unmerged"])?.is_empty())
}

/// Runs `git cherry-pick --continue` and leaves the message unchanged.
fn continue_cherry_pick(
    pick_writer: &PickWriter,
    worktree: &Path,
    line: &Line,
) -> Result<(), Failure> {
    let mut continue_cherry_pick = git_command::command(worktree);
    continue_cherry_pick.args(["-c", "core.editor=true", "cherry-pick", "--continue"]);
    let told = |why: Failure| {
        let message = format!(
            "{}\nhint: if the pick is empty, {}\nhint: if a hook rejected it, commit it yourself",
            why.message,
            skip_hint(line)
        );
        Failure::new(Exit::Failed, message)
    };
    pick_writer.run(continue_cherry_pick).map_err(told)
}

/// Whether `rerere` stages the resolutions that it reuses.
fn rerere_stages_resolutions(worktree: &Path) -> Result<bool, Failure> {
    let mut ask = git_command::command(worktree);
    ask.args(["config", "--type=bool", "--get", "rerere.autoUpdate"]);
    Ok(ask.output()?.stdout.starts_with(b"true"))
}

/// Ends a pick that is committed, but that Git still considers in progress because it
/// was killed.
fn quit_committed_pick(
    pick_writer: &PickWriter,
    worktree: &Path,
    left: &[String],
) -> Result<bool, Failure> {
    let picked = git_command::output(worktree, &["rev-parse", "CHERRY_PICK_HEAD"])?;
    let settled = !left.iter().any(|id| id == picked.trim());
    if !settled || !git_command::output(worktree, &["status", "--porcelain"])?.is_empty() {
        return Ok(false);
    }
    let mut quit = git_command::command(worktree);
    quit.args(["cherry-pick", "--quit"]);
    with_work_marker(worktree, WorktreeState::Commits, || pick_writer.run(quit))?;
    if begun(worktree, "CHERRY_PICK_HEAD")? {
        let why = match recovery::locks(&pick_writer.git_dir, worktree).first() {
            Some(lock) => format!("remove {}, which a killed git left there", lock.display()),
            None => "run `git cherry-pick --quit` there".to_string(),
        };
        let shown = worktree.display();
        return Err(wrong(format!(
            "cannot continue in {shown}: {} is committed, but still in progress\nhint: {why}",
            picked.trim()
        )));
    }
    Ok(true)
}

/// Starts a cherry-pick. Returns Git's error if the pick stops.
fn picks(
    pick_writer: &PickWriter,
    worktree: &Path,
    next: &str,
) -> Result<Option<Failure>, Failure> {
    let parents = git_command::output(worktree, &["rev-list", "--parents", "-1", next])?;
    let mut pick = git_command::command(worktree);
    pick.args(["cherry-pick", "-x", "--allow-empty"]);
    if parents.split_whitespace().count() > 2 {
        pick.args(["-m", "1"]);
    }
    pick.arg(next);
    Ok(pick_writer.run(pick).err())
}

/// Whether a pick (`CHERRY_PICK_HEAD`) or a merge (`MERGE_HEAD`) is in progress.
fn begun(worktree: &Path, by: &str) -> Result<bool, Failure> {
    let mut parse = git_command::command(worktree);
    Ok(parse.args(["rev-parse", "-q", "--verify", by]).output()?.status.success())
}

/// Fails if the diff adds conflict markers, so that nobody commits them.
fn ensure_no_conflict_markers(worktree: &Path, check: &[&str]) -> Result<(), Failure> {
    let output = git_command::command(worktree).args(check).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let marked: Vec<&str> =
        said.lines().filter(|line| line.ends_with("leftover conflict marker")).collect();
    if marked.is_empty() {
        return Ok(());
    }
    Err(wrong(format!("cannot continue: conflict markers are left\n{}", marked.join("\n"))))
}
