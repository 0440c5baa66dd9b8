//! Restricts pushes to a governed branch to certain roles.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::rules::Properties;
use crate::{Case, Finding, RefKind, Requirement, RuleId};

/// The pusher has none of the roles that may push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PusherViolation {
    /// The pusher, if the transport identifies one.
    pub actor: Option<String>,
    /// The roles that may push.
    pub roles: Vec<String>,
}

pub(crate) const PROPERTIES: Properties = Properties::DEFAULT;

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        // Release tags belong to production: the same roles may release.
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
        let violation = PusherViolation { actor: actor.map(ToString::to_string), roles: roles.to_vec() };
        found.push(Finding {
            rule: RuleId::Pusher,
            update: item.index,
            landing: None,
            violation: violation.into(),
            requirement: Requirement::Needs { role },
        });
    }
    found
}
