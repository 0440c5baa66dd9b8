//! Was the deletion of a protected reference asked for, agreed to, and slept over?

use alloc::vec::Vec;

use crate::case::{UpdateItem, ClassifiedLanding};
use crate::freeze::after;
use crate::{Case, DeletionRequest, Finding, Oid, RefChange, RefKind, RuleId, Requirement, Violation};

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
    let agreed = request.is_some_and(|request| approved(case, request));
    let requirement = match end {
        Some(end) if agreed && end <= case.push.at => return None,
        Some(end) if agreed => Requirement::Until(end),
        _ => Requirement::Needs { role: rules.approvers.clone() },
    };
    let request = request.map(|request| request.by.clone()).zip(end);
    let what = Violation::Deleted { value, request, approved: agreed };
    Some(Finding { rule: RuleId::Deletion, update: item.index, landing: None, what, requirement })
}

fn approved(case: &Case<'_>, request: &DeletionRequest) -> bool {
    case.ledger.approvals.iter().any(|approval| {
        approval.rule == RuleId::Deletion
            && approval.on == request.name
            && approval.of == request.value
            && approval.by != request.by
            && approval.at >= request.at
            && case.policy.roles.has(&approval.by, &case.policy.deletion.approvers)
    })
}
