//! Carry a plan out: what is clean at once, what conflicts in a worktree of its own.

use std::path::Path;

use refgate_gate::Exit;
use refgate_report::wrap;

use crate::apply::Scribe;
use crate::args::{Apply, Place};
use crate::command::plan::{compare, planned, words};
use crate::git;
use crate::journal::{Journal, Line, State};
use crate::known::{How, Known, open};
use crate::output::{Done, Failure, done, say, tell};
use crate::plan::{Forecast, Target};
use crate::worktree;

pub(crate) fn run(place: &Place, args: &Apply) -> Done {
    let scribe = Scribe::open(&place.repository)?;
    if Journal::load(&scribe.git_dir)?.is_some_and(|journal| journal.is_open()) {
        let message = "a backport waits to be finished: see `git backport continue`, `skip`, \
                       `abort`";
        return Err(Failure::new(Exit::BadInput, message));
    }
    let mut known = Known::read(place, How::default())?;
    compare(&mut known, &args.plan)?;
    let targets = planned(&known, &args.plan)?;
    let mut journal = Journal { format: 1, ..Journal::default() };
    for target in &targets {
        journal.lines.extend(line(&known, &scribe, args, target)?);
    }
    if journal.lines.is_empty() {
        tell("nothing to do");
        return Ok(done(Exit::Accepted));
    }
    carry_on(&scribe, journal, args.push.then_some(place.remote.as_str()))
}

/// What is to be done for one branch; says what is not.
fn line(
    known: &Known,
    scribe: &Scribe,
    args: &Apply,
    target: &Target,
) -> Result<Option<Line>, Failure> {
    let branch = known.branches.name(target.place).to_string();
    let tip = known.branches.all.get(target.place).map(|branch| branch.tip).unwrap_or_default();
    let mut steps = Vec::new();
    let mut left = Vec::new();
    for (change, forecast) in &target.forecasts {
        match forecast {
            Forecast::Clean(some) if some.len() > 1 && !args.prerequisites => {
                let text = format!(
                    "{}; say --prerequisites to carry that along, or name it",
                    words(known, forecast)
                );
                say(&wrap(&format!("{branch}  "), "  ", &text));
                return Ok(None);
            }
            Forecast::Clean(some) if left.is_empty() => steps.extend_from_slice(some),
            Forecast::Clean(_) | Forecast::Conflict { .. } | Forecast::Waits => {
                left.push(change.commit.to_string());
            }
            _ => say(&wrap(&format!("{branch}  "), "  ", &words(known, forecast))),
        }
    }
    let first = target.forecasts.first().map(|(change, _)| change.commit.short());
    let Some(first) = first.filter(|_| !steps.is_empty() || !left.is_empty()) else {
        return Ok(None);
    };
    let reference = if args.straight {
        format!("refs/heads/{branch}")
    } else {
        format!("refs/heads/backport/{first}/{branch}")
    };
    let old = scribe.value(&reference)?;
    let fits = old.is_empty() || (args.straight && old == tip.to_string());
    if !fits {
        let message = format!("{reference} is there already ({old}); delete or rename it first");
        return Err(Failure::new(Exit::BadInput, message));
    }
    if args.straight {
        scribe.not_checked_out(&reference)?;
    }
    worktree::free(&scribe.git_dir, &reference)?;
    let written = scribe.write(tip, &steps)?;
    let new = if left.is_empty() { written.to_string() } else { String::new() };
    let state = if left.is_empty() {
        State::Written
    } else {
        State::Conflict { base: written.to_string(), left }
    };
    Ok(Some(Line { branch, reference, old, new, state }))
}

/// Goes on with a run as far as it goes by itself.
fn carry_on(scribe: &Scribe, mut journal: Journal, push: Option<&str>) -> Done {
    journal.save(&scribe.git_dir)?;
    scribe.set(&mut journal)?;
    let mut waits = false;
    for place in 0..journal.lines.len() {
        let Some(line) = journal.lines.get(place).cloned() else { continue };
        if !matches!(line.state, State::Conflict { .. }) {
            // A run that was killed in between may have left one standing.
            worktree::remove(&scribe.git_dir, &line)?;
            continue;
        }
        // One branch that fails does not stop the others.
        let next = worktree::resolve(&scribe.git_dir, &line).unwrap_or_else(|failure| {
            tell(&format!("git backport: {}: {}", line.branch, failure.message));
            line.clone()
        });
        let settled = next.state == State::Written;
        if let Some(slot) = journal.lines.get_mut(place) {
            *slot = next;
        }
        journal.save(&scribe.git_dir)?;
        if settled {
            scribe.set(&mut journal)?;
        }
        if let Some(line) = journal.lines.get(place).filter(|line| line.state == State::Done) {
            worktree::remove(&scribe.git_dir, line)?;
        }
    }
    for line in &journal.lines {
        waits |= matches!(line.state, State::Conflict { .. });
        say(&told(&scribe.git_dir, line));
    }
    if let Some(remote) = push {
        journal.pushed = remote.to_string();
        journal.save(&scribe.git_dir)?;
        pushed(scribe, &journal, remote)?;
    }
    Ok(done(if waits { Exit::Refused } else { Exit::Accepted }))
}

