//! Is the name of each reference safe, and its namespace open to pushes?

use alloc::vec::Vec;

use crate::case::{Item, Landed};
use crate::{Case, Finding, RefChange, RefKind, RuleId, Takes, What};

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
    let creates = matches!(item.update.change, RefChange::Create { .. });
    match kind {
        RefKind::Governed(_) if item.facts.not_a_commit => Some(What::NotACommit),
        // A line may be opened where a production stage has been.
        RefKind::Governed(target) if creates && !item.facts.landings.is_empty() => {
            target.place().is_none().then_some(What::StageCreated)
        }
        RefKind::Release(_) if item.facts.not_a_commit => Some(What::NotACommit),
        _ => None,
    }
}
