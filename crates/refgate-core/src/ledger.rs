//! What have people said, and what has been observed? The human facts, as values.
//!
//! Signatures are checked by whoever reads the ledger; what arrives here is
//! authentic and has happened at the moment at which the server received it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{ClassId, Instant, Interval, Oid, RefName};

/// Somebody agrees that one commit may do one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The rule whose question it answers, such as `freeze` or `policy-change`.
    pub rule: String,
    /// Who approves.
    pub by: String,
    /// The commit (or, for policy changes, the blob) that it binds.
    pub of: Oid,
    /// When the server received it.
    pub at: Instant,
}

/// A bounded exception (MODEL.md 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Its content's id.
    pub id: String,
    /// The one rule that it sets aside.
    pub rule: String,
    /// The one reference that it holds for.
    pub on: RefName,
    /// The only class that it holds for, if it says one.
    pub class: Option<ClassId>,
    /// The only commit that it holds for, if it says one.
    pub commit: Option<Oid>,
    /// Who granted it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it holds.
    pub during: Interval,
    /// How many landings it still lets through.
    pub uses_left: u32,
}

/// A sign-off of a stated meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOff {
    /// Such as `uat`, `classification`, `freeze-exit`.
    pub meaning: String,
    /// Who signs off.
    pub by: String,
    /// The commit that it binds, if it binds one.
    pub commit: Option<Oid>,
    /// The class, for classification disputes.
    pub class: Option<ClassId>,
    /// When the server received it.
    pub at: Instant,
}

/// Something that was observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Such as `production-run` or `notice`.
    pub kind: String,
    /// When the server received it.
    pub at: Instant,
}

/// A known problem that keeps a freeze closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// What people call it.
    pub name: String,
    /// When it is open.
    pub open: Interval,
}

/// "The next iteration has begun": it ends a derived freeze, early or late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextIteration {
    /// Who opened it.
    pub by: String,
    /// Why now.
    pub reason: String,
    /// When the server received it.
    pub at: Instant,
}

/// A request to delete a protected reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionRequest {
    /// The reference.
    pub name: RefName,
    /// The value that it had.
    pub value: Oid,
    /// Who asked.
    pub by: String,
    /// Who else agreed.
    pub approved_by: Option<String>,
    /// When the server received it; the cooling-off period begins.
    pub at: Instant,
}

/// All human facts that a decision may rest on.
#[derive(Debug, Clone, Default)]
pub struct LedgerView {
    /// Approvals.
    pub approvals: Vec<Approval>,
    /// Waivers.
    pub waivers: Vec<Waiver>,
    /// Sign-offs.
    pub sign_offs: Vec<SignOff>,
    /// Observations.
    pub evidence: Vec<Evidence>,
    /// Open problems.
    pub blockers: Vec<Blocker>,
    /// Iterations that were opened.
    pub iterations: Vec<NextIteration>,
    /// Deletion requests.
    pub deletions: Vec<DeletionRequest>,
}
