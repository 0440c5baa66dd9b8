//! Defines why a record is rejected, and which sign-off is missing.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Duration, Instant, Meaning, Oid, RecordId, RefName, RuleId};

/// Why a record is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordRejection {
    /// Its maker has none of the roles that may make it. These are the roles.
    Role(Vec<String>),
    /// Its time differs too much from the clock of the server.
    Moment {
        /// The time in the record.
        at: Instant,
        /// How far it may be in the past.
        tolerance: Duration,
    },
    /// It applies to another repository.
    Repository {
        /// The repository that it names.
        named: String,
        /// The repositories of this ledger.
        here: String,
    },
    /// It lasts longer than the policy allows, or ends before it begins.
    Lasts {
        /// The longest time that is allowed.
        longest: Duration,
    },
    /// It lets no landing pass, or more than the policy allows.
    Uses {
        /// The largest number that is allowed.
        most: u32,
    },
    /// The rule has no waivers, or no approvals.
    Rule(RuleId),
    /// The ledger does not contain the record that it names.
    Unknown(RecordId),
    /// It withdraws a record of another person.
    NotTheirs(String),
    /// Another candidate is open, and this one does not contain it.
    Another {
        /// The record of the other candidate.
        other: RecordId,
        /// The commit of the other candidate.
        commit: Oid,
        /// The release of the other candidate.
        release: String,
    },
    /// It does not have the next number.
    Number {
        /// The next number.
        next: u32,
    },
    /// It ends a freeze while this blocker is open.
    Blocked(String),
    /// Something that it names does not exist, or not with the stated content.
    Absent(String),
    /// Its maker may not make it about themselves.
    Own,
    /// A record of this kind cannot be withdrawn, because it has already had its effect.
    Final(&'static str),
    /// The policy does not contain a name that it uses.
    Name(String),
    /// It names a ref that is not governed, so it can have no effect.
    Nowhere(RefName),
}

/// A sign-off that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSignOff {
    /// Its meaning.
    pub meaning: Meaning,
    /// The role that must sign off.
    pub role: String,
    /// The number of people who have signed off.
    pub have: u32,
    /// The number of people who must sign off.
    pub want: u32,
    /// The people who have not signed off, and can.
    pub open: Vec<String>,
    /// The first changed path that reopened a sign-off of an earlier tree.
    pub reopened: Option<String>,
}
