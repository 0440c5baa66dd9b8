//! Carry a plan out: what is clean at once, what conflicts in a worktree of its own.

use refgate_core::{Oid, Receipt, Recipe};
use refgate_gate::Exit;
use serde_json::json;

use crate::apply::Scribe;
use crate::args::{Apply, Place, Plan};
use crate::choose;
use crate::command::plan::{compare, filled, kind, planned, warn, words};
use crate::journal::{Journal, Left, Line, State};
use crate::known::{How, Known, open};
use crate::output::{Done, Failure, done, say, tell};
use crate::plan::{Forecast, Target};
use crate::rules::Rules;
use crate::run::{carry_on, deletes, left_out};
use crate::worktree;

pub(crate) fn run(place: &Place, args: &Apply) -> Done {
    let scribe = Scribe::open(place)?;
    none_waits(&scribe)?;
    let plan = &filled(place, &args.plan)?;
    let around = Some(plan.fixes.clone());
    let mut known = Known::read(place, How { around, ..How::default() })?;
    compare(&mut known, plan)?;
    let mut targets = planned(&known, plan)?;
    if args.plan.fixes.is_empty() && plan.to.is_empty() {
        targets = choose::targets(&known, targets)?;
    }
    warn(&known, &targets);
    if !args.gap {
        no_gap(&known, plan, &targets)?;
    }
    let mut journal = Journal { format: 1, ..Journal::default() };
    let first = targets.first().and_then(|target| target.forecasts.first());
    let name = first.map(|(change, _)| change.commit.short()).unwrap_or_default();
    let Apply { straight, prerequisites, by_hand, .. } = *args;
    let way = Way { straight, prerequisites, by_hand, name: &name };
    for target in &targets {
        journal.lines.extend(line(&known, &scribe, &way, target, &mut journal.left)?);
    }
    if journal.lines.is_empty() {
        left_out(&scribe, &journal);
        tell("nothing to do");
        let fine = journal.left.is_empty();
        return Ok(done(if fine { Exit::Accepted } else { Exit::Refused }));
    }
    if args.push {
        journal.pushed.clone_from(&place.remote);
    }
    carry_on(&scribe, journal, known.recipes())
}

/// An older line does not get what a newer one would then lack: whoever moves
/// up to the newer one would meet the trouble again.
fn no_gap(known: &Known, plan: &Plan, targets: &[Target]) -> Result<(), Failure> {
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
        "{} would get it while the newer {} lacks it; carry it there too ({}), or say --gap",
        known.branches.name(*oldest),
        lacking.join(", "),
        more.join(" ")
    );
    Err(Failure::new(Exit::Refused, message))
}

/// How picks become references.
pub(crate) struct Way<'a> {
    /// The branches themselves are moved.
    pub(crate) straight: bool,
    /// What a fix needs before it applies is carried along.
    pub(crate) prerequisites: bool,
    /// Or it is resolved without that.
    pub(crate) by_hand: bool,
    /// Else `backport/NAME/BRANCH` is made.
    pub(crate) name: &'a str,
}

impl Way<'_> {
    pub(crate) fn reference(&self, branch: &str) -> String {
        match self.straight {
            true => format!("refs/heads/{branch}"),
            false => format!("refs/heads/backport/{}/{branch}", self.name),
        }
    }
}

/// What is to be done for one branch. Says what is done already, and adds what
/// is not done as asked to `out`.
pub(crate) fn line(
    known: &Known,
    scribe: &Scribe,
    way: &Way<'_>,
    target: &Target,
    out: &mut Vec<Left>,
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
                    "{}; say --prerequisites to carry that along, or --by-hand to resolve it without",
                    told(forecast)
                );
                out.push(Left::new(&branch, change.commit, "needs", text));
                return Ok(None);
            }
            Forecast::Clean(some) if left.is_empty() => steps.extend_from_slice(some),
            Forecast::Clean(_) | Forecast::Conflict { .. } | Forecast::Waits => {
                left.push(change.commit.to_string());
            }
            Forecast::Denied(_) | Forecast::Reverted => {
                out.push(Left::new(&branch, change.commit, kind(forecast), told(forecast)));
            }
            _ => scribe.report(&branch, kind(forecast), &told(forecast)),
        }
    }
    if steps.is_empty() && left.is_empty() {
        return Ok(None);
    }
    let reference = way.reference(&branch);
    let old = scribe.value(&reference)?;
    if let Some(left) = blocked(scribe, way, (&branch, tip), (&reference, &old))? {
        out.push(left);
        return Ok(None);
    }
    let written = scribe.write(tip, &steps)?;
    let new = if left.is_empty() { written.to_string() } else { String::new() };
    let state = if left.is_empty() {
        State::Written
    } else {
        State::Conflict { base: written.to_string(), left }
    };
    let began = tip.to_string();
    Ok(Some(Line { branch, began, reference, old, new, state }))
}

/// What stands in a branch's way; the others go on without it.
pub(crate) fn blocked(
    scribe: &Scribe,
    way: &Way<'_>,
    (branch, tip): (&str, Oid),
    (reference, old): (&str, &str),
) -> Result<Option<Left>, Failure> {
    let fits = old.is_empty() || (way.straight && old == tip.to_string());
    let words = match (fits, way.straight) {
        (false, true) => Some(format!(
            "your {branch} ({old}) is not where the remote's stands ({tip}); push what it holds, or \
             bring it up to date, first"
        )),
        (false, false) => {
            Some(format!("{reference} is there already ({old}); delete or rename it first"))
        }
        (true, true) if worktree::holds(&scribe.git_dir, reference)? => {
            Some(worktree::is_checked_out(reference))
        }
        (true, _) => worktree::left_standing(&scribe.git_dir, reference),
    };
    Ok(words.map(|words| Left::new(branch, Oid::default(), "blocked", words)))
}

