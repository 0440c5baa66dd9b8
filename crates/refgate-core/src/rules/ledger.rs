//! Requires that a push to the ledger only appends signed and permitted records.

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, UpdateItem};
use crate::record_admission::find_rejection;
use crate::rules::Properties;
use crate::{
    Case, Finding, LEDGER, LedgerFormError, RecordId, RecordRejection, RefKind, Requirement,
    RuleId, rules,
};

/// What is wrong with a push to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerViolation {
    /// The pushed value is not a commit.
    NotACommit,
    /// The push does not have the form of an append.
    Form {
        /// What is wrong.
        error: LedgerFormError,
    },
    /// A record is not accepted.
    Record {
        /// The record.
        record: RecordId,
        /// Its kind.
        kind: &'static str,
        /// Its signer.
        by: String,
        /// Why it is not accepted.
        why: RecordRejection,
    },
}

pub(crate) const PROPERTIES: Properties =
    Properties { waivable: false, optional: false, ..Properties::DEFAULT };

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        if !matches!(case.policy.kind(&item.update.name), RefKind::Ledger) {
            continue;
        }
        let mut report = |violation: rules::Violation| found.push(finding(&item, violation));
        match &item.facts.ledger_edit {
            None if item.update.change.new_value().is_none() => {
                report(LedgerViolation::Form { error: LedgerFormError::NotForward }.into());
            }
            None if item.facts.not_a_commit => report(LedgerViolation::NotACommit.into()),
            None => {
                let fact = "what the push does to the ledger";
                report(rules::Violation::FactMissing { fact });
            }
            Some(edit) => {
                if let Some(error) = &edit.broken {
                    report(LedgerViolation::Form { error: error.clone() }.into());
                }
                for record in &edit.appended {
                    if let Some(why) = find_rejection(case, edit, record) {
                        let (kind, by) = (record.body.kind(), record.by.clone());
                        report(LedgerViolation::Record { record: record.id, kind, by, why }.into());
                    }
                }
            }
        }
    }
    found
}

fn finding(item: &UpdateItem<'_>, violation: rules::Violation) -> Finding {
    debug_assert_eq!(item.update.name.as_str(), LEDGER);
    Finding {
        rule: RuleId::Ledger,
        update: item.index,
        landing: None,
        violation,
        requirement: Requirement::Never,
    }
}
