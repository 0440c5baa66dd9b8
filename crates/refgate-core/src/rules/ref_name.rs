//! Requires that every ref name is safe and that its namespace accepts pushes.

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, UpdateItem};
use crate::rules::Properties;
use crate::{Case, Finding, RefChange, RefKind, Requirement, RuleId, Target};

/// What is wrong with a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefNameViolation {
    /// The namespace belongs to refgate, or changes what Git reads.
    Reserved,
    /// The name can be confused with a protected name.
    Resembles {
        /// The protected name.
        name: String,
    },
    /// A protected ref could not exist beside this name.
    Blocks,
    /// The name is a symbolic ref.
    Alias {
        /// The ref that it stands for.
        target: String,
    },
    /// The new value of a governed branch or release tag is not a commit.
    NotACommit,
    /// A governed branch would start at a commit that no stage has.
    StageCreated,
}

pub(crate) const PROPERTIES: Properties =
    Properties { waivable: false, optional: false, ..Properties::DEFAULT };

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    case.items().filter_map(|item| judge(case, &item).map(|what| finding(&item, what))).collect()
}

fn finding(item: &UpdateItem<'_>, violation: RefNameViolation) -> Finding {
    Finding {
        rule: RuleId::RefName,
        update: item.index,
        landing: None,
        violation: violation.into(),
        requirement: Requirement::Never,
    }
}

fn judge(case: &Case<'_>, item: &UpdateItem<'_>) -> Option<RefNameViolation> {
    let kind = case.policy.kind(&item.update.name);
    if matches!(kind, RefKind::Records | RefKind::Forbidden) {
        return Some(RefNameViolation::Reserved);
    }
    if let Some(target) = &item.facts.alias_of {
        return Some(RefNameViolation::Alias { target: target.clone() });
    }
    if let Some(name) = &item.facts.resembles {
        return Some(RefNameViolation::Resembles { name: name.clone() });
    }
    if matches!(kind, RefKind::Blocks) && item.update.change.new_value().is_some() {
        return Some(RefNameViolation::Blocks);
    }
    let creates = matches!(item.update.change, RefChange::Create { .. });
    match kind {
        RefKind::Governed(_) if item.facts.not_a_commit => Some(RefNameViolation::NotACommit),
        RefKind::Governed(target) if creates && !case.history.tips.is_empty() => {
            let (stages, line) = item.facts.former_tip_of;
            let known = match target {
                // A new stage starts at a commit that was the tip of a stage.
                Target::Stage(..) => stages != 0,
                // A line is production: it starts at a commit that was in production.
                Target::Line(_) => line || stages & production(case) != 0,
            };
            (!known).then_some(RefNameViolation::StageCreated)
        }
        RefKind::Release(_) if item.facts.not_a_commit => Some(RefNameViolation::NotACommit),
        _ => None,
    }
}

/// The production stages, as bits.
fn production(case: &Case<'_>) -> u32 {
    let stages = case.policy.flow.stages.iter().enumerate();
    let production = stages.filter(|(_, stage)| stage.production);
    production.fold(0, |bits, (place, _)| bits | 1 << place)
}
