//! Computes in a clone the decision that the server would make about a push. It pushes nothing.

use refgate_core::{
    Actor, Case, Finding, Instant, Oid, Policy, Push, RefChange, RefName, RefUpdate,
};
use refgate_git::{GitError, Reader};

use crate::judge::{JudgedPush, ServerState, judge};
use crate::ledger_reader::LedgerError;

/// One ref update that a person wants to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedUpdate {
    /// The revision; `None` deletes the ref.
    pub revision: Option<String>,
    /// The ref on the server.
    pub name: RefName,
}

/// Why a proposed update cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The revision names no commit.
    #[error("cannot find `{revision}` in this repository: {why}")]
    Revision {
        /// The revision.
        revision: String,
        /// The cause.
        why: String,
    },
    /// The ref to delete does not exist.
    #[error("cannot delete `{0}`: it does not exist on the server")]
    Absent(RefName),
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A checked push with its decision.
#[derive(Debug)]
pub struct CheckResult {
    /// The push as the server would receive it, without the updates that change nothing.
    pub push: Push,
    /// The facts and the decision.
    pub judged: JudgedPush,
}

impl CheckResult {
    /// The case that was decided.
    #[must_use]
    pub const fn case<'a>(&'a self, policy: &'a Policy) -> Case<'a> {
        let JudgedPush { history, ledger, .. } = &self.judged;
        Case { policy, push: &self.push, history, ledger }
    }
}

/// Judges proposed updates against the refs that the reader sees. `options` are the push
/// options that `git push -o` would send.
///
/// # Errors
/// Returns an error if an update is not possible, or a fact cannot be read.
pub fn check(
    rest: &ServerState<'_>,
    (actor, at): (Option<Actor>, Instant),
    proposed_updates: &[ProposedUpdate],
    options: &[String],
) -> Result<CheckResult, CheckError> {
    let mut updates = Vec::new();
    for proposed_update in proposed_updates {
        updates.extend(update(rest.reader, proposed_update)?);
    }
    let push = Push { actor, at, updates, options: options.to_vec() };
    let judged = judge(rest, &push)?;
    Ok(CheckResult { push, judged })
}

/// Freeze windows can follow one another. After this number of windows, the search ends.
const MOST_STEPS: usize = 100;

/// Checks proposed updates at the earliest time from `at` on at which no finding waits for a
/// later time. If something else is missing then, the findings of the result name it.
///
/// # Errors
/// Returns the errors of [`check`].
pub fn find_earliest(
    rest: &ServerState<'_>,
    (actor, at): (Option<Actor>, Instant),
    proposed_updates: &[ProposedUpdate],
) -> Result<CheckResult, CheckError> {
    let mut checked = check(rest, (actor.clone(), at), proposed_updates, &[])?;
    for _ in 0..MOST_STEPS {
        let findings = &checked.judged.decision.findings;
        let next = findings.iter().filter_map(Finding::not_before).max();
        let Some(next) = next.filter(|next| *next > checked.push.at) else { break };
        checked = check(rest, (actor.clone(), next), proposed_updates, &[])?;
    }
    Ok(checked)
}

fn update(
    reader: &Reader,
    proposed_update: &ProposedUpdate,
) -> Result<Option<RefUpdate>, CheckError> {
    let old = reader.reference(&proposed_update.name)?.map(|(id, _)| id);
    let new = proposed_update
        .revision
        .as_ref()
        .map(|revision| value(reader, revision, &proposed_update.name));
    let change = match (old, new.transpose()?) {
        (Some(old), Some(new)) if old == new => return Ok(None),
        (Some(old), Some(new)) => RefChange::Move { old, new },
        (None, Some(new)) => RefChange::Create { new },
        (Some(old), None) => RefChange::Delete { old },
        (None, None) => return Err(CheckError::Absent(proposed_update.name.clone())),
    };
    Ok(Some(RefUpdate { name: proposed_update.name.clone(), change }))
}

/// Resolves a revision: to any object for a tag, and to a commit for another ref.
fn value(reader: &Reader, revision: &str, name: &RefName) -> Result<Oid, CheckError> {
    let found = if name.tag_name().is_some() {
        reader.resolve_object(revision)
    } else {
        reader.resolve(revision)
    };
    found.map_err(|error| CheckError::Revision {
        revision: revision.to_string(),
        why: error.to_string(),
    })
}
