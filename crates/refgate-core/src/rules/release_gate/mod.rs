//! Requires sign-offs and soak time for a promotion to production, and a trained pusher for
//! every update of production.

mod failures;
mod sign_offs;
mod training;

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, promotions};
use crate::freeze::after;
use crate::rules::Properties;
use crate::{
    CandidateFailure, Case, Duration, Finding, Instant, MissingSignOff, Oid, Requirement,
    RuleId, Target,
};

/// What a promotion to production lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseGateViolation {
    /// Sign-offs are missing.
    NotSignedOff {
        /// The tree that would be released.
        tree: Oid,
        /// The missing sign-offs.
        missing: Vec<MissingSignOff>,
    },
    /// A candidate with this content failed its user acceptance test.
    Failed {
        /// The release of the candidate.
        release: String,
        /// The number of the candidate.
        number: u32,
        /// The failure.
        failure: CandidateFailure,
        /// A role that can withdraw the failure.
        role: String,
    },
    /// The previous stage has not had the tree for long enough.
    NotSoaked {
        /// Since when it has the tree.
        since: Option<Instant>,
        /// How long it must have it.
        soak: Duration,
    },
    /// The pusher has no valid certificate.
    NotTrained {
        /// The pusher, if the transport identifies one.
        actor: Option<String>,
        /// The course.
        course: String,
        /// When a certificate expired, if there was one.
        expired: Option<Instant>,
    },
}

pub(crate) const PROPERTIES: Properties = Properties {
    gate: true,
    facts: |context| context.gate(),
    ..Properties::DEFAULT
};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (one, _) in promotions(case, landed) {
        let Target::Stage(_, stage) = one.target else { continue };
        if stage.production {
            let all = [
                sign_offs::judge(case, one),
                failures::judge(case, one),
                judge_soak(case, one),
            ];
            found.extend(all.into_iter().flatten().map(|(violation, requirement)| Finding {
                rule: RuleId::ReleaseGate,
                update: one.item.index,
                landing: Some(one.landing.commit),
                violation: violation.into(),
                requirement,
            }));
        }
    }
    found.extend(case.items().filter_map(|item| training::judge(case, &item)));
    found
}

fn judge_soak(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<(ReleaseGateViolation, Requirement)> {
    let soak = case.policy.gate.soak;
    let since = one.item.facts.soaking_since;
    if soak.is_zero() {
        return None;
    }
    let end = since.map(|since| after(since, soak));
    let requirement = match end {
        Some(end) if end <= case.push.at => return None,
        Some(end) => Requirement::Until(end),
        None => Requirement::WaitsFor(String::from("the previous stage")),
    };
    Some((ReleaseGateViolation::NotSoaked { since, soak }, requirement))
}
