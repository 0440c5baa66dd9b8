//! Requires that a governed branch keeps its first-parent chain.

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::rules::Properties;
use crate::{Case, Finding, Oid, RefChange, Requirement, RuleId, TipRelation};

/// What breaks the first-parent chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstParentViolation {
    /// The old tip is not on the first-parent chain of the new tip.
    Foxtrot {
        /// The tip that the server has.
        old: Oid,
        /// The pushed tip.
        new: Oid,
    },
    /// A commit has more than two parents, or the same parent twice.
    Octopus {
        /// The number of parents.
        parents: usize,
    },
}

pub(crate) const PROPERTIES: Properties = Properties::DEFAULT;

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let finding = |update, landing, violation: FirstParentViolation| Finding {
        rule: RuleId::FirstParent,
        update,
        landing,
        violation: violation.into(),
        requirement: Requirement::Never,
    };
    let mut found = Vec::new();
    for item in case.items() {
        if let (RefChange::Move { old, new }, Some(TipRelation::Foxtrot), Some(_)) =
            (item.update.change, item.facts.tip_relation, case.target(&item))
        {
            found.push(finding(item.index, None, FirstParentViolation::Foxtrot { old, new }));
        }
    }
    for one in landed {
        let Some(commit) = case.history.commit(one.landing.commit) else { continue };
        let mut distinct = commit.parents.clone();
        distinct.sort();
        distinct.dedup();
        if commit.parents.len() > 2 || distinct.len() < commit.parents.len() {
            let violation = FirstParentViolation::Octopus { parents: commit.parents.len() };
            found.push(finding(one.item.index, Some(commit.id), violation));
        }
    }
    found
}
