//! Requires that a policy change is alone in its push, valid, newer and approved.

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, UpdateItem};
use crate::rules::Properties;
use crate::{Case, Finding, Oid, Requirement, RuleId};

/// What is wrong with a policy change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyChangeViolation {
    /// The policy changes together with other refs.
    NotAlone,
    /// The new policy is not valid.
    Invalid {
        /// Why.
        problem: String,
    },
    /// The revision of the new policy does not grow.
    Revision {
        /// The revision in force.
        now: u64,
        /// The new revision.
        new: u64,
    },
    /// The new policy lacks approvals.
    NotApproved {
        /// The number of approvals.
        have: u32,
        /// The number that is required.
        want: u32,
        /// The role that approves.
        role: String,
        /// The tree of the new policy's folder, which approvals bind.
        folder: Oid,
    },
}

pub(crate) const PROPERTIES: Properties =
    Properties { waivable: false, approvable: true, optional: false, ..Properties::DEFAULT };

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    case.items().flat_map(|item| judge(case, &item)).collect()
}

fn judge(case: &Case<'_>, item: &UpdateItem<'_>) -> Vec<Finding> {
    let Some(edit) = &item.facts.policy_edit else { return Vec::new() };
    let mut found = Vec::new();
    let mut report = |violation: PolicyChangeViolation, requirement| {
        let (rule, violation) = (RuleId::PolicyChange, violation.into());
        found.push(Finding { rule, update: item.index, landing: None, violation, requirement });
    };
    if case.push.updates.len() > 1 {
        report(PolicyChangeViolation::NotAlone, Requirement::Never);
    }
    if let Some(problem) = &edit.problem {
        report(PolicyChangeViolation::Invalid { problem: problem.clone() }, Requirement::Never);
    } else if edit.revision <= case.policy.revision {
        let violation = PolicyChangeViolation::Revision { now: case.policy.revision, new: edit.revision };
        report(violation, Requirement::Never);
    }
    if let Some(folder) = edit.folder {
        let rules = &case.policy.protect;
        let have = approvals(case, item, folder);
        if have < rules.approvals {
            let role = rules.approvers.clone();
            let requirement = Requirement::Needs { role: role.clone() };
            report(
                PolicyChangeViolation::NotApproved { have, want: rules.approvals, role, folder },
                requirement,
            );
        }
    }
    found
}

/// The number of people who approved exactly this folder. The pusher and the authors
/// of the change do not count.
fn approvals(case: &Case<'_>, item: &UpdateItem<'_>, folder: Oid) -> u32 {
    let role = &case.policy.protect.approvers;
    let given = case.ledger.approvals.iter().filter(|approval| {
        approval.rule == RuleId::PolicyChange
            && approval.of == folder
            && approval.on == item.update.name
            && approval.at <= case.push.at
            && case.is_not_pusher(&approval.by)
            && !item.is_author(case, &approval.by)
            && case.policy.roles.has(&approval.by, role)
    });
    let mut people: Vec<&str> = given.map(|approval| approval.by.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    u32::try_from(people.len()).unwrap_or(u32::MAX)
}
