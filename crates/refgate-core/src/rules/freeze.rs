//! Rejects changes whose class a closed freeze window does not accept.

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::earliest::covers;
use crate::needs::Needs;
use crate::rules::Properties;
use crate::{
    Case, ClassId, Classification, FastTrack, Finding, Freeze, FreezeState, Instant, MissingEvidence,
    Requirement, Route, RuleId, When, earliest, freezes_at,
};

/// A freeze window blocks a landing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeViolation {
    /// The name of the window.
    pub window: String,
    /// Why the window exists.
    pub reason: String,
    /// The state of the freeze.
    pub state: FreezeState,
    /// When the freeze began.
    pub since: Option<Instant>,
    /// The release that opened it.
    pub release: Option<String>,
    /// The class that was found.
    pub class: Classification,
    /// When the class is accepted again by time alone.
    pub earliest: Option<Instant>,
    /// The evidence that the end of the freeze still needs.
    pub missing: Vec<MissingEvidence>,
    /// Whose approvals let this class through, if the window has a fast track.
    pub fast_track: Option<FastTrack>,
    /// The authors of the change who opened the next iteration. For it, they do not count.
    pub own_end: Vec<String>,
    /// The classes that the window accepts.
    pub lets_through: Vec<String>,
}

pub(crate) const PROPERTIES: Properties = Properties {
    approvable: true,
    facts: |context| if context.frozen { context.changes() } else { Needs::NONE },
    ..Properties::DEFAULT
};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let policy = case.policy;
    let all = freezes_at(policy, &case.history.releases, case.ledger, case.push.at);
    let mut found = Vec::new();
    for one in landed {
        // A merge that moves no content changes nothing for the users of the branch
        // (docs/design/model.md, "Flow").
        if one.route == Route::AncestryOnly {
            continue;
        }
        let covering = all.iter().filter(|freeze| covers(freeze.window, &one.target));
        let own = covering.map(|freeze| freeze.clone().for_change(|by| one.is_author(case, by)));
        let closed = own.filter(|freeze| freeze.state.closed());
        found.extend(closed.filter_map(|freeze| judge(case, one, &freeze)));
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
    let approved_by = one.approvers(case, RuleId::Freeze, &window.approvers);
    if fast && case.is_agreed(&approved_by, window.persons) {
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
    let violation = FreezeViolation {
        window: window.name.clone(),
        reason: window.reason.clone(),
        state: freeze.state,
        since: freeze.since,
        release: freeze.release.map(|release| release.tag.clone()),
        class: one.class.clone(),
        earliest,
        missing: freeze.missing.clone(),
        fast_track: fast.then(|| FastTrack {
            role: window.approvers.clone(),
            persons: window.persons,
            approved_by,
        }),
        own_end: freeze.ended_by.iter().filter(|by| one.is_author(case, by)).cloned().collect(),
        lets_through: window.lets_through.iter().map(name).collect(),
    };
    Some(Finding {
        rule: RuleId::Freeze,
        update: one.item.index,
        landing: Some(one.landing.commit),
        violation: violation.into(),
        requirement,
    })
}
