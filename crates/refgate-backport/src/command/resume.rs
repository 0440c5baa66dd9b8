//! `git backport continue`, `skip`, `abort` and `undo`: continues or undoes a run.

use refgate_core::{Oid, Policy, Receipt, RefKind, RefName};
use refgate_gate::Exit;
use refgate_git::Reader;
use serde_json::json;

use crate::args::RepositoryArgs;
use crate::fix_index::open;
use crate::output::{Failure, VerbResult, done, say, say_json, tell};
use crate::pick_writer::{PickWriter, UndoResult};
use crate::policy_answer::PolicyAnswers;
use crate::receipt_report::of;
use crate::run_loop::{advance_run, copies, deletes};
use crate::run_state::{Journal, Line, State};
use crate::{conflict, worktree};

/// The unfinished run, or an error if there is none.
fn waiting(pick_writer: &PickWriter) -> Result<Journal, Failure> {
    let none = || Failure::new(Exit::BadInput, "cannot find an unfinished backport");
    Journal::load(&pick_writer.git_dir)?.filter(Journal::is_open).ok_or_else(none)
}

pub(crate) fn go_on(place: &RepositoryArgs) -> VerbResult {
    let pick_writer = PickWriter::open(place)?;
    let journal = waiting(&pick_writer)?;
    continue_journal(place, &pick_writer, journal)
}

/// Continues the run, and names the command to run after it.
fn continue_journal(
    place: &RepositoryArgs,
    pick_writer: &PickWriter,
    journal: Journal,
) -> VerbResult {
    let then = journal.then.clone();
    let reader = open(place)?;
    let rules = PolicyAnswers::find(&reader, place)?;
    let recipes = rules.as_ref().map_or(&[][..], |rules| &rules.policy.recipes);
    let done = advance_run(pick_writer, journal, recipes)?;
    let Some(journal) = Journal::load(&pick_writer.git_dir)? else { return Ok(done) };
    if let Some(policy) = rules.map(|rules| rules.policy).filter(|policy| policy.backport.exact) {
        approvals(&reader, pick_writer, &journal, &policy)?;
    }
    if !journal.is_open() && !then.is_empty() {
        tell(&format!("to check that every branch of the remote contains it, run\n  {then}"));
    }
    Ok(done)
}

/// Reports the picks that are not exact, because the server requires an approval of them.
fn approvals(
    reader: &Reader,
    pick_writer: &PickWriter,
    journal: &Journal,
    policy: &Policy,
) -> Result<(), Failure> {
    for line in journal.lines.iter().filter(|line| line.state == State::Done) {
        let Ok(name) = RefName::branch(&line.branch) else { continue };
        // The server has already accepted these picks.
        if journal.has_pushed && line.reference == name.as_str() {
            continue;
        }
        if !matches!(policy.kind(&name), RefKind::Governed(target) if !target.is_first()) {
            continue;
        }
        for (id, from) in copies(&pick_writer.git_dir, line)?.iter().filter(|(id, from)| id != from)
        {
            let Some(commit) = Oid::from_hex(id) else { continue };
            let told = of(reader, &policy.recipes, commit, Some(from))?;
            if told.receipt != Receipt::Exact {
                let (short, by) = (commit.short(), &policy.backport.approvers);
                let words = format!(
                    "{short} needs an approval by {by}: it is {}\nrefgate approve backport {short} \
                     --onto {}",
                    told.receipt.word(),
                    line.branch
                );
                pick_writer.report(&line.branch, "needs", &words);
            }
        }
    }
    Ok(())
}

pub(crate) fn skip(place: &RepositoryArgs, branch: &str, fix: Option<&str>) -> VerbResult {
    let pick_writer = PickWriter::open(place)?;
    let mut journal = waiting(&pick_writer)?;
    let waits = |line: &&mut Line| line.branch == branch && line.state.waits();
    let Some(line) = journal.lines.iter_mut().find(waits) else {
        let message = format!("cannot skip `{branch}`: it has no open conflict");
        return Err(Failure::new(Exit::BadInput, message));
    };
    let id = match fix {
        Some(fix) => pick_writer.value(&format!("{fix}^{{commit}}"))?,
        None => String::new(),
    };
    if fix.is_some() && !line.state.picks(&id) {
        // After a kill, the recorded state can be older than the worktree.
        *line = conflict::refresh_progress(&pick_writer, line);
    }
    let was = line.clone();
    line.state = match fix {
        Some(fix) => without(line, &id, fix)?,
        None => State::Skipped,
    };
    if line.state == State::Skipped {
        journal.save(&pick_writer.git_dir)?;
        worktree::remove(&pick_writer, &was)?;
    } else {
        // The worktree changes before the journal. After a kill in between, the skip is lost,
        // and can be repeated.
        if was.state.picks(&id) {
            worktree::leave(&pick_writer, &was)?;
        }
        journal.save(&pick_writer.git_dir)?;
    }
    continue_journal(place, &pick_writer, journal)
}

/// The state of a branch after one of its fixes is left out.
fn without(line: &Line, id: &str, fix: &str) -> Result<State, Failure> {
    let message = format!("cannot skip `{fix}`: it is not waiting on {}", line.branch);
    let none = || Failure::new(Exit::BadInput, message.clone());
    let State::Conflict { base, left } = &line.state else { return Err(none()) };
    if !left.iter().any(|one| one == id) {
        return Err(none());
    }
    let left: Vec<String> = left.iter().filter(|one| *one != id).cloned().collect();
    let nothing = left.is_empty() && *base == line.began;
    Ok(if nothing { State::Skipped } else { State::Conflict { base: base.clone(), left } })
}

/// Undoes a run, finished or not.
pub(crate) fn undo(place: &RepositoryArgs, open_only: bool) -> VerbResult {
    let pick_writer = PickWriter::open(place)?;
    let journal = if open_only {
        waiting(&pick_writer)?
    } else {
        let none = || Failure::new(Exit::BadInput, "cannot undo: there is no backport");
        Journal::load(&pick_writer.git_dir)?.ok_or_else(none)?
    };
    let UndoResult { was, kept } = pick_writer.undo_run(&journal)?;
    let to = if journal.has_pushed || journal.tried { journal.pushed.as_str() } else { "" };
    if place.json {
        say_json(&json!({ "undone": true, "was": was, "left": kept, "pushed": to }));
    } else {
        was.iter().for_each(|(reference, id)| tell(&format!("{reference} was {id}")));
        kept.iter().for_each(|what| say(&format!("not undone: {what}")));
        say(&match to {
            "" => "the undo is complete".to_string(),
            to if journal.has_pushed => {
                format!("the undo is complete here; the pushed commits are still on {to}")
            }
            to => format!("the undo is complete here; {to} keeps what it accepted of the push"),
        });
        if let Some(delete) = deletes(&journal).filter(|_| journal.has_pushed) {
            say(&format!("  {delete}"));
        }
    }
    Ok(done(if kept.is_empty() { Exit::Accepted } else { Exit::Rejected }))
}
