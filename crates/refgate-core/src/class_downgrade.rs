//! Detects backports and merges that declare a lower class than their commits.

use crate::{Case, ClassId, ClassReason, Classification, Commit, Oid, Pick, classify_commit};

/// The class of a pick and the higher class of its original, if the pick downgrades it. If
/// the original declares nothing, the pick may declare nothing either.
pub(crate) fn pick_downgrade(
    case: &Case<'_>,
    (landing, class): (Oid, &Classification),
    commit: &Commit,
    pick: &Pick,
) -> Option<(ClassId, ClassId)> {
    let tip = commit.id == landing;
    let own = classify_commit(case.policy, Some(case.push).filter(|_| tip), commit);
    let rank = |class: ClassId| case.policy.classes.rank(class);
    let was = classify_commit(case.policy, None, &pick.original);
    // Each commit that a picked merge brought counts with its own class, except other merges.
    let plain = pick.brought.iter().filter(|commit| commit.parents.len() < 2);
    let brought = plain.map(|commit| classify_commit(case.policy, None, commit));
    let meant = brought.filter(|one| one.reason != ClassReason::Nothing && !one.is_guess());
    let own_was = Some(was.class).filter(|_| was.reason != ClassReason::Nothing);
    let was = meant.map(|one| one.class).chain(own_was).max_by_key(|class| rank(*class));
    let declared = !tip && matches!(class.reason, ClassReason::Declared { guess: false, .. });
    let class = if declared { class.class } else { own.class };
    match was {
        Some(was) => (rank(class) < rank(was)).then_some((class, was)),
        None if declared || own.reason != ClassReason::Nothing => {
            Some((class, ClassId::UNCLASSIFIED))
        }
        None => None,
    }
}

/// The class that a merge declares and the higher class of a commit that it brings, if the
/// merge downgrades it.
pub(crate) fn merge_downgrade(
    case: &Case<'_>,
    merge: &Classification,
    commit: &Commit,
) -> Option<(ClassId, ClassId)> {
    let was = classify_commit(case.policy, None, commit);
    let meant = was.reason != ClassReason::Nothing && !was.is_guess() && commit.parents.len() < 2;
    let declared = matches!(merge.reason, ClassReason::Declared { guess: false, .. });
    let rank = |class: ClassId| case.policy.classes.rank(class);
    let less = declared && meant && rank(merge.class) < rank(was.class);
    less.then_some((merge.class, was.class))
}
