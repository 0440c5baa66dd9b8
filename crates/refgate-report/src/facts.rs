//! The labelled facts under the sentence of a finding.

use refgate_core::rules::{
    BackportViolation, CandidateViolation, ClassViolation, LedgerViolation, PolicyChangeViolation,
    ReleaseGateViolation,
};
use refgate_core::{
    Case, Classification, Debt, Eligibility, Finding, Glob, LedgerFormError, MissingSignOff,
    RecordRejection, Requirement, RuleId, Violation,
};

use crate::class_reason::class_phrase;
use crate::debt_phrase::debt_phrase;
use crate::escape::{clean, shorten};
use crate::freeze_facts::freeze_facts;
use crate::phrases::{Facts, people, verb};
use crate::show;

/// The maximum number of debts that one finding lists.
const MOST_DEBTS: usize = 5;

/// All facts of a finding, in the order of the text.
pub(crate) fn facts(case: &Case<'_>, finding: &Finding) -> Facts {
    let mut facts = Facts::new();
    match &finding.violation {
        Violation::Freeze(violation) => freeze_facts(case, violation, &mut facts),
        Violation::Class(ClassViolation::Contradicted { class }) => {
            class_facts(case, class, &mut facts);
        }
        Violation::Class(ClassViolation::Unclassified { class }) => {
            facts.push(("class", class_phrase(case, class)));
        }
        Violation::Backport(violation) => backport_facts(case, violation, &mut facts),
        Violation::EvilMerge(v) => facts.push(("paths", path_list(&v.paths, v.total))),
        Violation::PolicyChange(PolicyChangeViolation::Invalid { problem }) => {
            facts.push(("problem", clean(problem)));
        }
        Violation::Pusher(v) => {
            let people = v.roles.iter().map(|role| people(case, role));
            facts.push(("allowed", people.collect::<Vec<_>>().join("; ")));
        }
        Violation::Deletion(v) => {
            facts.push(("value", v.value.to_string()));
            facts.push(match &v.request {
                Some((by, end)) => {
                    let end = show(*end);
                    ("request", format!("by {}, cooling off until {end}", clean(by)))
                }
                None => ("request", "none for this value".to_string()),
            });
            if !v.approved {
                let people = people(case, &case.policy.deletion.approvers);
                facts.push(("approval", format!("missing, required from {people}")));
            }
        }
        Violation::Candidate(violation) => {
            if let CandidateViolation::Failed { candidate, .. } = violation {
                facts.push(("failed", format!("candidate record {}", candidate.short())));
            }
            facts.push(("allowed", people(case, &case.policy.ledger.releases)));
        }
        Violation::ReleaseGate(violation) => gate_facts(case, violation, &mut facts),
        Violation::Debts(v) => debt_facts(case, &v.debts, &mut facts),
        Violation::Ledger(violation) => ledger_facts(case, violation, &mut facts),
        Violation::RefName(_)
        | Violation::ObjectFormat(_)
        | Violation::Rewrite(_)
        | Violation::FirstParent(_)
        | Violation::PolicyChange(_)
        | Violation::Promotion(_)
        | Violation::ReleaseTag(_)
        | Violation::FactMissing { .. } => {}
    }
    approval_facts(case, finding, &mut facts);
    facts
}

/// Who can approve a backport, and with which command.
fn approval_facts(case: &Case<'_>, finding: &Finding, facts: &mut Facts) {
    let (Requirement::Needs { role }, RuleId::Backport) = (&finding.requirement, finding.rule)
    else {
        return;
    };
    let update = case.push.updates.get(finding.update);
    let (Some(update), Some(landing)) = (update, finding.landing) else { return };
    if facts.iter().all(|(label, _)| *label != "needs") {
        facts.push(("needs", format!("an approval by {}", people(case, role))));
    }
    let (landing, onto) = (landing.short(), clean(update.name.short()));
    facts.push(("command", format!("refgate approve backport {landing} --onto {onto}")));
}

fn class_facts(case: &Case<'_>, class: &Classification, facts: &mut Facts) {
    facts.push(("declared", class_phrase(case, class)));
    if let Some(contradiction) = &class.contradiction {
        let changes = contradiction.shown.iter();
        let lines: Vec<String> =
            changes.map(|change| format!("{} {}", verb(change.mode), change.path)).collect();
        facts.push(("diff", path_list(&lines, contradiction.total)));
    }
    let Some(class) = case.policy.classes.get(class.class) else { return };
    let join = |globs: &[Glob]| globs.iter().map(Glob::as_str).collect::<Vec<_>>().join(" ");
    for (label, text, list) in [
        ("allowed", "only", &class.bounds.only),
        ("allowed", "new files only at", &class.bounds.adds),
        ("forbidden", "", &class.bounds.never),
    ] {
        if !list.is_empty() {
            facts.push((label, shorten(format!("{text} {}", join(list)).trim(), 180)));
        }
    }
}

