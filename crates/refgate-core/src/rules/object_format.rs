//! Is every new commit of a stage written as Git writes commits?

use alloc::vec::Vec;

use crate::case::Landed;
use crate::{Case, Finding, RuleId, Takes, What};

pub(super) fn check(case: &Case<'_>, landed: &[Landed<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in landed {
        let ids = one.landing.side.iter().chain([&one.landing.commit]);
        for commit in ids.filter_map(|id| case.history.commit(*id)) {
            if let Some(defect) = &commit.defect {
                found.push(Finding {
                    rule: RuleId::ObjectFormat,
                    update: one.item.index,
                    landing: Some(one.landing.commit),
                    what: What::Malformed { commit: commit.id, defect: defect.clone() },
                    takes: Takes::Never,
                });
            }
        }
    }
    found
}
