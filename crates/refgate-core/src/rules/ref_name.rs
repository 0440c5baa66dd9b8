//! Is the name of each reference safe, and its namespace open to pushes?

use alloc::vec::Vec;

use crate::case::{Item, Landed};
use crate::{Case, Finding, RefChange, RefKind, RuleId, Takes, Target, What};

pub(super) fn check(case: &Case<'_>, _: &[Landed<'_>]) -> Vec<Finding> {
    case.items().filter_map(|item| objection(case, &item).map(|what| finding(&item, what))).collect()
}

fn finding(item: &Item<'_>, what: What) -> Finding {
    Finding { rule: RuleId::RefName, update: item.index, landing: None, what, takes: Takes::Never }
}

fn objection(case: &Case<'_>, item: &Item<'_>) -> Option<What> {
    let kind = case.policy.kind(&item.update.name);
    if matches!(kind, RefKind::Records | RefKind::Forbidden) {
        return Some(What::NameReserved);
    }
    if let Some(target) = &item.facts.alias_of {
        return Some(What::NameAlias { target: target.clone() });
    }
    if let Some(name) = &item.facts.resembles {
        return Some(What::NameResembles { name: name.clone() });
    }
    if matches!(kind, RefKind::Blocks) && item.update.change.new_value().is_some() {
        return Some(What::NameBlocks);
    }
    let creates = matches!(item.update.change, RefChange::Create { .. });
    match kind {
        RefKind::Governed(_) if item.facts.not_a_commit => Some(What::NotACommit),
        RefKind::Governed(target) if creates && !case.history.tips.is_empty() => {
            let (stages, line) = item.facts.begins_at;
            let known = match target {
                // A new stage begins with what some stage has shown.
                Target::Stage(..) => stages != 0,
                // A line is production: it begins with what production has shown.
                Target::Line(_) => line || stages & production(case) != 0,
            };
            (!known).then_some(What::StageCreated)
        }
        RefKind::Release(_) if item.facts.not_a_commit => Some(What::NotACommit),
        _ => None,
    }
}

/// The production stages, as bits.
fn production(case: &Case<'_>) -> u32 {
    let stages = case.policy.flow.stages.iter().enumerate();
    let production = stages.filter(|(_, stage)| stage.production);
    production.fold(0, |bits, (place, _)| bits | 1 << place)
}
