//! May this class go to that stage or line, now, without being promoted?

use crate::freeze::after;
use crate::{ClassId, Instant, Policy, Release, Target, last_major};
use alloc::string::String;

/// One function answers this for the hook, for backports and for the simulator (docs/design/model.md, "Backports and hotfixes").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Eligibility {
    /// Yes.
    Yes,
    /// With an approval by this role, before this moment.
    Approval {
        /// The role.
        role: String,
        /// The end of the backport window.
        until: Instant,
    },
    /// No longer: it goes with the next iteration.
    Deferred {
        /// When the window ended; `None` if no major release opened one yet.
        since: Option<Instant>,
    },
    /// Not in any window.
    Never,
}

/// Whether `class` may go straight to `target` at `at`.
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
