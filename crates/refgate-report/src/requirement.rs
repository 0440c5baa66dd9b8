//! What would it take for a finding to go away? One phrase, for plans and forecasts.

use refgate_core::{Case, Finding, Requirement, Violation};

use crate::escape::clean;
use crate::finding_text::{missing_phrase, people};
use crate::show;

/// What a finding takes: time, somebody's agreement, something else first, or
/// another push.
#[must_use]
pub fn requirement_phrase(case: &Case<'_>, finding: &Finding) -> String {
    match (&finding.requirement, &finding.what) {
        (Requirement::Until(at), _) => format!("time: it passes from {} on", show(*at)),
        (Requirement::Needs { role }, _) => format!("an approval by {}", people(case, role)),
        (Requirement::WaitsFor(_), Violation::Frozen { missing, .. }) if !missing.is_empty() => {
            let wanted: Vec<String> = missing.iter().map(missing_phrase).collect();
            format!("the end of the freeze: {}", wanted.join(", "))
        }
        (Requirement::WaitsFor(what), _) => format!("waits for {}", clean(what)),
        (Requirement::Never, _) => "another push: this one never passes as it is".to_string(),
    }
}
