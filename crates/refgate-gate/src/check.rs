//! What would the server answer? Asked in a clone, before pushing.

use refgate_core::{
    Actor, Case, Finding, Instant, Oid, Policy, Push, RefChange, RefName, RefUpdate,
};
use refgate_git::{GitError, Reader};

use crate::judge::{JudgedPush, ServerState, judge};
use crate::ledger_reader::LedgerError;

/// One thing that somebody wants to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedUpdate {
    /// The revision; `None` deletes.
    pub revision: Option<String>,
    /// The reference on the server.
    pub name: RefName,
}

/// Why a wish cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The revision names no commit.
    #[error("`{revision}` names nothing here: {why}")]
    Revision {
        /// The revision.
        revision: String,
        /// Why.
        why: String,
    },
    /// There is nothing to delete.
    #[error("`{0}` does not exist on the server")]
    Absent(RefName),
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Book(#[from] LedgerError),
}

/// What was checked, ready to be told.
#[derive(Debug)]
pub struct CheckResult {
    /// The push as the server would see it; updates that change nothing are left out.
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

/// Judges wishes against what is at rest, as the reader sees it. Push options
/// are what `git push -o` would send.
///
/// # Errors
/// If a wish makes no sense, or a fact cannot be read.
pub fn check(
    rest: &ServerState<'_>,
    (actor, at): (Option<Actor>, Instant),
    wishes: &[ProposedUpdate],
    options: &[String],
) -> Result<CheckResult, CheckError> {
    let mut updates = Vec::new();
    for wish in wishes {
        updates.extend(update(rest.reader, wish)?);
    }
    let push = Push { actor, at, updates, options: options.to_vec() };
    let judged = judge(rest, &push)?;
    Ok(CheckResult { push, judged })
}

/// Windows may follow one another; after this many the answer is given as it stands.
const MOST_STEPS: usize = 100;

/// The earliest moment from `at` on at which wishes may land, as far as time
/// alone can bring it: then the last check accepts. What else is missing, its
/// findings say.
///
/// # Errors
/// As [`check`].
pub fn foretell(
    rest: &ServerState<'_>,
    (actor, at): (Option<Actor>, Instant),
    wishes: &[ProposedUpdate],
) -> Result<CheckResult, CheckError> {
    let mut checked = check(rest, (actor.clone(), at), wishes, &[])?;
    for _ in 0..MOST_STEPS {
        let findings = &checked.judged.decision.findings;
        let next = findings.iter().filter_map(Finding::not_before).max();
        let Some(next) = next.filter(|next| *next > checked.push.at) else { break };
        checked = check(rest, (actor.clone(), next), wishes, &[])?;
    }
    Ok(checked)
}

fn update(reader: &Reader, wish: &ProposedUpdate) -> Result<Option<RefUpdate>, CheckError> {
    let old = reader.reference(&wish.name)?.map(|(id, _)| id);
    let new = wish.revision.as_ref().map(|revision| value(reader, revision, &wish.name));
    let change = match (old, new.transpose()?) {
        (Some(old), Some(new)) if old == new => return Ok(None),
        (Some(old), Some(new)) => RefChange::Move { old, new },
        (None, Some(new)) => RefChange::Create { new },
        (Some(old), None) => RefChange::Delete { old },
        (None, None) => return Err(CheckError::Absent(wish.name.clone())),
    };
    Ok(Some(RefUpdate { name: wish.name.clone(), change }))
}

/// Tags are pushed as they are; to branches goes the commit.
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
