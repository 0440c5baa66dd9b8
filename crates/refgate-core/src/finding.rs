//! Findings: what a rule found, where in the push, and what would resolve it.
//!
//! A finding holds facts only. Sentences and commands are made from it in `refgate-report`.

use alloc::string::String;

use crate::{Instant, Oid, RuleId, Violation, rules};

/// What would resolve a finding (docs/design/model.md, "Decision").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// Only time has to pass, until this moment.
    Until(Instant),
    /// An approval.
    Needs {
        /// The role that can approve.
        role: String,
    },
    /// Another event must come first.
    WaitsFor(String),
    /// Nothing: the push must be made in another way.
    Never,
}

/// A violation of one rule at one place of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// The index of the ref update in the push.
    pub update: usize,
    /// The landing, if the finding is about one.
    pub landing: Option<Oid>,
    /// What the push breaks.
    pub violation: Violation,
    /// What would resolve it.
    pub requirement: Requirement,
}

impl Finding {
    /// The moment before which time alone cannot resolve the finding, if there is one.
    #[must_use]
    pub const fn not_before(&self) -> Option<Instant> {
        match (&self.requirement, &self.violation) {
            (Requirement::Until(end), _) => Some(*end),
            (_, Violation::Freeze(rules::freeze::FreezeViolation { earliest, .. })) => *earliest,
            _ => None,
        }
    }
}
