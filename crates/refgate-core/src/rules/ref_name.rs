//! Is the name of each reference safe, and its namespace open to pushes?

use alloc::vec::Vec;

use crate::case::{UpdateItem, ClassifiedLanding};
use crate::{Case, Finding, RefChange, RefKind, RuleId, Requirement, Target, Violation};

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    case.items().filter_map(|item| objection(case, &item).map(|what| finding(&item, what))).collect()
}

fn finding(item: &UpdateItem<'_>, what: Violation) -> Finding {
    Finding { rule: RuleId::RefName, update: item.index, landing: None, what, requirement: Requirement::Never }
}

fn objection(case: &Case<'_>, item: &UpdateItem<'_>) -> Option<Violation> {
    let kind = case.policy.kind(&item.update.name);
    if matches!(kind, RefKind::Records | RefKind::Forbidden) {
        return Some(Violation::NameReserved);
    }
    if let Some(target) = &item.facts.alias_of {
        return Some(Violation::NameAlias { target: target.clone() });
    }
    if let Some(name) = &item.facts.resembles {
        return Some(Violation::NameResembles { name: name.clone() });
    }
    if matches!(kind, RefKind::Blocks) && item.update.change.new_value().is_some() {
        return Some(Violation::NameBlocks);
    }
    let creates = matches!(item.update.change, RefChange::Create { .. });
    match kind {
        RefKind::Governed(_) if item.facts.not_a_commit => Some(Violation::NotACommit),
        RefKind::Governed(target) if creates && !case.history.tips.is_empty() => {
            let (stages, line) = item.facts.begins_at;
            let known = match target {
                // A new stage begins with what some stage has shown.
                Target::Stage(..) => stages != 0,
                // A line is production: it begins with what production has shown.
                Target::Line(_) => line || stages & production(case) != 0,
            };
            (!known).then_some(Violation::StageCreated)
        }
        RefKind::Release(_) if item.facts.not_a_commit => Some(Violation::NotACommit),
        _ => None,
    }
}

/// The production stages, as bits.
fn production(case: &Case<'_>) -> u32 {
    let stages = case.policy.flow.stages.iter().enumerate();
    let production = stages.filter(|(_, stage)| stage.production);
    production.fold(0, |bits, (place, _)| bits | 1 << place)
}
