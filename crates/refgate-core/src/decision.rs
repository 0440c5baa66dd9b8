//! What was decided, and what determined it?

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Classification, Finding, FreezeState, Oid, RecordId, Route};

/// The verdict. `Undecided` is our fault, never the pusher's, and refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All may land.
    Accept,
    /// Something is forbidden.
    Reject,
    /// It could not be decided.
    Undecided,
}

impl Verdict {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Undecided => "undecided",
        }
    }
}

/// A finding that a waiver set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaivedFinding {
    /// The finding.
    pub finding: Finding,
    /// The waiver's record.
    pub waiver: RecordId,
}

/// One landing, as the decision saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedLanding {
    /// The place of the update.
    pub update: usize,
    /// The landing's commit.
    pub commit: Oid,
    /// How it came.
    pub route: Route,
    /// What it is.
    pub class: Classification,
}

/// The decision about a whole push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// What refuses.
    pub findings: Vec<Finding>,
    /// What a rule in `warn` mode says.
    pub warnings: Vec<Finding>,
    /// What waivers set aside.
    pub waived: Vec<WaivedFinding>,
    /// Every landing.
    pub landings: Vec<DecidedLanding>,
    /// The state of each of the policy's windows, in order.
    pub freezes: Vec<(String, FreezeState)>,
}
