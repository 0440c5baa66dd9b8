//! Decides whether the ledger accepts a new record from its maker at this moment.

use alloc::format;
use alloc::string::{String, ToString};

use crate::record_rights::may_withdraw_failure;
use crate::{
    Case, Duration, Instant, LedgerEdit, Record, RecordBody, RecordId, RecordRejection, RefKind,
    RefName, RuleId, may_make, roles_that_may_make,
};

/// How far the time of a record may be ahead of the server, because clocks differ.
const MAX_AHEAD: Duration = Duration::minutes(2);

/// Why a record is rejected, if it is.
pub(crate) fn find_rejection(
    case: &Case<'_>,
    edit: &LedgerEdit,
    record: &Record,
) -> Option<RecordRejection> {
    let (policy, now) = (case.policy, case.push.at);
    let late = now.signed_duration_since(record.at);
    if late > policy.ledger.tolerance || late < -MAX_AHEAD {
        return Some(RecordRejection::Moment { at: record.at, tolerance: policy.ledger.tolerance });
    }
    if !case.history.repositories.contains(&record.repository) {
        let here = case.history.repositories.join(", ");
        return Some(RecordRejection::Repository { named: record.repository.clone(), here });
    }
    if !may_make(policy, record) {
        return Some(RecordRejection::Role(
            roles_that_may_make(policy, &record.body).unwrap_or_default(),
        ));
    }
    if let Some((_, what)) = edit.absent.iter().find(|(id, _)| *id == record.id) {
        return Some(RecordRejection::Absent(what.clone()));
    }
    if let Some(tag) = record.body.release().filter(|tag| policy.release.version(tag).is_none()) {
        return Some(RecordRejection::Absent(format!("a release tag pattern for `{tag}`")));
    }
    check_body(case, edit, record)
}

fn check_body(case: &Case<'_>, edit: &LedgerEdit, record: &Record) -> Option<RecordRejection> {
    let policy = case.policy;
    let named = |id: &RecordId| edit.named.iter().find(|(of, _)| of == id).map(|(_, r)| r);
    let within = |until: Instant, longest: Duration| {
        let length = until.signed_duration_since(record.at);
        (length <= Duration::zero() || length > longest)
            .then_some(RecordRejection::Lasts { longest })
    };
    let class = |name: &String| {
        policy.classes.find(name).is_none().then(|| RecordRejection::Name(name.clone()))
    };
    match &record.body {
        RecordBody::Approval { rule, on, .. } => (!rule.properties().approvable)
            .then_some(RecordRejection::Rule(*rule))
            .or_else(|| check_target_ref(case, on).filter(|_| *rule != RuleId::Deletion)),
        RecordBody::Waiver { rule, on, class: named, until, uses, .. } => {
            let rules = &policy.waivers;
            (!rule.properties().waivable)
                .then_some(RecordRejection::Rule(*rule))
                .or_else(|| within(*until, rules.longest))
                .or_else(|| {
                    let most = rules.most_uses;
                    (*uses == 0 || *uses > most).then_some(RecordRejection::Uses { most })
                })
                .or_else(|| named.as_ref().and_then(class))
                .or_else(|| check_target_ref(case, on))
        }
        RecordBody::Freeze { stages, lets_through, until } => {
            let branch = |name: &&String| {
                let flow = &policy.flow;
                let stage = flow.stages.iter().any(|stage| stage.branch.short() == name.as_str());
                !stage && !flow.lines.iter().any(|line| line.branches.as_str() == name.as_str())
            };
            let nothing =
                || stages.is_empty().then(|| RecordRejection::Absent(String::from("a stage")));
            within(*until, Duration::days(90))
                .or_else(nothing)
                .or_else(|| {
                    stages.iter().find(branch).map(|name| RecordRejection::Name(name.clone()))
                })
                .or_else(|| lets_through.iter().find_map(class))
        }
        RecordBody::Classification { class: name, .. } => class(name),
        RecordBody::Certificate { person, .. } if *person == record.by => {
            Some(RecordRejection::Own)
        }
        RecordBody::Certificate { until, .. } => within(*until, Duration::days(3_660)),
        RecordBody::Absence { until, .. } => within(*until, Duration::days(90)),
        RecordBody::FreezeExit { release } => {
            let mut open = case.ledger.blockers.iter().filter(|one| one.release == *release);
            open.next().map(|one| RecordRejection::Blocked(one.reason.clone()))
        }
        RecordBody::Thaw { of } | RecordBody::UatFailed { of, .. } => {
            named(of).is_none().then_some(RecordRejection::Unknown(*of))
        }
        RecordBody::Settlement { of, .. } => match named(of) {
            Some(Record { body: RecordBody::Waiver { owes: Some(_), .. }, .. }) => None,
            Some(_) => Some(RecordRejection::Absent(format!("a follow-up of {}", of.short()))),
            None => Some(RecordRejection::Unknown(*of)),
        },
        RecordBody::Withdrawal { of, .. } => withdrawal(case, record, *of, named(of)),
        RecordBody::Candidate { .. } => candidate(edit, record),
        _ => None,
    }
}

/// Rejects an approval or waiver for a ref on which no landing or release is judged.
fn check_target_ref(case: &Case<'_>, on: &RefName) -> Option<RecordRejection> {
    let known = matches!(case.policy.kind(on), RefKind::Governed(_) | RefKind::Release(_));
    (!known).then(|| RecordRejection::Nowhere(on.clone()))
}

fn withdrawal(
    case: &Case<'_>,
    record: &Record,
    of: RecordId,
    other: Option<&Record>,
) -> Option<RecordRejection> {
    let Some(other) = other else { return Some(RecordRejection::Unknown(of)) };
    // A failure weighs until a person who could have recorded it says why it no longer holds.
    if matches!(other.body, RecordBody::UatFailed { .. }) {
        let may = may_withdraw_failure(case.policy, &record.by, &other.body);
        return (!may).then(|| RecordRejection::NotTheirs(other.by.clone()));
    }
    if matches!(other.body, RecordBody::Thaw { .. } | RecordBody::Withdrawal { .. }) {
        return Some(RecordRejection::Final(other.body.kind()));
    }
    let theirs =
        other.by == record.by || case.policy.roles.has(&record.by, &case.policy.waivers.approvers);
    (!theirs).then(|| RecordRejection::NotTheirs(other.by.clone()))
}

/// Checks that at most one candidate is open. A new candidate must contain the open one, or the
/// open one must be withdrawn or have failed (docs/design/model.md, "Promotion and release").
fn candidate(edit: &LedgerEdit, record: &Record) -> Option<RecordRejection> {
    let RecordBody::Candidate { release, number, commit, .. } = &record.body else { return None };
    let mut next = 1;
    for other in &edit.open {
        let RecordBody::Candidate { release: of, number, commit: tip, .. } = &other.body else {
            continue;
        };
        if of == release {
            next = next.max(number.saturating_add(1));
        }
        let done = edit.named.iter().any(|(id, _)| *id == other.id);
        if !done && !edit.contained.contains(&(*tip, *commit)) {
            let (other, commit, release) = (other.id, *tip, String::to_string(of));
            return Some(RecordRejection::Another { other, commit, release });
        }
    }
    (*number != next).then_some(RecordRejection::Number { next })
}
