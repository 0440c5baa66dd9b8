//! Would a stage lose commits that it has?

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::{Case, Finding, RefChange, RuleId, TipRelation, Requirement, Violation};

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        let RefChange::Move { old, new } = item.update.change else { continue };
        if case.target(&item).is_none() || item.facts.shape == Some(TipRelation::Onward) {
            continue;
        }
        let what = match item.facts.shape {
            Some(TipRelation::Foxtrot) => continue,
            Some(_) => Violation::Rewritten { old, new },
            None if item.facts.not_a_commit => continue,
            None => Violation::FactMissing { fact: "how the old and the new tip relate" },
        };
        found.push(Finding {
            rule: RuleId::Rewrite,
            update: item.index,
            landing: None,
            what,
            requirement: Requirement::Never,
        });
    }
    found
}
