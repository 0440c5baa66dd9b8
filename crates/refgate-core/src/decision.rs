//! The decision about a push, and what it rests on.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Classification, Finding, FreezeState, Oid, RecordId, Route};

/// The verdict. A server rejects an undecided push, and says that the server is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Every update may land.
    Accept,
    /// A rule found a violation.
    Reject,
    /// The facts that were read are not sufficient.
    Undecided,
}

impl Verdict {
    /// The name in reports and in the audit log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Undecided => "undecided",
        }
    }
}

/// A finding that a waiver sets aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaivedFinding {
    /// The finding.
    pub finding: Finding,
    /// The records of the waivers, of as many people as the policy requires.
    pub waivers: Vec<RecordId>,
}

/// One landing, as the decision judged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedLanding {
    /// The index of the update in the push.
    pub update: usize,
    /// The commit of the landing.
    pub commit: Oid,
    /// The route of the landing.
    pub route: Route,
    /// The class of the landing.
    pub class: Classification,
}

/// The decision about a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// The findings that reject the push.
    pub findings: Vec<Finding>,
    /// The findings of rules in `warn` mode.
    pub warnings: Vec<Finding>,
    /// The findings that waivers set aside.
    pub waived: Vec<WaivedFinding>,
    /// All landings.
    pub landings: Vec<DecidedLanding>,
    /// The state of each freeze window of the policy, in its order.
    pub freezes: Vec<(String, FreezeState)>,
}
