//! When may a class land on a stage, at the earliest?

use crate::freeze::after;
use crate::{Case, ClassId, Duration, Instant, MissingEvidence, Target, Window, freezes_at};
use alloc::string::String;
use alloc::vec::Vec;

/// The answer to "when may it land?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// From this moment on, as far as the calendar is known.
    At(Instant),
    /// From this moment on (or now), if what is missing has come by then.
    Needs {
        /// The earliest moment.
        from: Instant,
        /// The window that waits.
        window: String,
        /// What it waits for.
        missing: Vec<MissingEvidence>,
    },
}

/// Windows may follow one another; after this many the answer is given as it stands.
const MOST_STEPS: usize = 1_000;

/// The earliest moment at or after the push's at which no window keeps `class`
/// from `target`. Approvals and waivers are left out: it is what time alone gives.
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

/// Whether a window speaks of a stage or line.
#[must_use]
pub fn covers(window: &Window, target: &Target<'_>) -> bool {
    target.place().map_or(window.lines, |place| window.stages.contains(&place))
}