fn backport_facts(case: &Case<'_>, violation: &BackportViolation, facts: &mut Facts) {
    let first = |paths: &[String]| -> Vec<String> { paths.iter().take(5).cloned().collect() };
    match violation {
        BackportViolation::NotEligible { class, eligibility, .. } => {
            facts.push(("class", class_phrase(case, class)));
            if class.contradiction.is_some() {
                return;
            }
            match eligibility {
                Eligibility::Approval { role, until } => {
                    let (role, until) = (clean(role), show(*until));
                    facts.push(("needs", format!("an approval by {role}, before {until}")));
                }
                Eligibility::Deferred { since: Some(since) } => {
                    facts.push(("window", format!("backports ended on {}", show(*since))));
                }
                Eligibility::Deferred { since: None } | Eligibility::Never | Eligibility::Yes => {}
            }
        }
        BackportViolation::NotExact { of, receipt } => {
            facts.push(("original", of.short()));
            facts.push(("paths", path_list(&first(receipt.paths()), receipt.paths().len())));
        }
        BackportViolation::ConflictMarkers { paths } => {
            facts.push(("paths", path_list(&first(paths), paths.len())));
        }
        BackportViolation::OwnWork { commit, class } => {
            facts.push(("commit", commit.short()));
            facts.push(("class", class_phrase(case, class)));
        }
        BackportViolation::Downgraded { of, was, .. } => {
            let was = case.policy.classes.name(*was);
            facts.push(("original", format!("{}, {was}", of.short())));
        }
    }
}

fn gate_facts(case: &Case<'_>, violation: &ReleaseGateViolation, facts: &mut Facts) {
    match violation {
        ReleaseGateViolation::NotSignedOff { tree, missing } => {
            facts.push(("tree", tree.to_string()));
            facts.extend(missing.iter().map(|one| ("missing", missing_sign_off(one))));
        }
        ReleaseGateViolation::Failed { failure, role, .. } => {
            let (by, at) = (clean(&failure.by), show(failure.at));
            facts.push(("failed", format!("by {by} on {at}: {}", shorten(&failure.reason, 80))));
            facts.push(("withdraw", format!("{}, not an author", people(case, role))));
            let id = failure.id.short();
            facts.push(("command", format!("refgate withdraw {id} --reason \"why\"")));
        }
        ReleaseGateViolation::NotSoaked { since, .. } => {
            let had = since.map_or_else(
                || "the previous stage does not have this content now".to_string(),
                |since| format!("the previous stage has it since {}", show(since)),
            );
            facts.push(("soak", had));
        }
        ReleaseGateViolation::NotTrained { expired, .. } => {
            facts.extend(expired.map(|expired| ("expired", show(expired))));
            facts.push(("issued by", people(case, &case.policy.ledger.trainers)));
        }
    }
}

fn debt_facts(case: &Case<'_>, debts: &[Debt], facts: &mut Facts) {
    for debt in debts.iter().take(MOST_DEBTS) {
        let phrase = debt_phrase(&case.policy.flow, debt, case.policy.debts.due, case.push.at);
        let text = format!("{} {}: {phrase}", debt.fix.short(), shorten(&debt.subject, 40));
        facts.push(("fix", text));
    }
    let more = debts.len().saturating_sub(MOST_DEBTS);
    if more > 0 {
        facts.push(("fix", format!("and {more} more")));
    }
}

fn ledger_facts(case: &Case<'_>, violation: &LedgerViolation, facts: &mut Facts) {
    match violation {
        LedgerViolation::NotACommit => {}
        LedgerViolation::Form { error } => match error {
            LedgerFormError::Misplaced { path, expected } => {
                facts.push(("path", shorten(path, 150)));
                facts.push(("expected", shorten(expected, 150)));
            }
            LedgerFormError::Unreadable { path, why }
            | LedgerFormError::Signature { path, why } => {
                facts.push(("path", shorten(path, 150)));
                facts.push(("cause", clean(why)));
            }
            LedgerFormError::NotForward
            | LedgerFormError::Merge { .. }
            | LedgerFormError::NotOneFile { .. } => {}
        },
        LedgerViolation::Record { record, kind, by, why } => {
            facts.push(("record", format!("{kind} {} by {}", record.short(), clean(by))));
            record_facts(case, why, facts);
        }
    }
}

fn record_facts(case: &Case<'_>, why: &RecordRejection, facts: &mut Facts) {
    match why {
        RecordRejection::Role(roles) => {
            let allowed: Vec<String> = roles.iter().map(|role| people(case, role)).collect();
            facts.push(("allowed", allowed.join("; ")));
        }
        RecordRejection::Moment { at, .. } => {
            facts.push(("record", show(*at)));
            facts.push(("server", show(case.push.at)));
        }
        RecordRejection::Repository { named, here } => {
            facts.push(("record", clean(named)));
            facts.push(("server", clean(here)));
        }
        RecordRejection::Another { other, release, .. } => {
            facts.push(("open", format!("{}, record {}", clean(release), other.short())));
        }
        _ => {}
    }
}

/// `uat by stakeholder: 0 of 1, open: uma`.
#[must_use]
pub fn missing_sign_off(one: &MissingSignOff) -> String {
    let MissingSignOff { meaning, role, have, want, open, reopened } = one;
    let again = reopened.as_ref().map_or_else(String::new, |path| {
        format!("; an earlier one was re-opened by {}", shorten(path, 40))
    });
    let open = match open.is_empty() {
        true => "nobody else can sign".to_string(),
        false => format!("open: {}", clean(&open.join(", "))),
    };
    format!("{} by {}: {have} of {want}, {open}{again}", meaning.name(), clean(role))
}

/// The paths, and how many more there are.
fn path_list(paths: &[String], total: usize) -> String {
    let mut text = paths.iter().map(|path| shorten(path, 60)).collect::<Vec<_>>().join(", ");
    if total > paths.len() {
        text.push_str(&format!(" and {} more", total - paths.len()));
    }
    text
}
