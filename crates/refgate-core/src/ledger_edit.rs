//! Defines the facts about a push to the ledger and the errors in its form.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Oid, Record, RecordId};

/// The facts about a push to the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerEdit {
    /// The new records, oldest first.
    pub appended: Vec<Record>,
    /// The first error in its form.
    pub broken: Option<LedgerFormError>,
    /// The existing records that new records end, fail, settle or withdraw.
    pub named: Vec<(RecordId, Record)>,
    /// The new records that name something that does not exist, each with a description of it.
    pub absent: Vec<(RecordId, String)>,
    /// The candidates that were open before, of the releases of the new candidates.
    pub open: Vec<Record>,
    /// Pairs of candidate commits: the second contains the first.
    pub contained: Vec<(Oid, Oid)>,
}

/// Why the form of a push to the ledger is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerFormError {
    /// It does not extend the ledger.
    NotForward,
    /// A commit does not have exactly one parent.
    Merge {
        /// The commit.
        commit: Oid,
    },
    /// A commit does something other than add one file.
    NotOneFile {
        /// The commit.
        commit: Oid,
    },
    /// The path of a record is not the path that its content determines.
    Misplaced {
        /// Its path.
        path: String,
        /// The path that it must have.
        expected: String,
    },
    /// A file is not a record.
    Unreadable {
        /// Its path.
        path: String,
        /// The reason.
        why: String,
    },
    /// The signature of a record is not valid.
    Signature {
        /// Its path.
        path: String,
        /// The reason.
        why: String,
    },
}
