//! Requires a request, an approval and a cooling-off period before a deletion.

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, UpdateItem};
use crate::freeze::after;
use crate::rules::Properties;
use crate::{
    Case, DeletionRequest, Finding, Instant, Oid, RefChange, RefKind, Requirement, RuleId,
};

/// A governed branch or a release tag would be deleted too early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionViolation {
    /// The value that the server has.
    pub value: Oid,
    /// The deletion request: who made it, and when its cooling-off period ends.
    pub request: Option<(String, Instant)>,
    /// Whether the request was approved.
    pub approved: bool,
}

pub(crate) const PROPERTIES: Properties =
    Properties { waivable: false, approvable: true, ..Properties::DEFAULT };

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        let RefChange::Delete { old } = item.update.change else { continue };
        let kind = case.policy.kind(&item.update.name);
        if matches!(kind, RefKind::Governed(_) | RefKind::Release(_)) {
            found.extend(judge(case, &item, old));
        }
    }
    found
}

fn judge(case: &Case<'_>, item: &UpdateItem<'_>, value: Oid) -> Option<Finding> {
    let rules = &case.policy.deletion;
    let request = case
        .ledger
        .deletions
        .iter()
        .filter(|request| request.name == item.update.name && request.value == value)
        .filter(|request| item.facts.created.is_none_or(|created| created <= request.at))
        .min_by_key(|request| request.at);
    let end = request.map(|request| after(request.at, rules.cooling_off));
    let approved = request.is_some_and(|request| is_approved(case, request));
    let requirement = match end {
        Some(end) if approved && end <= case.push.at => return None,
        Some(end) if approved => Requirement::Until(end),
        _ => Requirement::Needs { role: rules.approvers.clone() },
    };
    let request = request.map(|request| request.by.clone()).zip(end);
    let violation = DeletionViolation { value, request, approved }.into();
    Some(Finding {
        rule: RuleId::Deletion,
        update: item.index,
        landing: None,
        violation,
        requirement,
    })
}

fn is_approved(case: &Case<'_>, request: &DeletionRequest) -> bool {
    case.ledger.approvals.iter().any(|approval| {
        approval.rule == RuleId::Deletion
            && approval.on == request.name
            && approval.of == request.value
            && approval.by != request.by
            && approval.at >= request.at
            && case.policy.roles.has(&approval.by, &case.policy.deletion.approvers)
    })
}
