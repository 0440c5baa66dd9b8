//! What would it take for a finding to go away? One phrase, for plans and forecasts.

use refgate_core::{Case, Finding, Takes, What};

use crate::clean::clean;
use crate::objection::{missing_phrase, people};
use crate::show;

/// What a finding takes: time, somebody's agreement, something else first, or
/// another push.
#[must_use]
pub fn takes_phrase(case: &Case<'_>, finding: &Finding) -> String {
    match (&finding.takes, &finding.what) {
        (Takes::Until(at), _) => format!("time: it passes from {} on", show(*at)),
        (Takes::Needs { role }, _) => format!("an approval by {}", people(case, role)),
        (Takes::WaitsFor(_), What::Frozen { missing, .. }) if !missing.is_empty() => {
            let wanted: Vec<String> = missing.iter().map(missing_phrase).collect();
            format!("the end of the freeze: {}", wanted.join(", "))
        }
        (Takes::WaitsFor(what), _) => format!("waits for {}", clean(what)),
        (Takes::Never, _) => "another push: this one never passes as it is".to_string(),
    }
}
