//! Was what is promoted to staging named as the release candidate that people will test?

use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, promotions};
use crate::{Case, Finding, RuleId, Requirement, Violation};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    if !case.policy.promotion.candidate {
        return Vec::new();
    }
    let before_production = |one: &&ClassifiedLanding<'_>| match one.target {
        crate::Target::Stage(_, stage) => !stage.production,
        crate::Target::Line(_) => false,
    };
    let promoted = promotions(case, landed).into_iter().map(|(one, _)| one);
    promoted.filter(before_production).filter_map(|one| judge(case, one)).collect()
}

fn judge(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<Finding> {
    let commit = case.history.commit(one.landing.commit)?;
    let same = case.ledger.candidates.iter().filter(|c| c.tree == commit.tree);
    let mut same = same.filter(|candidate| candidate.at <= case.push.at);
    let failed_by = |at| at <= case.push.at;
    if same.clone().any(|candidate| !candidate.failed.is_some_and(failed_by)) {
        return None;
    }
    let failed = same.next().map(|candidate| candidate.id);
    Some(Finding {
        rule: RuleId::Candidate,
        update: one.item.index,
        landing: Some(one.landing.commit),
        what: Violation::NoCandidate { commit: one.landing.commit, failed },
        requirement: Requirement::Needs { role: case.policy.ledger.releases.clone() },
    })
}
