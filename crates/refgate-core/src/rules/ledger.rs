//! Is a push to the ledger nothing but new, signed, allowed and present records?

use alloc::vec::Vec;

use crate::case::{UpdateItem, ClassifiedLanding};
use crate::record_admission::refused;
use crate::{LedgerFormError, Case, Finding, LEDGER, RefKind, RuleId, Requirement, Violation};

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        if !matches!(case.policy.kind(&item.update.name), RefKind::Ledger) {
            continue;
        }
        let mut object = |what| found.push(finding(&item, what));
        match &item.facts.ledger_edit {
            None if item.update.change.new_value().is_none() => {
                object(Violation::LedgerBroken { broken: LedgerFormError::NotForward });
            }
            None if item.facts.not_a_commit => object(Violation::NotACommit),
            None => object(Violation::FactMissing { fact: "what the push does to the ledger" }),
            Some(edit) => {
                if let Some(broken) = &edit.broken {
                    object(Violation::LedgerBroken { broken: broken.clone() });
                }
                for record in &edit.appended {
                    if let Some(why) = refused(case, edit, record) {
                        let (kind, by) = (record.body.kind(), record.by.clone());
                        object(Violation::RecordRefused { record: record.id, kind, by, why });
                    }
                }
            }
        }
    }
    found
}

fn finding(item: &UpdateItem<'_>, what: Violation) -> Finding {
    debug_assert_eq!(item.update.name.as_str(), LEDGER);
    Finding { rule: RuleId::Ledger, update: item.index, landing: None, what, requirement: Requirement::Never }
}
