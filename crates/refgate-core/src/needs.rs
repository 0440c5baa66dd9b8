//! Computes which facts a decision needs, so that other facts are never read.

use crate::earliest::covers;
use crate::{Instant, LedgerView, Policy, RefKind, RefUpdate, Release, RuleId, Target, freezes_at};

/// The facts to read for one update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The landings, because the update changes a stage or line.
    pub landings: bool,
    /// The changed paths of each landing.
    pub changes: bool,
    /// The content of merges that none of their parents has.
    pub evil: bool,
    /// The stages that reach each new commit.
    pub reach: bool,
    /// The originals of picks, and squashed promotions.
    pub origins: bool,
    /// The comparison of picks with Git's own picks of their originals.
    pub receipts: bool,
    /// The facts for a promotion: how long the previous stage has had the tree, and open debts.
    pub gate: bool,
}

/// The facts that one update needs under this policy at this moment. In doubt, a fact is
/// needed. No verdict is decided here.
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
