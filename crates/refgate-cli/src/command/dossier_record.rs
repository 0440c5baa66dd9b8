//! Writes the row of a record in a dossier.

use refgate_core::RecordBody;
use refgate_gate::DossierRecord;
use refgate_report::show;

/// Time, signer, statement, reason, link and id.
pub(super) fn record_row(kept: &DossierRecord, late: bool) -> Vec<String> {
    let record = &kept.record;
    let mut what = match &record.body {
        RecordBody::SignOff { meaning, tree, .. } => {
            format!("signs off {} of tree {}", meaning.name(), tree.short())
        }
        RecordBody::Candidate { number, commit, .. } => {
            format!("candidate {number}: {}", commit.short())
        }
        RecordBody::Approval { rule, of, .. } => {
            format!("approves {} ({})", of.short(), rule.name())
        }
        RecordBody::Waiver { rule, on, until, uses, owes, .. } => {
            let (rule, on) = (rule.name(), on.short());
            let owes = owes.as_ref().map_or_else(String::new, |owes| format!(", follow-up {owes}"));
            format!("waives {rule} on {on} until {}, uses: {uses}{owes}", show(*until))
        }
        RecordBody::Settlement { of, .. } => format!("follow-up of waiver {} is done", of.short()),
        RecordBody::Classification { commit, class } => format!("{} is {class}", commit.short()),
        RecordBody::Evidence { what, run, .. } => {
            let run = run.as_ref().map_or_else(String::new, |run| format!(" {run}"));
            format!("evidence: {}{run}", what.name())
        }
        RecordBody::Absence { person, until } => {
            format!("{person} is absent until {}", show(*until))
        }
        RecordBody::NotApplicable { fix, to } => {
            format!("{} is not applicable to {}", fix.short(), to.short())
        }
        RecordBody::Certificate { person, course, until } => {
            format!("certificate of {course} for {person} until {}", show(*until))
        }
        other => other.kind().to_string(),
    };
    if late {
        what += " (recorded after the release)";
    }
    if let Some(wrong) = &kept.wrong {
        what += &format!(" (NOT VALID: {wrong})");
    }
    let link = record.link.clone().unwrap_or_default();
    vec![
        show(record.at),
        record.by.clone(),
        what,
        record.reason.clone(),
        link,
        record.id.to_string(),
    ]
}
