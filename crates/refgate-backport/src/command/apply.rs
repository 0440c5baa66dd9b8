//! `git backport apply`: writes clean picks, and opens a worktree for each conflict.

use refgate_core::Oid;
use refgate_gate::Exit;

use crate::args::{Apply, Plan, RepositoryArgs};
use crate::command::plan::{compare, filled, kind, planned, warn, words};
use crate::fix_index::{FixIndex, IndexOptions};
use crate::output::{Failure, VerbResult, done, tell};
use crate::pick_writer::PickWriter;
use crate::plan::{Forecast, Target};
use crate::prompts;
use crate::run_loop::{advance_run, report_skipped_targets};
use crate::run_state::{Journal, Line, SkippedTarget, State};
use crate::worktree;

pub(crate) fn run(place: &RepositoryArgs, args: &Apply) -> VerbResult {
    let pick_writer = PickWriter::open(place)?;
    ensure_no_open_run(&pick_writer)?;
    let plan = &filled(place, &args.plan)?;
    let around = Some(plan.fixes.clone());
    let mut known = FixIndex::read(place, IndexOptions { around, ..IndexOptions::default() })?;
    compare(&mut known, plan)?;
    let mut targets = planned(&known, plan)?;
    if args.plan.fixes.is_empty() && plan.to.is_empty() {
        targets = prompts::targets(&known, targets)?;
    }
    warn(&known, &targets);
    if !args.gap {
        ensure_no_gap(&known, plan, &targets)?;
    }
    let mut journal = Journal { format: 1, ..Journal::default() };
    let first = targets.first().and_then(|target| target.forecasts.first());
    let name = first.map(|(change, _)| change.commit.short()).unwrap_or_default();
    let Apply { straight, prerequisites, by_hand, .. } = *args;
    let way = RefPlacement { straight, prerequisites, by_hand, name: &name };
    for target in &targets {
        journal.lines.extend(line(&known, &pick_writer, &way, target, &mut journal.left)?);
    }
    if journal.lines.is_empty() {
        report_skipped_targets(&pick_writer, &journal);
        tell("nothing to do");
        let fine = journal.left.is_empty();
        return Ok(done(if fine { Exit::Accepted } else { Exit::Rejected }));
    }
    if args.push {
        journal.pushed.clone_from(&place.remote);
    }
    advance_run(&pick_writer, journal, known.recipes())
}

/// Fails if an older line would get a fix that a newer line is missing. Users who upgrade
/// to the newer line would have the bug again.
fn ensure_no_gap(known: &FixIndex, plan: &Plan, targets: &[Target]) -> Result<(), Failure> {
    let picks = |target: &&Target| {
        target.forecasts.iter().any(|(_, forecast)| {
            matches!(forecast, Forecast::Clean(_) | Forecast::Conflict { .. } | Forecast::Waits)
        })
    };
    let lines = known.branches.lines();
    let gets = |place: &usize| targets.iter().filter(picks).any(|one| one.place == *place);
    let Some(oldest) = lines.iter().find(|place| gets(place)) else { return Ok(()) };
    let newer = lines.iter().skip_while(|place| *place != oldest).skip(1);
    let open = newer.filter(|place| !targets.iter().any(|one| one.place == **place));
    let to: Vec<String> = open.map(|place| known.branches.name(*place).to_string()).collect();
    if to.is_empty() {
        return Ok(());
    }
    let others = planned(known, &Plan { to, ..plan.clone() })?;
    let lacking: Vec<&str> =
        others.iter().filter(picks).map(|one| known.branches.name(one.place)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let more: Vec<String> = lacking.iter().map(|name| format!("--to {name}")).collect();
    let message = format!(
        "cannot apply to {}: this leaves a gap on {}\nhint: add {}, or allow the gap with --gap",
        known.branches.name(*oldest),
        lacking.join(", "),
        more.join(" ")
    );
    Err(Failure::new(Exit::Rejected, message))
}

/// How picks are made, and which refs are set.
pub(crate) struct RefPlacement<'a> {
    /// Whether the branches themselves are updated.
    pub(crate) straight: bool,
    /// Whether the prerequisites of a fix are picked, too.
    pub(crate) prerequisites: bool,
    /// Whether a fix with prerequisites becomes a conflict to resolve.
    pub(crate) by_hand: bool,
    /// The name in `backport/NAME/BRANCH`, the branch that is created otherwise.
    pub(crate) name: &'a str,
}

