//! Requires that every new commit is written as Git writes commits.

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::rules::Properties;
use crate::{Case, Finding, Oid, Requirement, RuleId};

/// Git and other readers could read the commit in different ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFormatViolation {
    /// The commit.
    pub commit: Oid,
    /// What is wrong with it.
    pub defect: String,
}

pub(crate) const PROPERTIES: Properties =
    Properties { waivable: false, optional: false, ..Properties::DEFAULT };

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in landed {
        let ids = one.landing.side.iter().chain([&one.landing.commit]);
        for commit in ids.filter_map(|id| case.history.commit(*id)) {
            if let Some(defect) = &commit.defect {
                let violation = ObjectFormatViolation { commit: commit.id, defect: defect.clone() };
                found.push(Finding {
                    rule: RuleId::ObjectFormat,
                    update: one.item.index,
                    landing: Some(one.landing.commit),
                    violation: violation.into(),
                    requirement: Requirement::Never,
                });
            }
        }
    }
    found
}
