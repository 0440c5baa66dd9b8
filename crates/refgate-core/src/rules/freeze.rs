//! Does a closed freeze window keep this class out?

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::earliest::covers;
use crate::{
    Case, ClassId, Finding, Freeze, Route, RuleId, Requirement, Violation, When, earliest, freezes_at,
};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let policy = case.policy;
    let all = freezes_at(policy, &case.history.releases, case.ledger, case.push.at);
    let closed: Vec<Freeze<'_>> = all.into_iter().filter(|f| f.state.closed()).collect();
    let mut found = Vec::new();
    for one in landed {
        // Joining histories without moving content disturbs nobody (docs/design/model.md, "Flow").
        if one.route == Route::AncestryOnly {
            continue;
        }
        let covering = closed.iter().filter(|freeze| covers(freeze.window, &one.target));
        found.extend(covering.filter_map(|freeze| judge(case, one, freeze)));
    }
    found
}

fn judge(case: &Case<'_>, one: &ClassifiedLanding<'_>, freeze: &Freeze<'_>) -> Option<Finding> {
    let window = freeze.window;
    let class = one.class.effective();
    if window.lets_through.contains(&class) {
        return None;
    }
    let fast = window.fast_track.contains(&class);
    if fast && one.approved(case, RuleId::Freeze, &window.approvers) {
        return None;
    }
    let when = earliest(case, &one.target, class);
    let requirement = match (&when, fast) {
        (_, true) => Requirement::Needs { role: window.approvers.clone() },
        (When::At(end), false) => Requirement::Until(*end),
        _ => Requirement::WaitsFor(window.name.clone()),
    };
    let earliest = match when {
        When::Now => None,
        When::At(at) => Some(at),
        When::Needs { from, .. } => (from > case.push.at).then_some(from),
    };
    let name = |id: &ClassId| case.policy.classes.name(*id);
    let lets_through: Vec<String> = window.lets_through.iter().map(name).collect();
    let what = Violation::Frozen {
        window: window.name.clone(),
        reason: window.reason.clone(),
        state: freeze.state,
        since: freeze.since,
        release: freeze.release.map(|release| release.tag.clone()),
        class: one.class.clone(),
        earliest,
        missing: freeze.missing.clone(),
        fast_track: fast.then(|| window.approvers.clone()),
        lets_through,
    };
    let landing = Some(one.landing.commit);
    Some(Finding { rule: RuleId::Freeze, update: one.item.index, landing, what, requirement })
}
