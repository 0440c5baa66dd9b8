//! What does a push do to the ledger, and what is wrong with its form?

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Oid, Record, RecordId};

/// What a push to the ledger does, as far as its form goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerEdit {
    /// The new records, oldest first.
    pub appended: Vec<Record>,
    /// The first thing about its form that cannot be accepted.
    pub broken: Option<LedgerFormError>,
    /// For records that end, fail or withdraw another: that other, if it is there.
    pub named: Vec<(RecordId, Record)>,
    /// What new records name and is not here so: the record, and what it is.
    pub absent: Vec<(RecordId, String)>,
    /// Candidates that were open before, of the releases that new ones belong to.
    pub open: Vec<Record>,
    /// Pairs of candidates' commits: the first is contained in the second.
    pub contained: Vec<(Oid, Oid)>,
}

/// Why a push to the ledger is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerFormError {
    /// It does not continue what is there.
    NotForward,
    /// A commit has more or fewer parents than one.
    Merge {
        /// The commit.
        commit: Oid,
    },
    /// A commit does other things than add one file.
    NotOneFile {
        /// The commit.
        commit: Oid,
    },
    /// The record lies where nobody would find it.
    Misplaced {
        /// Where it lies.
        path: String,
        /// Where it belongs.
        expected: String,
    },
    /// It is no record.
    Unreadable {
        /// Where it lies.
        path: String,
        /// Why not.
        why: String,
    },
    /// Its signature does not hold.
    Signature {
        /// Where it lies.
        path: String,
        /// Why not.
        why: String,
    },
}
