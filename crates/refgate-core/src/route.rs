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
    let merge = !landing.side.is_empty()
        || case.history.commit(landing.commit).is_some_and(|commit| commit.parents.len() > 1);
    if let Some(place) = target.place()
        && let Some(stage_route) = from_another_stage(case, place, landing, merge)
    {
        return stage_route;
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

fn from_another_stage(
    case: &Case<'_>,
    place: usize,
    landing: &Landing,
    merge: bool,
) -> Option<Route> {
    // A commit that another stage holds as it is (a fast-forward) counts as
    // that stage's; of a merge made here, what it brings must all be there.
    let held = |stage: usize| {
        case.history.reached_by(landing.commit, stage)
            || (merge && brings_only(case, landing, stage))
    };
    let stages = case.policy.flow.stages.len();
    if let Some(from) = (0..place).rev().find(|stage| held(*stage)) {
        return Some(if from + 1 == place {
            Route::Promotion { from }
        } else {
            Route::Leap { from }
        });
    }
    let from = (place + 1..stages).find(|stage| held(*stage))?;
    Some(if landing.unchanged { Route::AncestryOnly } else { Route::BackMerge { from } })
}

fn brings_only(case: &Case<'_>, landing: &Landing, stage: usize) -> bool {
    let Some(commit) = case.history.commit(landing.commit) else { return false };
    // A merge may bring nothing new but its own tip; then its other parents
    // decide, which are in the photograph when they are known to be elsewhere.
    let mut others = commit.parents.iter().skip(1);
    landing.side.iter().all(|id| case.history.reached_by(*id, stage))
        && others.all(|id| case.history.reached_by(*id, stage))
}