/// No second run is begun beside one that waits.
pub(crate) fn none_waits(scribe: &Scribe) -> Result<(), Failure> {
    if !Journal::load(&scribe.git_dir)?.is_some_and(|journal| journal.is_open()) {
        return Ok(());
    }
    let message = "a backport waits to be finished: see `git backport continue`, `skip`, `abort`";
    Err(Failure::new(Exit::BadInput, message))
}

/// The run that waits, or an error that says there is none.
fn waiting(scribe: &Scribe) -> Result<Journal, Failure> {
    let none = || Failure::new(Exit::BadInput, "no backport waits to be finished");
    Journal::load(&scribe.git_dir)?.filter(Journal::is_open).ok_or_else(none)
}

pub(crate) fn go_on(place: &Place) -> Done {
    let scribe = Scribe::open(place)?;
    let journal = waiting(&scribe)?;
    goes_on(&scribe, journal, &recipes(place)?)
}

/// Goes on, and says what comes after it.
fn goes_on(scribe: &Scribe, journal: Journal, recipes: &[Recipe]) -> Done {
    let then = journal.then.clone();
    let done = carry_on(scribe, journal, recipes)?;
    let open = Journal::load(&scribe.git_dir)?.is_some_and(|journal| journal.is_open());
    if !open && !then.is_empty() {
        tell(&format!("whether every branch of the remote has it, says\n  {then}"));
    }
    Ok(done)
}

/// The recipes of the policy that is in force where a run goes on.
fn recipes(place: &Place) -> Result<Vec<Recipe>, Failure> {
    let rules = Rules::find(&open(place)?, place)?;
    Ok(rules.map(|rules| rules.policy.recipes).unwrap_or_default())
}

pub(crate) fn skip(place: &Place, branch: &str, fix: Option<&str>) -> Done {
    let scribe = Scribe::open(place)?;
    let mut journal = waiting(&scribe)?;
    let waits = |line: &&mut Line| line.branch == branch && line.state.waits();
    let Some(line) = journal.lines.iter_mut().find(waits) else {
        let message = format!("`{branch}` does not wait for anything");
        return Err(Failure::new(Exit::BadInput, message));
    };
    let was = line.clone();
    line.state = match fix {
        Some(fix) => without(line, &scribe.value(&format!("{fix}^{{commit}}"))?, fix)?,
        None => State::Skipped,
    };
    let given_up = line.state == State::Skipped;
    journal.save(&scribe.git_dir)?;
    match fix {
        Some(_) if !given_up => worktree::leave(&scribe, &was)?,
        _ => worktree::remove(&scribe, &was)?,
    }
    goes_on(&scribe, journal, &recipes(place)?)
}

/// What is left for a branch without one of its fixes.
fn without(line: &Line, id: &str, fix: &str) -> Result<State, Failure> {
    let message = format!("`{fix}` does not wait on {}", line.branch);
    let none = || Failure::new(Exit::BadInput, message.clone());
    let State::Conflict { base, left } = &line.state else { return Err(none()) };
    // The first is the one that conflicts; the others wait for it.
    let left = match left.split_first() {
        Some((first, rest)) if first == id => rest.to_vec(),
        _ => return Err(none()),
    };
    let nothing = left.is_empty() && *base == line.began;
    Ok(if nothing { State::Skipped } else { State::Conflict { base: base.clone(), left } })
}

/// Takes a run back, finished or not.
pub(crate) fn undo(place: &Place, open_only: bool) -> Done {
    let scribe = Scribe::open(place)?;
    let journal = if open_only {
        waiting(&scribe)?
    } else {
        let none = || Failure::new(Exit::BadInput, "there is no backport to undo");
        Journal::load(&scribe.git_dir)?.ok_or_else(none)?
    };
    let kept = scribe.take_back(&journal)?;
    let to = if journal.has_pushed || journal.tried { journal.pushed.as_str() } else { "" };
    if place.json {
        say(&json!({ "undone": true, "left": kept, "pushed": to }).to_string());
    } else {
        kept.iter().for_each(|what| say(&format!("left alone: {what}")));
        say(&match to {
            "" => "all else is as it was".to_string(),
            to if journal.has_pushed => {
                format!("here all else is as it was; what was pushed is still on {to}")
            }
            to => format!("here all else is as it was; what {to} took of the push is still there"),
        });
        if let Some(delete) = deletes(&journal).filter(|_| !to.is_empty()) {
            say(&format!("  {delete}"));
        }
    }
    Ok(done(if kept.is_empty() { Exit::Accepted } else { Exit::Refused }))
}

/// How much of a backport is git's own pick.
pub(crate) fn receipt(place: &Place, revision: &str) -> Done {
    let reader = open(place)?;
    let commit = reader.resolve(revision)?;
    let told = crate::receipt::of(&reader, &recipes(place)?, commit)?;
    if place.json {
        say(&told.json().to_string());
    } else {
        say(&told.text());
    }
    let fine = told.receipt == Receipt::Exact;
    Ok(done(if fine { Exit::Accepted } else { Exit::Refused }))
}
