//! Which facts do these updates want? Asking first keeps gathering small.

use crate::earliest::covers;
use crate::{Instant, LedgerView, Policy, RefKind, RefUpdate, Release, RuleId, Target, freezes_at};

/// What to gather for one update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The landings: the update moves a stage or line.
    pub landings: bool,
    /// The changed paths of each landing.
    pub changes: bool,
    /// Whether merges hold content of their own.
    pub evil: bool,
    /// Which other stages hold what it brings.
    pub reach: bool,
    /// The originals of picks, and squashed promotions.
    pub origins: bool,
    /// What Git makes of the originals of picks.
    pub receipts: bool,
    /// What a promotion rests on: how long its tree has been tested, and what
    /// is owed.
    pub gate: bool,
}

/// What one update wants, under this policy, at this moment. Only a wish for
/// facts is decided here, never a verdict; where in doubt, ask.
#[must_use]
pub fn needs(
    policy: &Policy,
    releases: &[Release],
    ledger: &LedgerView,
    at: Instant,
    update: &RefUpdate,
) -> Needs {
    let RefKind::Governed(target) = policy.kind(&update.name) else { return Needs::default() };
    let frozen = frozen(policy, releases, ledger, at, &target);
    let judged = frozen && policy.on(RuleId::Freeze);
    let later = !target.is_first();
    let class = policy.on(RuleId::Class) || judged || (later && policy.on(RuleId::Backport));
    let receipts = later && policy.backport.exact && policy.on(RuleId::Backport);
    Needs {
        landings: true,
        changes: class && policy.classes.bounded(),
        evil: policy.on(RuleId::EvilMerge) || receipts,
        reach: policy.flow.stages.len() > 1,
        origins: later,
        receipts,
        gate: later
            && target.place().is_some()
            && (policy.on(RuleId::ReleaseGate) || policy.on(RuleId::Debts)),
    }
}

fn frozen(
    policy: &Policy,
    releases: &[Release],
    ledger: &LedgerView,
    at: Instant,
    target: &Target<'_>,
) -> bool {
    freezes_at(policy, releases, ledger, at)
        .iter()
        .any(|freeze| freeze.state.closed() && covers(freeze.window, target))
}
