//! Rejects pushes that would remove commits from a governed branch.

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::rules::Properties;
use crate::{Case, Finding, Oid, RefChange, Requirement, RuleId, TipRelation, rules};

/// The push is not a fast-forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteViolation {
    /// The tip that the server has.
    pub old: Oid,
    /// The pushed tip.
    pub new: Oid,
}

pub(crate) const PROPERTIES: Properties = Properties::DEFAULT;

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        let RefChange::Move { old, new } = item.update.change else { continue };
        if case.target(&item).is_none() || item.facts.tip_relation == Some(TipRelation::Onward) {
            continue;
        }
        let violation = match item.facts.tip_relation {
            Some(TipRelation::Foxtrot) => continue,
            Some(_) => RewriteViolation { old, new }.into(),
            None if item.facts.not_a_commit => continue,
            None => rules::Violation::FactMissing { fact: "how the old and the new tip relate" },
        };
        found.push(Finding {
            rule: RuleId::Rewrite,
            update: item.index,
            landing: None,
            violation,
            requirement: Requirement::Never,
        });
    }
    found
}
