//! Is a push to the ledger nothing but new, signed, allowed and present records?

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::case::{Item, Landed};
use crate::{
    Body, Case, Duration, Finding, Instant, LEDGER, LedgerEdit, Record, RecordId, RefKind, Refused,
    RuleId, Takes, What, makers, may_make,
};

/// Clocks of honest machines differ; a record may be this far ahead.
const AHEAD: Duration = Duration::minutes(2);

pub(super) fn check(case: &Case<'_>, _: &[Landed<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        if !matches!(case.policy.kind(&item.update.name), RefKind::Ledger) {
            continue;
        }
        let mut object = |what| found.push(finding(&item, what));
        match &item.facts.ledger_edit {
            None if item.update.change.new_value().is_none() => object(What::NameReserved),
            None => object(What::FactMissing { fact: "what the push does to the ledger" }),
            Some(edit) => {
                if let Some(broken) = &edit.broken {
                    object(What::LedgerBroken { broken: broken.clone() });
                }
                for record in &edit.appended {
                    if let Some(why) = refused(case, edit, record) {
                        let (kind, by) = (record.body.kind(), record.by.clone());
                        object(What::RecordRefused { record: record.id, kind, by, why });
                    }
                }
            }
        }
    }
    found
}

fn finding(item: &Item<'_>, what: What) -> Finding {
    debug_assert_eq!(item.update.name.as_str(), LEDGER);
    Finding { rule: RuleId::Ledger, update: item.index, landing: None, what, takes: Takes::Never }
}

fn refused(case: &Case<'_>, edit: &LedgerEdit, record: &Record) -> Option<Refused> {
    let (policy, now) = (case.policy, case.push.at);
    let late = now.signed_duration_since(record.at);
    if late > policy.ledger.tolerance || late < -AHEAD {
        return Some(Refused::Moment { at: record.at, tolerance: policy.ledger.tolerance });
    }
    if !case.history.repositories.contains(&record.repository) {
        let here = case.history.repositories.join(", ");
        return Some(Refused::Repository { named: record.repository.clone(), here });
    }
    if !may_make(policy, record) {
        return Some(Refused::Role(makers(policy, &record.body).unwrap_or_default()));
    }
    by_kind(case, edit, record)
}

fn by_kind(case: &Case<'_>, edit: &LedgerEdit, record: &Record) -> Option<Refused> {
    let policy = case.policy;
    let named = |id: &RecordId| edit.named.iter().find(|(of, _)| of == id).map(|(_, r)| r);
    let within = |until: Instant, longest: Duration| {
        let length = until.signed_duration_since(record.at);
        (length <= Duration::zero() || length > longest).then_some(Refused::Lasts { longest })
    };
    let class = |name: &String| {
        policy.classes.find(name).is_none().then(|| Refused::Name(name.clone()))
    };
    match &record.body {
        Body::Approval { rule, .. } => {
            let known = [RuleId::Freeze, RuleId::Backport, RuleId::PolicyChange, RuleId::Deletion];
            (!known.contains(rule)).then_some(Refused::Rule(*rule))
        }
        Body::Waiver { rule, class: named, until, uses, .. } => {
            let rules = &policy.waivers;
            let exception = crate::decide::waivable(*rule);
            (!exception)
                .then_some(Refused::Rule(*rule))
                .or_else(|| within(*until, rules.longest))
                .or_else(|| {
                    let most = rules.most_uses;
                    (*uses == 0 || *uses > most).then_some(Refused::Uses { most })
                })
                .or_else(|| named.as_ref().and_then(class))
        }
        Body::Freeze { stages, lets_through, until } => {
            let branch = |name: &&String| {
                let flow = &policy.flow;
                let stage = flow.stages.iter().any(|stage| stage.branch.short() == name.as_str());
                !stage && !flow.lines.iter().any(|line| line.branches.as_str() == name.as_str())
            };
            within(*until, Duration::days(90))
                .or_else(|| stages.iter().find(branch).map(|name| Refused::Name(name.clone())))
                .or_else(|| lets_through.iter().find_map(class))
        }
        Body::Classification { class: name, .. } => class(name),
        Body::Certificate { until, .. } => within(*until, Duration::days(3_660)),
        Body::Thaw { of } | Body::UatFailed { of, .. } => {
            named(of).is_none().then_some(Refused::Unknown(*of))
        }
        Body::Withdrawal { of, .. } => withdrawal(case, record, *of, named(of)),
        Body::Candidate { .. } => candidate(edit, record),
        _ => None,
    }
}

fn withdrawal(
    case: &Case<'_>,
    record: &Record,
    of: RecordId,
    other: Option<&Record>,
) -> Option<Refused> {
    let Some(other) = other else { return Some(Refused::Unknown(of)) };
    let theirs = other.by == record.by
        || case.policy.roles.has(&record.by, &case.policy.waivers.approvers);
    (!theirs).then(|| Refused::NotTheirs(other.by.clone()))
}

/// One candidate at a time: another must contain the open one, or that one be
/// withdrawn or failed first (MODEL.md 5).
fn candidate(edit: &LedgerEdit, record: &Record) -> Option<Refused> {
    let Body::Candidate { release, number, commit, .. } = &record.body else { return None };
    let mut next = 1;
    for other in &edit.open {
        let Body::Candidate { release: of, number, commit: tip, .. } = &other.body else {
            continue;
        };
        if of == release {
            next = next.max(number.saturating_add(1));
        }
        let done = edit.named.iter().any(|(id, _)| *id == other.id);
        if !done && !edit.contained.contains(&(*tip, *commit)) {
            let (other, commit, release) = (other.id, *tip, String::to_string(of));
            return Some(Refused::Another { other, commit, release });
        }
    }
    (*number != next).then_some(Refused::Number { next })
}
