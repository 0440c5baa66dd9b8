//! Rejects merge commits with content that comes from none of their parents.

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::needs::Needs;
use crate::rules::Properties;
use crate::{
    Case, ClassId, ClassReason, DeclarationSource, Finding, Requirement, Route, RuleId, rules,
};

/// A merge commit contains changes of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvilMergeViolation {
    /// The first paths.
    pub paths: Vec<String>,
    /// The number of paths.
    pub total: usize,
}

pub(crate) const PROPERTIES: Properties =
    Properties { facts: |_| Needs { evil: true, ..Needs::NONE }, ..Properties::DEFAULT };

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for one in landed {
        let Some(commit) = case.history.commit(one.landing.commit) else { continue };
        // An ancestry-only merge drops the content of one side on purpose, and a merge
        // that another stage has accepted was judged there.
        let accepted = commit.landed != 0;
        if commit.parents.len() != 2 || one.route == Route::AncestryOnly || accepted {
            continue;
        }
        let violation = match &one.landing.evil {
            Some(paths) if paths.is_empty() || is_declared(one) => continue,
            Some(paths) => {
                let first = paths.iter().take(5).cloned().collect();
                EvilMergeViolation { paths: first, total: paths.len() }.into()
            }
            None => rules::Violation::FactMissing { fact: "what a plain merge would give" },
        };
        found.push(Finding {
            rule: RuleId::EvilMerge,
            update: one.item.index,
            landing: Some(commit.id),
            violation,
            requirement: Requirement::Never,
        });
    }
    found
}

/// Whether the merge declares its own class and its whole diff agrees. A conflict that
/// was resolved by hand looks the same (docs/design/model.md, "Class"). A merge that
/// drops everything it brings cannot be declared: there is no diff to check.
fn is_declared(one: &ClassifiedLanding<'_>) -> bool {
    one.is_new_work()
        && !one.landing.unchanged
        && one.class.effective() != ClassId::UNCLASSIFIED
        && matches!(
            one.class.reason,
            ClassReason::Declared {
                by: DeclarationSource::Trailer | DeclarationSource::Option,
                ..
            }
        )
}
