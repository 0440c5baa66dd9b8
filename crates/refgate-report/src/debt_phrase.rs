//! Words a debt in one way for every report.

use refgate_core::{Debt, Duration, Flow, Instant};

use crate::escape::clean;
use crate::show;

/// The command that brings the log of the server to a clone.
const FETCH_LOG: &str = "git fetch origin refs/refgate/log:refs/refgate/log";

/// `dev is missing it, landed on main 2026-12-24 10:00 UTC, due 2026-12-31 10:00 UTC`.
#[must_use]
pub fn debt_phrase(flow: &Flow, debt: &Debt, length: Duration, now: Instant) -> String {
    let branch = |place: usize| {
        let stage = flow.stages.get(place);
        stage.map_or_else(String::new, |stage| clean(stage.branch.short()))
    };
    let (to, from) = (branch(debt.to), branch(debt.from));
    match (debt.since, debt.due(length)) {
        (Some(since), Some(due)) => {
            let mark = if due <= now { "OVERDUE since" } else { "due" };
            format!("{to} is missing it, landed on {from} {}, {mark} {}", show(since), show(due))
        }
        _ => format!("{to} is missing it, landed on {from} at an unknown time (`{FETCH_LOG}`)"),
    }
}
