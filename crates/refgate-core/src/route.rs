//! Determines the route by which a landing reaches a stage or line.

use crate::{Case, Landing, Oid, Target};

/// The route of a landing (docs/design/model.md, "Flow").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// It is, or merges, a commit that was the tip of the previous stage.
    Promotion {
        /// The index of the previous stage.
        from: usize,
    },
    /// A skipped stage: it is, or merges, a former tip of an earlier stage, not the previous
    /// one.
    SkippedStage {
        /// The index of the earlier stage.
        from: usize,
    },
    /// It is, or merges, a commit that was the tip of a later stage.
    BackMerge {
        /// The index of the later stage.
        from: usize,
    },
    /// It is a merge that joins histories without a change of content.
    AncestryOnly,
    /// It is a cherry-pick of a commit that another stage has.
    Backport {
        /// The original.
        of: Oid,
    },
    /// It goes directly to a stage other than the first, or to a line.
    Hotfix,
    /// It is new work for the first stage.
    Topic,
}

impl Route {
    /// Its name in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Promotion { .. } => "promotion",
            Self::SkippedStage { .. } => "skipped-stage",
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
        // A commit that was the tip of another stage belongs to that stage, and so does a
        // merge of it. It is not sufficient that a stage reaches a commit, because the stage
        // may never have had its content.
        let second = case.history.commit(landing.commit).and_then(|c| c.parents.get(1).copied());
        let held = |stage: usize| {
            let merged = second.filter(|_| merge && !landing.unchanged);
            case.history.landed_on(landing.commit, stage)
                || merged.is_some_and(|id| case.history.landed_on(id, stage))
        };
        if let Some(from) = (0..place).rev().find(|stage| held(*stage)) {
            let next = from + 1 == place;
            return if next { Route::Promotion { from } } else { Route::SkippedStage { from } };
        }
        if let Some(from) = (place + 1..stages).find(|stage| held(*stage)) {
            return Route::BackMerge { from };
        }
    }
    if merge && joins_histories(case, target, landing) {
        return Route::AncestryOnly;
    }
    match landing.pick(landing.commit) {
        Some(pick) => Route::Backport { of: pick.original.id },
        None if target.is_first() => Route::Topic,
        None => Route::Hotfix,
    }
}

/// Whether a merge without content of its own joins histories. A later stage (for a line: any
/// stage) must have its side commits. Otherwise new work would count as landed without its
/// content. The content could then follow in a merge without new commits, or never arrive,
/// because the next promotion would bring no commit.
pub(crate) fn joins_histories(case: &Case<'_>, target: &Target<'_>, landing: &Landing) -> bool {
    let later = |reach: u32| match target.place() {
        Some(place) => reach >> place >> 1 != 0,
        None => reach != 0,
    };
    let side = landing.side.iter().map(|id| case.history.commit(*id).map_or(0, |c| c.reach));
    landing.unchanged && side.into_iter().all(later)
}
