//! Does a merge hold content that comes from none of its parents?

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::{Case, ClassId, Finding, Route, RuleId, Requirement, Violation};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in landed {
        let Some(commit) = case.history.commit(one.landing.commit) else { continue };
        // Joining histories drops one side's content on purpose.
        // What another stage has accepted as it is was judged there.
        let accepted = commit.landed != 0;
        if commit.parents.len() != 2 || one.route == Route::AncestryOnly || accepted {
            continue;
        }
        let what = match &one.landing.evil {
            Some(paths) if paths.is_empty() || vouched(one) => continue,
            Some(paths) => Violation::EvilMerge {
                paths: paths.iter().take(5).cloned().collect(),
                total: paths.len(),
            },
            None => Violation::FactMissing { fact: "what a plain merge would give" },
        };
        found.push(Finding {
            rule: RuleId::EvilMerge,
            update: one.item.index,
            landing: Some(commit.id),
            what,
            requirement: Requirement::Never,
        });
    }
    found
}

/// A merge that declares its own class, and whose whole diff agrees, owns up
/// to its content: a resolved conflict looks no different (docs/design/model.md, "Class"). Nobody
/// can own up to dropping all that it brings: there is nothing to look at.
fn vouched(one: &ClassifiedLanding<'_>) -> bool {
    one.is_new_work()
        && !one.landing.unchanged
        && one.class.effective() != ClassId::UNCLASSIFIED
        && matches!(
            one.class.reason,
            crate::ClassReason::Declared {
                by: crate::DeclarationSource::Trailer | crate::DeclarationSource::Option,
                ..
            }
        )
}