impl RefPlacement<'_> {
    pub(crate) fn reference(&self, branch: &str) -> String {
        match self.straight {
            true => format!("refs/heads/{branch}"),
            false => format!("refs/heads/backport/{}/{branch}", self.name),
        }
    }
}

/// Plans the work for one branch. Reports what needs no pick, and adds what is skipped to
/// `out`.
pub(crate) fn line(
    known: &FixIndex,
    pick_writer: &PickWriter,
    way: &RefPlacement<'_>,
    target: &Target,
    out: &mut Vec<SkippedTarget>,
) -> Result<Option<Line>, Failure> {
    let branch = known.branches.name(target.place).to_string();
    let tip = known.branches.all.get(target.place).map(|branch| branch.tip).unwrap_or_default();
    let mut steps = Vec::new();
    let mut left = Vec::new();
    let several = target.forecasts.len() > 1;
    for (change, forecast) in &target.forecasts {
        let told = |forecast: &Forecast| match several {
            true => format!("{}: {}", change.commit.short(), words(known, forecast)),
            false => words(known, forecast),
        };
        match forecast {
            Forecast::Clean(some) if some.len() > 1 && way.by_hand => {
                left.push(change.commit.to_string());
            }
            Forecast::Clean(some) if some.len() > 1 && !way.prerequisites => {
                let text = format!(
                    "{}; add --prerequisites to pick that, too, or --by-hand to resolve the \
                     conflict",
                    told(forecast)
                );
                out.push(SkippedTarget::new(&branch, change.commit, "needs", text));
                return Ok(None);
            }
            Forecast::Clean(some) if left.is_empty() => steps.extend_from_slice(some),
            Forecast::Clean(_) | Forecast::Conflict { .. } | Forecast::Waits => {
                left.push(change.commit.to_string());
            }
            Forecast::Denied(_) | Forecast::Reverted => {
                out.push(SkippedTarget::new(
                    &branch,
                    change.commit,
                    kind(forecast),
                    told(forecast),
                ));
            }
            _ => pick_writer.report(&branch, kind(forecast), &told(forecast)),
        }
    }
    if steps.is_empty() && left.is_empty() {
        return Ok(None);
    }
    let reference = way.reference(&branch);
    let old = pick_writer.value(&reference)?;
    if let Some(left) = blocked(pick_writer, way, (&branch, tip), (&reference, &old))? {
        out.push(left);
        return Ok(None);
    }
    let written = pick_writer.write(tip, &steps)?;
    let new = if left.is_empty() { written.to_string() } else { String::new() };
    let state = if left.is_empty() {
        State::Written
    } else {
        State::Conflict { base: written.to_string(), left }
    };
    let began = tip.to_string();
    // With a single pick, the placeholder `COMMIT` is replaced when the pick is done.
    let word = if several || steps.len() > 1 { "ID" } else { "COMMIT" };
    let needs = target.needs.iter().map(|what| what.replace("COMMIT", word)).collect();
    Ok(Some(Line { branch, began, reference, old, new, resolved: false, needs, state }))
}

/// The reason why a branch is skipped: an existing ref, a checkout or a worktree. The run
/// continues with the other branches.
pub(crate) fn blocked(
    pick_writer: &PickWriter,
    way: &RefPlacement<'_>,
    (branch, tip): (&str, Oid),
    (reference, old): (&str, &str),
) -> Result<Option<SkippedTarget>, Failure> {
    let fits = old.is_empty() || (way.straight && old == tip.to_string());
    let words = match (fits, way.straight) {
        (false, true) => Some(format!(
            "your branch {branch} ({old}) differs from the remote's branch ({tip}); push or update \
             it first"
        )),
        (false, false) => {
            Some(format!("{reference} already exists ({old}); delete or rename it first"))
        }
        (true, true) if worktree::holds(&pick_writer.git_dir, reference)? => {
            Some(worktree::checked_out_message(reference))
        }
        (true, _) => worktree::leftover_worktree_message(&pick_writer.git_dir, reference),
    };
    Ok(words.map(|words| SkippedTarget::new(branch, Oid::default(), "blocked", words)))
}

/// Fails if another run is unfinished.
pub(crate) fn ensure_no_open_run(pick_writer: &PickWriter) -> Result<(), Failure> {
    if !Journal::load(&pick_writer.git_dir)?.is_some_and(|journal| journal.is_open()) {
        return Ok(());
    }
    let message = "cannot start: another backport is unfinished\nhint: run `git backport \
                   continue`, `git backport skip BRANCH` or `git backport abort`";
    Err(Failure::new(Exit::BadInput, message))
}
