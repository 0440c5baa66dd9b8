//! What would resolve a finding, in one phrase for plans and forecasts.

use refgate_core::{Case, Finding, Requirement, Violation};

use crate::escape::clean;
use crate::freeze_facts::missing_phrase;
use crate::phrases::people;
use crate::show;

/// The requirement of a finding: a time, an approval, another event, or another push.
#[must_use]
pub fn requirement_phrase(case: &Case<'_>, finding: &Finding) -> String {
    match (&finding.requirement, &finding.violation) {
        (Requirement::Until(at), _) => format!("accepted from {}", show(*at)),
        (Requirement::Needs { role }, _) => format!("needs an approval by {}", people(case, role)),
        (Requirement::WaitsFor(_), Violation::Freeze(freeze)) if !freeze.missing.is_empty() => {
            let missing: Vec<String> = freeze.missing.iter().map(missing_phrase).collect();
            format!("waits for the end of the freeze: {}", missing.join(", "))
        }
        (Requirement::WaitsFor(event), _) => format!("waits for {}", clean(event)),
        (Requirement::Never, _) => "this push can never be accepted unchanged".to_string(),
    }
}
