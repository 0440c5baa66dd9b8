//! Checks the right of a signer to make a record, when the record arrives and when it is used.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{EvidenceKind, Meaning, Policy, Record, RecordBody, RuleId};

/// The roles that may make a record, of which its maker needs one; `None`: every signer.
#[must_use]
pub fn roles_that_may_make(policy: &Policy, body: &RecordBody) -> Option<Vec<String>> {
    let ledger = &policy.ledger;
    let one = |role: &String| Some(Vec::from([role.clone()]));
    match body {
        RecordBody::Approval { rule, .. } => Some(approvers(policy, *rule)),
        RecordBody::SignOff { meaning, .. } => Some(signers(policy, *meaning)),
        RecordBody::Waiver { .. }
        | RecordBody::Settlement { .. }
        | RecordBody::Classification { .. } => one(&policy.waivers.approvers),
        RecordBody::NotApplicable { .. } => one(&policy.debts.approvers),
        RecordBody::Freeze { .. } | RecordBody::Thaw { .. } => one(&ledger.freezes),
        RecordBody::FreezeExit { .. } => Some(exit_signers(policy)),
        RecordBody::Iteration { .. } => one(&ledger.releases),
        RecordBody::Evidence { what: EvidenceKind::Blocker, .. }
        | RecordBody::DeletionRequest { .. } => None,
        RecordBody::Evidence { .. } => one(&ledger.evidence),
        RecordBody::ReleaseOpen { .. }
        | RecordBody::ReleaseFinish { .. }
        | RecordBody::Candidate { .. } => one(&ledger.releases),
        RecordBody::UatFailed { .. } => {
            let mut roles = signers(policy, Meaning::Uat);
            roles.push(ledger.releases.clone());
            Some(roles)
        }
        RecordBody::Withdrawal { .. } => None,
        // Who records the absence of somebody else needs a part in the release.
        RecordBody::Absence { .. } => {
            let gate = policy.gate.sign_offs.iter().map(|wanted| wanted.role.clone());
            Some(gate.chain([ledger.releases.clone()]).collect())
        }
        RecordBody::Certificate { .. } => one(&ledger.trainers),
    }
}

/// Whether a person may withdraw a failure: one who could have recorded it.
#[must_use]
pub(crate) fn may_withdraw_failure(policy: &Policy, person: &str, failure: &RecordBody) -> bool {
    let roles = roles_that_may_make(policy, failure).unwrap_or_default();
    roles.iter().any(|role| policy.roles.has(person, role))
}

/// Whether the maker of a record may make it.
#[must_use]
pub fn may_make(policy: &Policy, record: &Record) -> bool {
    // Everybody records their own absence.
    let own = matches!(&record.body, RecordBody::Absence { person, .. } if *person == record.by);
    own || roles_that_may_make(policy, &record.body)
        .is_none_or(|roles| roles.iter().any(|role| policy.roles.has(&record.by, role)))
}

fn approvers(policy: &Policy, rule: RuleId) -> Vec<String> {
    match rule {
        RuleId::Freeze => policy.windows.iter().map(|w| w.approvers.clone()).collect(),
        RuleId::Backport => Vec::from([policy.backport.approvers.clone()]),
        RuleId::PolicyChange => Vec::from([policy.protect.approvers.clone()]),
        RuleId::Deletion => Vec::from([policy.deletion.approvers.clone()]),
        _ => Vec::new(),
    }
}

fn signers(policy: &Policy, meaning: Meaning) -> Vec<String> {
    let wanted = policy.gate.sign_offs.iter().filter(|wanted| wanted.meaning == meaning);
    wanted.map(|wanted| wanted.role.clone()).collect()
}

fn exit_signers(policy: &Policy) -> Vec<String> {
    let roles = policy.windows.iter().filter_map(|window| match &window.span {
        crate::WindowSpan::AfterMajorRelease { exit, .. } => exit.sign_off.clone(),
        crate::WindowSpan::Fixed(_) => None,
    });
    roles.collect()
}
