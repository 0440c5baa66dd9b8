//! Was what is promoted to staging named as the release candidate that people will test?

use alloc::vec::Vec;

use crate::case::Landed;
use crate::{Case, Finding, Route, RuleId, Takes, What};

pub(super) fn check(case: &Case<'_>, landed: &[Landed<'_>]) -> Vec<Finding> {
    if !case.policy.promotion.candidate {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (place, one) in landed.iter().enumerate() {
        let before_production = match one.target {
            crate::Target::Stage(_, stage) => !stage.production,
            crate::Target::Line(_) => false,
        };
        // What counts is what the stage will hold: the last landing of the update.
        let last = landed.get(place + 1).is_none_or(|next| next.item.index != one.item.index);
        if before_production && last && matches!(one.route, Route::Promotion { .. }) {
            found.extend(judge(case, one));
        }
    }
    found
}

fn judge(case: &Case<'_>, one: &Landed<'_>) -> Option<Finding> {
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
        what: What::NoCandidate { commit: one.landing.commit, failed },
        takes: Takes::Needs { role: case.policy.ledger.releases.clone() },
    })
}
