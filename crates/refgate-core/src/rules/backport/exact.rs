//! Requires an approval for backports that differ from what Git itself produces.

use alloc::vec::Vec;

use super::{BackportViolation, declared_class, finding};
use crate::case::ClassifiedLanding;
use crate::class_downgrade::{merge_downgrade, pick_downgrade};
use crate::{Case, Commit, Finding, Oid, Receipt, Requirement, Route, RuleId};

/// What Git makes of the original passes without an approval. Changes that a person made to
/// it, or wrote for this branch alone, need a second person, in a merge too.
pub(super) fn judge(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<Finding> {
    let straight = matches!(one.route, Route::Backport { .. } | Route::Hotfix);
    // What a later stage has was judged there. What a back-merge adds was not.
    let added = matches!(one.route, Route::BackMerge { .. }) && one.is_new_work();
    let applies = straight || added;
    if !case.policy.backport.exact || one.target.is_first() || !applies || one.is_squash(case) {
        return None;
    }
    let role = &case.policy.backport.approvers;
    let side = one.landing.side.iter().filter(|_| straight);
    let new = side.chain([&one.landing.commit]);
    let mut found: Vec<crate::Violation> =
        new.filter_map(|id| manual_change(case, one, *id)).collect();
    let marked = &one.landing.marked;
    if !marked.is_empty() {
        found.push(BackportViolation::ConflictMarkers { paths: marked.clone() }.into());
    }
    let final_one = found.iter().find(|violation| no_approval_helps(violation));
    let violation = final_one.or(found.first())?.clone();
    let requirement = match final_one {
        Some(_) => Requirement::Never,
        None if one.approved(case, RuleId::Backport, role) => return None,
        None => Requirement::Needs { role: role.clone() },
    };
    Some(finding(one, violation, requirement))
}

fn no_approval_helps(violation: &crate::Violation) -> bool {
    match violation {
        crate::Violation::Backport(BackportViolation::NotExact { receipt, .. }) => {
            matches!(receipt, Receipt::Marked { .. })
        }
        crate::Violation::Backport(BackportViolation::ConflictMarkers { .. })
        | crate::Violation::FactMissing { .. } => true,
        _ => false,
    }
}

/// What a person changed in one of the landing's commits.
fn manual_change(
    case: &Case<'_>,
    one: &ClassifiedLanding<'_>,
    id: Oid,
) -> Option<crate::Violation> {
    let commit = case.history.commit(id)?;
    // What another stage contains was judged there, under its own name.
    if commit.reach != 0 {
        let (class, was) = merge_downgrade(case, &one.class, commit)?;
        return Some(BackportViolation::Downgraded { of: id, class, was }.into());
    }
    let Some(pick) = one.landing.pick(id) else {
        return own_work(case, one, commit).map(Into::into);
    };
    let of = pick.original.id;
    match &pick.receipt {
        Some(Receipt::Exact) => {
            let landed = (one.landing.commit, &one.class);
            let (class, was) = pick_downgrade(case, landed, commit, pick)?;
            Some(BackportViolation::Downgraded { of, class, was }.into())
        }
        Some(receipt) => Some(BackportViolation::NotExact { of, receipt: receipt.clone() }.into()),
        None => {
            let fact = "what git makes of the original";
            Some(crate::Violation::FactMissing { fact })
        }
    }
}

/// Content that comes from no other branch, unless it has a class that may land directly
/// because there is no time for another way (docs/design/model.md, "Flow").
fn own_work(case: &Case<'_>, one: &ClassifiedLanding<'_>, commit: &Commit) -> Option<BackportViolation> {
    let mixed = match commit.id == one.landing.commit {
        true => one.landing.has_own_content() || commit.parents.len() > 2,
        false => one.landing.mixed.contains(&commit.id),
    };
    let plain = commit.parents.len() > 1 && !mixed;
    if plain || case.policy.hotfix.classes.contains(&declared_class(one)) {
        return None;
    }
    Some(BackportViolation::OwnWork { commit: commit.id, class: one.class.clone() })
}
