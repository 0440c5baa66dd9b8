//! Requires a trained pusher for every update of production.

use super::ReleaseGateViolation;
use crate::case::UpdateItem;
use crate::{Case, Finding, RefKind, Requirement, RuleId, Target};

/// Requires a certificate for every update of production, by whatever route it comes.
pub(super) fn judge(case: &Case<'_>, item: &UpdateItem<'_>) -> Option<Finding> {
    let course = case.policy.gate.course.as_ref().filter(|_| is_production(case, item))?;
    let actor = case.push.actor.as_ref().map(|actor| actor.0.clone());
    let own = case.ledger.certificates.iter().filter(|certificate| {
        certificate.course == *course && Some(&certificate.person) == actor.as_ref()
    });
    if own.clone().any(|certificate| certificate.during.contains(case.push.at)) {
        return None;
    }
    let expired = own.map(|certificate| certificate.during.end).max();
    let violation = ReleaseGateViolation::NotTrained { actor, course: course.clone(), expired };
    Some(Finding {
        rule: RuleId::ReleaseGate,
        update: item.index,
        landing: item.facts.landings.last().map(|landing| landing.commit),
        violation: violation.into(),
        requirement: Requirement::Needs { role: case.policy.ledger.trainers.clone() },
    })
}

/// Whether an update changes production: a production stage, a release line, or a release tag
/// (docs/design/model.md, "Promotion and release"). Nothing is in production before the first
/// push.
fn is_production(case: &Case<'_>, item: &UpdateItem<'_>) -> bool {
    if case.history.tips.is_empty() {
        return false;
    }
    match case.policy.kind(&item.update.name) {
        RefKind::Governed(Target::Stage(_, stage)) => stage.production,
        RefKind::Governed(Target::Line(_)) | RefKind::Release(_) => true,
        _ => false,
    }
}
