//! What would the server answer? Asked in a clone, before pushing.

use refgate_core::{
    Actor, History, Instant, LedgerView, Oid, Policy, Push, RefChange, RefName, RefUpdate,
};
use refgate_format::PolicySource;
use refgate_git::{GitError, Reader};

use crate::judge::{Judged, judge};

/// One thing that somebody wants to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
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
}

/// What was checked, ready to be told.
#[derive(Debug)]
pub struct Checked {
    /// The push as the server would see it; updates that change nothing are left out.
    pub push: Push,
    /// The facts and the decision.
    pub judged: Judged,
}

impl Checked {
    /// The facts.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.judged.history
    }
}

/// Judges wishes against what is at rest, as the reader sees it. Push options
/// are what `git push -o` would send.
///
/// # Errors
/// If a wish makes no sense, or a fact cannot be read.
pub fn check(
    reader: &Reader,
    policy: &Policy,
    source: &PolicySource,
    ledger: &LedgerView,
    (actor, at): (Option<Actor>, Instant),
    wishes: &[Wish],
    options: &[String],
) -> Result<Checked, CheckError> {
    let mut updates = Vec::new();
    for wish in wishes {
        updates.extend(update(reader, wish)?);
    }
    let push = Push { actor, at, updates, options: options.to_vec() };
    let judged = judge(reader, policy, source, &push, ledger, None)?;
    Ok(Checked { push, judged })
}

fn update(reader: &Reader, wish: &Wish) -> Result<Option<RefUpdate>, CheckError> {
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
