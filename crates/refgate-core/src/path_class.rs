//! Finds the class that the changed paths alone imply, whatever the words of the title say
//! (docs/design/model.md, "Class").

use alloc::vec::Vec;

use crate::path_kind::is_source;
use crate::{Change, ClassId, PathKind, Policy};

/// The class that the changed paths alone imply: the first class whose `only` allows all of
/// them, else the class of their kinds.
pub(crate) fn class_of_paths(policy: &Policy, changes: &[Change]) -> Option<ClassId> {
    // `docs/**` is meant for documents: a source file in it says nothing.
    let source = changes.iter().any(|change| is_source(&change.path));
    let documents = policy.classes.find("docs").filter(|_| source);
    let limited = policy.classes.ids().filter(|id| Some(*id) != documents).find(|id| {
        let bounds = policy.classes.get(*id).map(|class| &class.bounds);
        bounds.is_some_and(|b| !b.only.is_empty() && changes.iter().all(|c| b.allow(c)))
            && !changes.is_empty()
    });
    limited.or_else(|| class_of_path_kinds(policy, changes))
}

/// `docs` if only documentation changes, `chore` if only files change that are no part of the
/// product. The limits `only` and `never` of the class hold.
fn class_of_path_kinds(policy: &Policy, changes: &[Change]) -> Option<ClassId> {
    let kinds: Option<Vec<PathKind>> = changes.iter().map(PathKind::of).collect();
    let kinds = kinds.filter(|kinds| !kinds.is_empty())?;
    let documents = kinds.iter().all(|kind| *kind == PathKind::Documentation);
    let class = policy.classes.find(if documents { "docs" } else { "chore" })?;
    let bounds = &policy.classes.get(class)?.bounds;
    changes.iter().all(|change| bounds.allow_path(change)).then_some(class)
}
