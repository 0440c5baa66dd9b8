//! By which way does a landing come: promoted, merged back, picked, or straight?

use crate::{Case, Landing, Oid, Target};

/// The way of a landing (docs/design/model.md, "Flow").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// It is, or merges, what the previous stage had as its tip.
    Promotion {
        /// The previous stage's place.
        from: usize,
    },
    /// It is, or merges, what an earlier stage had, but not the previous one.
    Leap {
        /// The earlier stage's place.
        from: usize,
    },
    /// It is, or merges, what a later stage had as its tip.
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
        // A commit that another stage had as its tip (a fast-forward) is that
        // stage's; so is a merge of one. That a stage reaches a commit is not
        // enough: it need never have shown that commit's content.
        let second = case.history.commit(landing.commit).and_then(|c| c.parents.get(1).copied());
        let held = |stage: usize| {
            let merged = second.filter(|_| merge && !landing.unchanged);
            case.history.landed_on(landing.commit, stage)
                || merged.is_some_and(|id| case.history.landed_on(id, stage))
        };
        if let Some(from) = (0..place).rev().find(|stage| held(*stage)) {
            let next = from + 1 == place;
            return if next { Route::Promotion { from } } else { Route::Leap { from } };
        }
        if let Some(from) = (place + 1..stages).find(|stage| held(*stage)) {
            return Route::BackMerge { from };
        }
    }
    if merge && joins_stages(case, target, landing) {
        return Route::AncestryOnly;
    }
    match landing.pick(landing.commit) {
        Some(pick) => Route::Backport { of: pick.original.id },
        None if target.is_first() => Route::Topic,
        None => Route::Hotfix,
    }
}

/// A merge without content of its own joins histories only where a later stage
/// (for a line: any) has what it brings. Else new work would be declared landed
/// unseen: its content could follow in a merge that brings no commit, or never,
/// since the next promotion would find nothing to bring.
pub(crate) fn joins_stages(case: &Case<'_>, target: &Target<'_>, landing: &Landing) -> bool {
    let later = |reach: u32| match target.place() {
        Some(place) => reach >> place >> 1 != 0,
        None => reach != 0,
    };
    let side = landing.side.iter().map(|id| case.history.commit(*id).map_or(0, |c| c.reach));
    landing.unchanged && side.into_iter().all(later)
}
