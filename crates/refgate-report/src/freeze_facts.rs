//! The sentence of a freeze and the labelled facts under it.

use refgate_core::rules::FreezeViolation;
use refgate_core::{Case, FreezeState, MissingEvidence};

use crate::class_reason::{class_phrase, contradiction_clause};
use crate::escape::clean;
use crate::phrases::{Facts, people};
use crate::show;
use crate::units::count;

/// What a freeze blocks.
pub(crate) fn freeze_sentence(case: &Case<'_>, v: &FreezeViolation) -> String {
    let window = clean(&v.window);
    match &v.class.contradiction {
        Some(contradiction) => format!(
            "The freeze \"{window}\" blocks this change: it is declared {}.",
            contradiction_clause(case, &v.class, contradiction)
        ),
        None if v.class.is_asked() => format!(
            "The freeze \"{window}\" blocks this change: it is not clear whether it is a feature."
        ),
        None => {
            let class = case.policy.classes.name(v.class.effective());
            format!("The freeze \"{window}\" blocks this {class} change.")
        }
    }
}

/// The labelled facts of a freeze.
pub(crate) fn freeze_facts(case: &Case<'_>, v: &FreezeViolation, facts: &mut Facts) {
    facts.push(("class", class_phrase(case, &v.class)));
    let reason = match &v.release {
        Some(tag) => format!("{} (opened by the release {})", clean(&v.reason), clean(tag)),
        None => clean(&v.reason),
    };
    facts.push(("reason", reason));
    let since = v.since.map_or_else(String::new, |since| format!(" since {}", show(since)));
    let state_note = match v.state {
        FreezeState::Overdue => ", past its maximum. It does not end by itself",
        FreezeState::Observing => ", its minimum is over, evidence is missing",
        FreezeState::Frozen | FreezeState::Open | FreezeState::Thawed => "",
    };
    facts.push(("state", format!("{}{since}{state_note}", v.state.name())));
    let missing = v.missing.iter().map(missing_phrase).collect::<Vec<_>>().join(", ");
    let earliest = match (v.earliest, missing.is_empty()) {
        (Some(at), true) => show(at),
        (Some(at), false) => format!("{}, with this evidence: {missing}", show(at)),
        (None, false) => format!("as soon as there is this evidence: {missing}"),
        (None, true) => "no end is known".to_string(),
    };
    facts.push(("earliest", earliest));
    let accepts = match v.lets_through.is_empty() {
        true => "nothing".to_string(),
        false => v.lets_through.join(", "),
    };
    facts.push(("accepts", accepts));
    if let Some(track) = &v.fast_track {
        let approvals = match track.persons {
            1 => "an approval".to_string(),
            persons => format!("approvals by {persons} people"),
        };
        let given = match track.approved_by.is_empty() {
            true => String::new(),
            false => format!("; approved by {}", clean(&track.approved_by.join(", "))),
        };
        let role = people(case, &track.role);
        facts.push(("fast track", format!("with {approvals}, not authors: {role}{given}")));
    }
    if !v.own_end.is_empty() {
        let who = clean(&v.own_end.join(", "));
        let note = "cannot end the freeze early for a change of their own";
        facts.push(("ended", format!("{who} opened the next iteration, but {note}")));
    }
    let persons = case.policy.waivers.persons;
    let each = if persons > 1 { format!("{persons} of ") } else { String::new() };
    facts.push(("waiver", format!("{each}{}", people(case, &case.policy.waivers.approvers))));
}

/// The evidence that a freeze still needs.
#[must_use]
pub fn missing_phrase(missing: &MissingEvidence) -> String {
    match missing {
        MissingEvidence::Runs { seen, wanted } => {
            let wanted = usize::try_from(*wanted).unwrap_or(usize::MAX);
            format!("{} ({seen} so far)", count(wanted, "production run"))
        }
        MissingEvidence::Notice => "notice to the stakeholders".to_string(),
        MissingEvidence::Blocker(name) => format!("no open blocker \"{}\"", clean(name)),
        MissingEvidence::SignOff(role) => format!("a sign-off by {}", clean(role)),
    }
}
