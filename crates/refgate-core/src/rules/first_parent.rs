//! Does a stage's own line of history stay its first-parent chain?

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::{Case, Finding, RefChange, RuleId, TipRelation, Requirement, Violation};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let finding = |update, landing, what| Finding {
        rule: RuleId::FirstParent,
        update,
        landing,
        what,
        requirement: Requirement::Never,
    };
    let mut found = Vec::new();
    for item in case.items() {
        if let (RefChange::Move { old, new }, Some(TipRelation::Foxtrot), Some(_)) =
            (item.update.change, item.facts.shape, case.target(&item))
        {
            found.push(finding(item.index, None, Violation::Foxtrot { old, new }));
        }
    }
    for one in landed {
        let Some(commit) = case.history.commit(one.landing.commit) else { continue };
        let mut distinct = commit.parents.clone();
        distinct.sort();
        distinct.dedup();
        if commit.parents.len() > 2 || distinct.len() < commit.parents.len() {
            let what = Violation::Octopus { parents: commit.parents.len() };
            found.push(finding(one.item.index, Some(commit.id), what));
        }
    }
    found
}
