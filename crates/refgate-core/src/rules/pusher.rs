//! May this person push to this stage?

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::{Case, Finding, RefKind, RuleId, Requirement, Violation};

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        // Release tags belong to production: who may push there may release.
        let target = match case.policy.kind(&item.update.name) {
            RefKind::Governed(target) => Some(target),
            RefKind::Release(_) => case
                .policy
                .flow
                .production()
                .and_then(|(_, stage)| case.policy.flow.target(&stage.branch)),
            _ => None,
        };
        let Some(target) = target else { continue };
        let roles = target.pushers();
        let actor = case.push.actor.as_ref().map(|actor| actor.0.as_str());
        let may = |role: &str| actor.is_some_and(|who| case.policy.roles.has(who, role));
        if roles.is_empty() || roles.iter().any(|role| may(role)) {
            continue;
        }
        let role = roles.first().cloned().unwrap_or_default();
        found.push(Finding {
            rule: RuleId::Pusher,
            update: item.index,
            landing: None,
            what: Violation::NotAllowed { actor: actor.map(ToString::to_string), roles: roles.to_vec() },
            requirement: Requirement::Needs { role },
        });
    }
    found
}
