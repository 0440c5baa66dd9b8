//! Does a promotion keep history in one piece: all of it, in order, nothing added?

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::{Case, Finding, Route, RuleId, Requirement, Violation};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let finding = |one: &ClassifiedLanding<'_>, what| Finding {
        rule: RuleId::Promotion,
        update: one.item.index,
        landing: Some(one.landing.commit),
        what,
        requirement: Requirement::Never,
    };
    landed.iter().filter_map(|one| objection(case, one).map(|what| finding(one, what))).collect()
}

fn objection(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<Violation> {
    let branch = |place: usize| {
        let stage = case.policy.flow.stages.get(place);
        stage.map_or_else(String::new, |stage| stage.branch.short().to_string())
    };
    match one.route {
        Route::Promotion { from } => {
            let own = !case.history.reached_by(one.landing.commit, from);
            let differs = !one.landing.same_as_side || one.landing.resolved;
            (case.policy.promotion.same_tree && own && differs)
                .then(|| Violation::PromotionDiffers { from: branch(from) })
        }
        Route::Leap { from } => {
            let over = one.target.place()?.checked_sub(1)?;
            Some(Violation::Leapt { from: branch(from), over: branch(over) })
        }
        Route::Hotfix | Route::Backport { .. } | Route::BackMerge { .. } => {
            let from = one.target.place()?.checked_sub(1)?;
            one.landing.squash_of.map(|of| Violation::Squashed { from: branch(from), of })
        }
        Route::AncestryOnly | Route::Topic => None,
    }
}
