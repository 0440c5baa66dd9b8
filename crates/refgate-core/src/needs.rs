//! Which facts the rules need about an update, so that only these are gathered.

use crate::earliest::covers;
use crate::{Instant, LedgerView, Policy, RefKind, RefUpdate, Release, RuleId, Target, freezes_at};

/// What to gather for one update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The landings: the update moves a governed branch.
    pub landings: bool,
    /// The changed paths of each landing.
    pub changes: bool,
    /// Whether merge commits contain content of their own.
    pub evil: bool,
    /// Which other stages contain the commits.
    pub reach: bool,
    /// The originals of cherry-picks, and squashed promotions.
    pub origins: bool,
    /// What Git makes of the originals of cherry-picks.
    pub receipts: bool,
    /// How long the promoted tree was on the previous stage, and the open debts.
    pub gate: bool,
}

impl Needs {
    /// No facts.
    pub const NONE: Self = Self {
        landings: false,
        changes: false,
        evil: false,
        reach: false,
        origins: false,
        receipts: false,
        gate: false,
    };

    /// The facts of both.
    #[must_use]
    const fn union(self, other: Self) -> Self {
        Self {
            landings: self.landings || other.landings,
            changes: self.changes || other.changes,
            evil: self.evil || other.evil,
            reach: self.reach || other.reach,
            origins: self.origins || other.origins,
            receipts: self.receipts || other.receipts,
            gate: self.gate || other.gate,
        }
    }
}

/// What a rule knows when it says which facts it needs.
#[derive(Debug, Clone, Copy)]
pub struct FactContext<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The branch that the update moves.
    pub target: &'a Target<'a>,
    /// Whether a freeze covers that branch now.
    pub frozen: bool,
}

impl FactContext<'_> {
    /// The changed paths.
    #[must_use]
    pub(crate) const fn changes(&self) -> Needs {
        Needs { changes: true, ..Needs::NONE }
    }

    /// The facts about a promotion, if the branch is a stage after the first one.
    #[must_use]
    pub(crate) fn gate(&self) -> Needs {
        Needs { gate: self.is_later() && self.target.place().is_some(), ..Needs::NONE }
    }

    /// Whether the branch is a stage after the first one, or a line.
    #[must_use]
    pub(crate) fn is_later(&self) -> bool {
        !self.target.is_first()
    }
}

/// The facts that an update needs under this policy at this moment. It asks for too
/// much rather than for too little: a missing fact makes the push undecided.
#[must_use]
pub fn needs(
    policy: &Policy,
    releases: &[Release],
    ledger: &LedgerView,
    at: Instant,
    update: &RefUpdate,
) -> Needs {
    let RefKind::Governed(target) = policy.kind(&update.name) else { return Needs::NONE };
    let frozen = freezes_at(policy, releases, ledger, at).iter().any(|freeze| {
        // An end before its time does not count for everybody's changes.
        (freeze.state.closed() || freeze.unended.closed()) && covers(freeze.window, &target)
    });
    let context = FactContext { policy, target: &target, frozen };
    // The route of a landing, which every rule reads, depends on these.
    let base = Needs {
        landings: true,
        reach: policy.flow.stages.len() > 1,
        origins: context.is_later(),
        ..Needs::NONE
    };
    let active = RuleId::ALL.iter().filter(|rule| policy.on(**rule));
    active.fold(base, |needs, rule| needs.union((rule.properties().facts)(&context)))
}
