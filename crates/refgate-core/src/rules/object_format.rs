//! Is every new commit of a stage written as Git writes commits?

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::{Case, Finding, RuleId, Requirement, Violation};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in landed {
        let ids = one.landing.side.iter().chain([&one.landing.commit]);
        for commit in ids.filter_map(|id| case.history.commit(*id)) {
            if let Some(defect) = &commit.defect {
                found.push(Finding {
                    rule: RuleId::ObjectFormat,
                    update: one.item.index,
                    landing: Some(one.landing.commit),
                    what: Violation::Malformed { commit: commit.id, defect: defect.clone() },
                    requirement: Requirement::Never,
                });
            }
        }
    }
    found
}
