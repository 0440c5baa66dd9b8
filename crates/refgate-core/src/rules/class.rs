//! Is the class of new work declared, and does the diff agree with it?

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::{Case, ClassId, Finding, RuleId, Requirement, Violation};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in landed {
        if !one.is_new_work() || one.is_squash(case) {
            continue;
        }
        if one.landing.changes.is_none() && case.policy.classes.bounded() {
            found.push(finding(one, Violation::FactMissing { fact: "the changed paths" }));
        } else if one.class.contradiction.is_some() {
            found.push(finding(one, Violation::Contradicted { class: one.class.clone() }));
        } else if one.class.class == ClassId::UNCLASSIFIED && case.policy.declared_only {
            found.push(finding(one, Violation::Unclassified { class: one.class.clone() }));
        }
    }
    found
}

fn finding(one: &ClassifiedLanding<'_>, what: Violation) -> Finding {
    let landing = Some(one.landing.commit);
    Finding { rule: RuleId::Class, update: one.item.index, landing, what, requirement: Requirement::Never }
}
