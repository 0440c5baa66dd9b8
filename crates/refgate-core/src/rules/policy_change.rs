//! Is a change of the policy alone, sound, newer, and agreed to?

use alloc::vec::Vec;

use crate::case::{UpdateItem, ClassifiedLanding};
use crate::{Case, Finding, Oid, RuleId, Requirement, Violation};

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    case.items().flat_map(|item| judge(case, &item)).collect()
}

fn judge(case: &Case<'_>, item: &UpdateItem<'_>) -> Vec<Finding> {
    let Some(edit) = &item.facts.policy_edit else { return Vec::new() };
    let mut found = Vec::new();
    let mut object = |what, requirement| {
        let rule = RuleId::PolicyChange;
        found.push(Finding { rule, update: item.index, landing: None, what, requirement });
    };
    if case.push.updates.len() > 1 {
        object(Violation::PolicyNotAlone, Requirement::Never);
    }
    if let Some(problem) = &edit.problem {
        object(Violation::PolicyBroken { problem: problem.clone() }, Requirement::Never);
    } else if edit.revision <= case.policy.revision {
        let what = Violation::PolicyRevision { now: case.policy.revision, new: edit.revision };
        object(what, Requirement::Never);
    }
    if let Some(folder) = edit.folder {
        let rules = &case.policy.protect;
        let have = approvals(case, item, folder);
        if have < rules.approvals {
            let role = rules.approvers.clone();
            let requirement = Requirement::Needs { role: role.clone() };
            object(Violation::PolicyNotApproved { have, want: rules.approvals, role, folder }, requirement);
        }
    }
    found
}

/// Approvals of exactly this folder by different people who neither push nor
/// wrote any of what lands with it.
fn approvals(case: &Case<'_>, item: &UpdateItem<'_>, folder: Oid) -> u32 {
    let role = &case.policy.protect.approvers;
    let given = case.ledger.approvals.iter().filter(|approval| {
        approval.rule == RuleId::PolicyChange
            && approval.of == folder
            && approval.on == item.update.name
            && approval.at <= case.push.at
            && case.is_not_pusher(&approval.by)
            && !item.wrote(case, &approval.by)
            && case.policy.roles.has(&approval.by, role)
    });
    let mut people: Vec<&str> = given.map(|approval| approval.by.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    u32::try_from(people.len()).unwrap_or(u32::MAX)
}
