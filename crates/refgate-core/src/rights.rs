//! Who may put what on record? Asked when a record arrives, and again when it is used.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Body, Meaning, Observed, Policy, Record, RuleId};

/// The roles of which a maker needs one; `None`: everybody who can sign.
#[must_use]
pub fn makers(policy: &Policy, body: &Body) -> Option<Vec<String>> {
    let ledger = &policy.ledger;
    let one = |role: &String| Some(Vec::from([role.clone()]));
    match body {
        Body::Approval { rule, .. } => Some(approvers(policy, *rule)),
        Body::SignOff { meaning, .. } => Some(signers(policy, *meaning)),
        Body::Waiver { .. } | Body::Settlement { .. } | Body::Classification { .. } => {
            one(&policy.waivers.approvers)
        }
        Body::NotApplicable { .. } => one(&policy.debts.approvers),
        Body::Freeze { .. } | Body::Thaw { .. } => one(&ledger.freezes),
        Body::FreezeExit { .. } => Some(exits(policy)),
        Body::Iteration { .. } => one(&ledger.releases),
        Body::Evidence { what: Observed::Blocker, .. } | Body::DeletionRequest { .. } => None,
        Body::Evidence { .. } => one(&ledger.evidence),
        Body::ReleaseOpen { .. } | Body::ReleaseFinish { .. } | Body::Candidate { .. } => {
            one(&ledger.releases)
        }
        Body::UatFailed { .. } => {
            let mut roles = signers(policy, Meaning::Uat);
            roles.push(ledger.releases.clone());
            Some(roles)
        }
        Body::Withdrawal { .. } => None,
        Body::Certificate { .. } => one(&ledger.trainers),
    }
}

/// Whether its maker may make this record.
#[must_use]
pub fn may_make(policy: &Policy, record: &Record) -> bool {
    makers(policy, &record.body)
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

fn exits(policy: &Policy) -> Vec<String> {
    let roles = policy.windows.iter().filter_map(|window| match &window.span {
        crate::Span::AfterMajorRelease { exit, .. } => exit.sign_off.clone(),
        crate::Span::Fixed(_) => None,
    });
    roles.collect()
}
