//! Would a stage lose commits that it has?

use alloc::vec::Vec;

use crate::case::Landed;
use crate::{Case, Finding, RefChange, RuleId, Shape, Takes, What};

pub(super) fn check(case: &Case<'_>, _: &[Landed<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        let RefChange::Move { old, new } = item.update.change else { continue };
        if case.target(&item).is_none() || item.facts.shape == Some(Shape::Onward) {
            continue;
        }
        let what = match item.facts.shape {
            Some(Shape::Foxtrot) => continue,
            Some(_) => What::Rewritten { old, new },
            None if item.facts.not_a_commit => continue,
            None => What::FactMissing { fact: "how the old and the new tip relate" },
        };
        found.push(Finding {
            rule: RuleId::Rewrite,
            update: item.index,
            landing: None,
            what,
            takes: Takes::Never,
        });
    }
    found
}
