//! Computes the earliest moment at which a class can land on a stage or line.

use crate::freeze::after;
use crate::{Case, ClassId, Duration, Instant, MissingEvidence, Target, Window, freezes_at};
use alloc::string::String;
use alloc::vec::Vec;

/// When a class can land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Now.
    Now,
    /// From this moment on, by the windows that are known.
    At(Instant),
    /// From this moment on, if the missing evidence exists by then.
    Needs {
        /// The earliest moment.
        from: Instant,
        /// The window that requires the evidence.
        window: String,
        /// The evidence that is missing.
        missing: Vec<MissingEvidence>,
    },
}

/// The limit on windows that follow one another. After it, the moment found so far is returned.
const MOST_STEPS: usize = 1_000;

/// The earliest moment, at or after the receipt time of the push, at which no window blocks
/// `class` on `target`. Approvals and waivers are ignored.
#[must_use]
pub fn earliest(case: &Case<'_>, target: &Target<'_>, class: ClassId) -> When {
    let mut at = case.push.at;
    for _ in 0..MOST_STEPS {
        let freezes = freezes_at(case.policy, &case.history.releases, case.ledger, at);
        let mut blocking = freezes
            .iter()
            .filter(|freeze| freeze.state.closed())
            .filter(|freeze| covers(freeze.window, target))
            .filter(|freeze| !freeze.window.lets_through.contains(&class));
        let Some(first) = blocking.next() else {
            return if at == case.push.at { When::Now } else { When::At(at) };
        };
        match first.earliest_end {
            Some(end) if end > at => at = end,
            _ => {
                return When::Needs {
                    from: at,
                    window: first.window.name.clone(),
                    missing: first.missing.clone(),
                };
            }
        }
    }
    When::At(after(at, Duration::zero()))
}

/// Whether a window covers a stage or line.
#[must_use]
pub fn covers(window: &Window, target: &Target<'_>) -> bool {
    target.place().map_or(window.lines, |place| window.stages.contains(&place))
}
