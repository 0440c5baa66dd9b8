//! Why is a record refused, and which sign-off is missing?

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Duration, Instant, Meaning, Oid, RecordId, RefName, RuleId};

/// Why a record is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordRejection {
    /// Its maker has none of the roles that may make it.
    Role(Vec<String>),
    /// Its moment is not the server's present.
    Moment {
        /// The moment that it names.
        at: Instant,
        /// How far it may lie behind.
        tolerance: Duration,
    },
    /// It speaks of another repository.
    Repository {
        /// The one that it names.
        named: String,
        /// This one.
        here: String,
    },
    /// It lasts longer than the policy allows, or ends before it begins.
    Lasts {
        /// The longest.
        longest: Duration,
    },
    /// It lets more through than the policy allows.
    Uses {
        /// The most.
        most: u32,
    },
    /// The rule knows no exception, or no approval.
    Rule(RuleId),
    /// The record that it names is not in the ledger.
    Unknown(RecordId),
    /// It withdraws what somebody else made.
    NotTheirs(String),
    /// Another candidate is open, and not contained in this one.
    Another {
        /// The other's record.
        other: RecordId,
        /// Its commit.
        commit: Oid,
        /// Its release.
        release: String,
    },
    /// Its number does not follow.
    Number {
        /// The number that would.
        next: u32,
    },
    /// What it names is not here, or not so.
    Absent(String),
    /// It says something about its own maker that only others can.
    Own,
    /// What it withdraws has had its effect: a record of this kind.
    Final(&'static str),
    /// A name in it is not in the policy.
    Name(String),
    /// It speaks of a reference that no rule guards, so nothing can land there.
    Nowhere(RefName),
}

/// A sign-off that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSignOff {
    /// Its meaning.
    pub meaning: Meaning,
    /// The role.
    pub role: String,
    /// How many people have given it.
    pub have: u32,
    /// How many must.
    pub want: u32,
    /// The first path that re-opened it, where it stood for an earlier tree.
    pub reopened: Option<String>,
}
