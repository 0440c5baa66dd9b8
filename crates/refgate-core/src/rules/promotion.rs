//! Requires that a promotion moves all commits, in order, and adds nothing.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::rules::Properties;
use crate::{Case, Finding, Oid, Requirement, Route, RuleId};

/// What is wrong with a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromotionViolation {
    /// The promotion is squashed into a new commit.
    Squashed {
        /// The branch of the previous stage.
        from: String,
        /// The commit there that has the same tree.
        of: Oid,
    },
    /// The promoting merge commit has content of its own.
    Differs {
        /// The branch of the previous stage.
        from: String,
    },
    /// The commits skip a stage.
    SkipsStage {
        /// The branch that they come from.
        from: String,
        /// The branch that they skip.
        over: String,
    },
}

pub(crate) const PROPERTIES: Properties = Properties::DEFAULT;

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let finding = |one: &ClassifiedLanding<'_>, violation: PromotionViolation| Finding {
        rule: RuleId::Promotion,
        update: one.item.index,
        landing: Some(one.landing.commit),
        violation: violation.into(),
        requirement: Requirement::Never,
    };
    landed.iter().filter_map(|one| judge(case, one).map(|what| finding(one, what))).collect()
}

fn judge(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<PromotionViolation> {
    let branch = |place: usize| {
        let stage = case.policy.flow.stages.get(place);
        stage.map_or_else(String::new, |stage| stage.branch.short().to_string())
    };
    match one.route {
        Route::Promotion { from } => {
            let own = !case.history.reached_by(one.landing.commit, from);
            let differs = !one.landing.same_as_side || one.landing.resolved;
            (case.policy.promotion.same_tree && own && differs)
                .then(|| PromotionViolation::Differs { from: branch(from) })
        }
        Route::SkippedStage { from } => {
            let over = one.target.place()?.checked_sub(1)?;
            Some(PromotionViolation::SkipsStage { from: branch(from), over: branch(over) })
        }
        Route::Hotfix | Route::Backport { .. } | Route::BackMerge { .. } => {
            let from = one.target.place()?.checked_sub(1)?;
            one.landing.squash_of.map(|of| PromotionViolation::Squashed { from: branch(from), of })
        }
        Route::AncestryOnly | Route::Topic => None,
    }
}
