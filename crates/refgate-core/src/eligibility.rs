//! Decides whether a class can land on a stage or line now without a promotion.

use crate::freeze::after;
use crate::{ClassId, Instant, Policy, Release, Target, last_major};
use alloc::string::String;

/// Whether a class can land without a promotion. The hook, `git backport` and the simulator use
/// this answer (docs/design/model.md, "Backports and hotfixes").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Eligibility {
    /// It can land.
    Yes,
    /// It can land with an approval by this role, before this moment.
    Approval {
        /// The role.
        role: String,
        /// The end of the backport window.
        until: Instant,
    },
    /// It can no longer land. It is deferred to the next iteration.
    Deferred {
        /// The end of the backport window; `None` if no major release has opened one.
        since: Option<Instant>,
    },
    /// It can never land without a promotion.
    Never,
}

/// Decides whether `class` can land directly on `target` at the moment `at`.
#[must_use]
pub fn eligibility(
    policy: &Policy,
    releases: &[Release],
    target: &Target<'_>,
    class: ClassId,
    at: Instant,
) -> Eligibility {
    let rules = &policy.backport;
    let straight = target.place().is_some() && policy.hotfix.classes.contains(&class);
    if straight || rules.always.contains(&class) {
        return Eligibility::Yes;
    }
    let within = rules.within.contains(&class);
    if !within && !rules.with_approval.contains(&class) {
        return Eligibility::Never;
    }
    let end = last_major(releases, at).map(|release| after(release.at, rules.window));
    match end {
        Some(end) if at < end && within => Eligibility::Yes,
        Some(end) if at < end => {
            Eligibility::Approval { role: rules.approvers.clone(), until: end }
        }
        since => Eligibility::Deferred { since },
    }
}
