//! Requires that the declared class of a change agrees with its diff.

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::rules::Properties;
use crate::{Case, ClassId, Classification, Finding, Requirement, RuleId, rules};

/// What is wrong with the class of a landing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassViolation {
    /// The diff contains more than the declared class allows.
    Contradicted {
        /// The class that was found.
        class: Classification,
    },
    /// No class is declared, and the policy requires a declaration.
    Unclassified {
        /// The class that was found.
        class: Classification,
    },
}

pub(crate) const PROPERTIES: Properties =
    Properties { facts: |context| context.changes(), ..Properties::DEFAULT };

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in landed {
        if !one.is_new_work() || one.is_squash(case) {
            continue;
        }
        if one.landing.changes.is_none() && case.policy.classes.has_bounds() {
            let fact = "the changed paths";
            found.push(finding(one, rules::Violation::FactMissing { fact }));
        } else if one.class.contradiction.is_some() {
            let class = one.class.clone();
            found.push(finding(one, ClassViolation::Contradicted { class }.into()));
        } else if case.policy.declared_only && is_open(&one.class) {
            let class = one.class.clone();
            found.push(finding(one, ClassViolation::Unclassified { class }.into()));
        }
    }
    found
}

/// Whether nobody declared the class: a score is no declaration.
fn is_open(class: &Classification) -> bool {
    class.class == ClassId::UNCLASSIFIED || class.is_guess()
}

fn finding(one: &ClassifiedLanding<'_>, violation: rules::Violation) -> Finding {
    Finding {
        rule: RuleId::Class,
        update: one.item.index,
        landing: Some(one.landing.commit),
        violation,
        requirement: Requirement::Never,
    }
}
