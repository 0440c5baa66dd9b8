//! Requires that a promotion to staging was named a release candidate.

use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, promotions};
use crate::rules::Properties;
use crate::{Case, Finding, Oid, RecordId, Requirement, RuleId, Target};

/// What a promotion to staging breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CandidateViolation {
    /// The promoted tree was not named a release candidate.
    NotACandidate {
        /// The commit.
        commit: Oid,
    },
    /// The candidate with this tree failed its user acceptance test.
    Failed {
        /// The commit.
        commit: Oid,
        /// The record of the candidate.
        candidate: RecordId,
    },
}

pub(crate) const PROPERTIES: Properties = Properties { gate: true, ..Properties::DEFAULT };

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    if !case.policy.promotion.candidate {
        return Vec::new();
    }
    let before_production = |one: &&ClassifiedLanding<'_>| match one.target {
        Target::Stage(_, stage) => !stage.production,
        Target::Line(_) => false,
    };
    let promoted = promotions(case, landed).into_iter().map(|(one, _)| one);
    promoted.filter(before_production).filter_map(|one| judge(case, one)).collect()
}

fn judge(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<Finding> {
    let commit = case.history.commit(one.landing.commit)?;
    let same_tree = case.ledger.candidates.iter().filter(|c| c.tree == commit.tree);
    let mut known = same_tree.filter(|candidate| candidate.at <= case.push.at);
    let failed = known.clone().find(|candidate| one.item.standing_failure(case, candidate).is_some());
    let violation = match (failed, known.next()) {
        (Some(failed), _) => CandidateViolation::Failed { commit: commit.id, candidate: failed.id },
        (None, Some(_)) => return None,
        (None, None) => CandidateViolation::NotACandidate { commit: commit.id },
    };
    Some(Finding {
        rule: RuleId::Candidate,
        update: one.item.index,
        landing: Some(one.landing.commit),
        violation: violation.into(),
        requirement: Requirement::Needs { role: case.policy.ledger.releases.clone() },
    })
}
