//! By which way does a landing come: promoted, merged back, picked, or straight?

use crate::{Case, Landing, Oid, Target};

/// The way of a landing (MODEL.md 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// All that it brings is in the previous stage already.
    Promotion {
        /// The previous stage's place.
        from: usize,
    },
    /// All that it brings is in an earlier stage, but not in the previous one.
    Leap {
        /// The earlier stage's place.
        from: usize,
    },
    /// All that it brings is in a later stage.
    BackMerge {
        /// The later stage's place.
        from: usize,
    },
    /// A merge that changes no content: history is joined, nothing moves.
    AncestryOnly,
    /// A pick of a commit that another stage has.
    Backport {
        /// The original.
        of: Oid,
    },
    /// Straight to a stage other than the first, or to a line.
    Hotfix,
    /// New work for the first stage.
    Topic,
}

impl Route {
    /// Its name in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Promotion { .. } => "promotion",
            Self::Leap { .. } => "leap",
            Self::BackMerge { .. } => "back-merge",
            Self::AncestryOnly => "ancestry-only",
            Self::Backport { .. } => "backport",
            Self::Hotfix => "hotfix",
            Self::Topic => "topic",
        }
    }
}

/// The route of one landing on a stage or line.
#[must_use]
pub fn route(case: &Case<'_>, target: &Target<'_>, landing: &Landing) -> Route {
    let parents = case.history.commit(landing.commit).map_or(0, |commit| commit.parents.len());
    let merge = parents > 1;
    let stages = case.policy.flow.stages.len();
    if let Some(place) = target.place() {
        // A commit that another stage holds as it is (a fast-forward) is that
        // stage's; of a merge made here, all that it brings must be there.
        let held = |stage: usize| {
            case.history.reached_by(landing.commit, stage)
                || (merge && !landing.unchanged && brings_only(case, landing, stage))
        };
        if let Some(from) = (0..place).rev().find(|stage| held(*stage)) {
            let next = from + 1 == place;
            return if next { Route::Promotion { from } } else { Route::Leap { from } };
        }
        if let Some(from) = (place + 1..stages).find(|stage| held(*stage)) {
            return Route::BackMerge { from };
        }
    }
    if merge && landing.unchanged {
        return Route::AncestryOnly;
    }
    match landing.picked_from {
        Some((of, _)) => Route::Backport { of },
        None if target.is_first() => Route::Topic,
        None => Route::Hotfix,
    }
}

fn brings_only(case: &Case<'_>, landing: &Landing, stage: usize) -> bool {
    !landing.side.is_empty() && landing.side.iter().all(|id| case.history.reached_by(*id, stage))
}
