//! May this class go to a later stage or a release line without being promoted?

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::case::Landed;
use crate::{
    Case, ClassId, Eligibility, Finding, Receipt, Route, RuleId, Takes, What, eligibility,
};

pub(super) fn check(case: &Case<'_>, landed: &[Landed<'_>]) -> Vec<Finding> {
    landed.iter().filter_map(|one| judge(case, one).or_else(|| exact(case, one))).collect()
}

/// What Git makes of the original is the fast lane; what somebody changed on
/// the way is seen by somebody else.
fn exact(case: &Case<'_>, one: &Landed<'_>) -> Option<Finding> {
    let Route::Backport { of } = one.route else { return None };
    if !case.policy.backport.exact || one.target.is_first() || one.is_squash(case) {
        return None;
    }
    let role = &case.policy.backport.approvers;
    let (what, takes) = match &one.landing.receipt {
        Some(Receipt::Exact) => return None,
        Some(receipt @ Receipt::Marked { .. }) => {
            (What::NotExact { of, receipt: receipt.clone() }, Takes::Never)
        }
        Some(_) if one.approved(case, RuleId::Backport, role) => return None,
        Some(receipt) => {
            let takes = Takes::Needs { role: role.clone() };
            (What::NotExact { of, receipt: receipt.clone() }, takes)
        }
        None => (What::FactMissing { fact: "what git makes of the original" }, Takes::Never),
    };
    let landing = Some(one.landing.commit);
    Some(Finding { rule: RuleId::Backport, update: one.item.index, landing, what, takes })
}

fn judge(case: &Case<'_>, one: &Landed<'_>) -> Option<Finding> {
    if !one.is_new_work() || one.target.is_first() || one.is_squash(case) {
        return None;
    }
    // Words that nobody meant as a declaration open no way past the stages.
    let class = if one.class.is_guess() { ClassId::UNCLASSIFIED } else { one.class.effective() };
    let releases = &case.history.releases;
    let answer = eligibility(case.policy, releases, &one.target, class, case.push.at);
    let takes = match &answer {
        Eligibility::Yes => return None,
        Eligibility::Approval { role, .. } if one.approved(case, RuleId::Backport, role) => {
            return None;
        }
        Eligibility::Approval { role, .. } => Takes::Needs { role: role.clone() },
        Eligibility::Deferred { .. } => Takes::WaitsFor("the next iteration".to_string()),
        Eligibility::Never => Takes::Never,
    };
    let place = one.target.place();
    let previous = place.and_then(|place| case.policy.flow.previous(place));
    let what = What::NotEligible {
        class: one.class.clone(),
        route: one.route,
        eligibility: answer,
        previous: previous.map(|stage| stage.branch.short().to_string()),
    };
    let landing = Some(one.landing.commit);
    Some(Finding { rule: RuleId::Backport, update: one.item.index, landing, what, takes })
}