fn told(git_dir: &Path, line: &Line) -> String {
    let Line { branch, reference, new, state, .. } = line;
    match state {
        State::Written | State::Done => {
            let short = new.get(..10).unwrap_or(new);
            let name = reference.strip_prefix("refs/heads/").unwrap_or(reference);
            format!("{branch}  done: {name} is {short}")
        }
        State::Skipped => format!("{branch}  skipped"),
        State::Conflict { left, .. } => {
            let worktree = worktree::place(git_dir, reference);
            let unmerged = match worktree::unmerged(&worktree) {
                0 => String::new(),
                count => format!(" ({count} file(s) wait for `git add`)"),
            };
            let first = left.first().map_or("", |id| id.get(..10).unwrap_or(id));
            format!(
                "{branch}  conflict in {first}{unmerged}: resolve it in\n    {}\n  with plain git, then \
                 `git backport continue` (or `skip {branch}`, `abort`)",
                worktree.display()
            )
        }
    }
}

fn pushed(scribe: &Scribe, journal: &Journal, remote: &str) -> Result<(), Failure> {
    let done = journal.lines.iter().filter(|line| line.state == State::Done);
    let specs: Vec<String> =
        done.map(|line| format!("{}:{}", line.reference, line.reference)).collect();
    let mut arguments = vec!["push", remote];
    arguments.extend(specs.iter().map(String::as_str));
    if specs.is_empty() {
        return Ok(());
    }
    git::output(&scribe.git_dir, &arguments).map(|said| tell(said.trim()))
}

/// The run that waits, or an error that says there is none.
fn waiting(scribe: &Scribe) -> Result<Journal, Failure> {
    let none = || Failure::new(Exit::BadInput, "no backport waits to be finished");
    Journal::load(&scribe.git_dir)?.filter(Journal::is_open).ok_or_else(none)
}

pub(crate) fn go_on(place: &Place) -> Done {
    let scribe = Scribe::open(&place.repository)?;
    let journal = waiting(&scribe)?;
    carry_on(&scribe, journal, None)
}

pub(crate) fn skip(place: &Place, branch: &str) -> Done {
    let scribe = Scribe::open(&place.repository)?;
    let mut journal = waiting(&scribe)?;
    let conflict =
        |line: &&mut Line| line.branch == branch && matches!(line.state, State::Conflict { .. });
    let Some(line) = journal.lines.iter_mut().find(conflict) else {
        let message = format!("`{branch}` does not wait for anything");
        return Err(Failure::new(Exit::BadInput, message));
    };
    let was = line.clone();
    line.state = State::Skipped;
    journal.save(&scribe.git_dir)?;
    worktree::remove(&scribe.git_dir, &was)?;
    carry_on(&scribe, journal, None)
}

/// Takes a run back, finished or not.
pub(crate) fn undo(place: &Place, open_only: bool) -> Done {
    let scribe = Scribe::open(&place.repository)?;
    let journal = if open_only {
        waiting(&scribe)?
    } else {
        let none = || Failure::new(Exit::BadInput, "there is no backport to undo");
        Journal::load(&scribe.git_dir)?.ok_or_else(none)?
    };
    let kept = scribe.take_back(&journal)?;
    for what in &kept {
        say(&format!("left alone: {what}"));
    }
    if journal.pushed.is_empty() {
        say("all else is as it was");
    } else {
        say(&format!("here all else is as it was; what was pushed is still on {}", journal.pushed));
    }
    Ok(done(if kept.is_empty() { Exit::Accepted } else { Exit::Failed }))
}

/// How much of a backport is git's own pick.
pub(crate) fn receipt(place: &Place, revision: &str) -> Done {
    let reader = open(place)?;
    let commit = reader.resolve(revision)?;
    let receipt = crate::receipt::of(&reader, commit)?;
    if place.json {
        say(&receipt.json(commit).to_string());
    } else {
        say(&receipt.text(commit));
    }
    let fine = matches!(receipt, crate::receipt::Receipt::Exact { .. });
    Ok(done(if fine { Exit::Accepted } else { Exit::Refused }))
}
