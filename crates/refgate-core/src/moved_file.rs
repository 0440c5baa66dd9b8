//! Finds files that moved: a diff lists each as one deleted and one added file.

use alloc::vec::Vec;

use crate::{Change, ChangeMode, EntryKind};

/// The added files of a diff, in path order, each with the deleted file that it moved from, if
/// there is one.
pub(crate) fn moves<'c>(
    changes: impl Iterator<Item = &'c Change>,
) -> Vec<(&'c Change, Option<&'c Change>)> {
    let changes: Vec<&Change> = changes.collect();
    let sorted = |mode: ChangeMode| {
        let mut all: Vec<&Change> =
            changes.iter().copied().filter(|change| change.mode == mode).collect();
        all.sort();
        all
    };
    let mut gone = sorted(ChangeMode::Deleted);
    let pair = |added: &'c Change| {
        let at = gone.iter().position(|gone| is_move(gone, added));
        (added, at.map(|at| gone.remove(at)))
    };
    sorted(ChangeMode::Added).into_iter().map(pair).collect()
}

/// The growth of a file. A submodule or a symbolic link can stand for any code.
pub(crate) fn growth(change: &Change) -> Option<i64> {
    change.growth.filter(|_| change.kind == EntryKind::File)
}

/// Whether a deleted and an added file are one that moved: they have the same name, apart from
/// directory and extension, or exactly the same size.
fn is_move(gone: &Change, added: &Change) -> bool {
    let stem = |change: &Change| {
        let name = change.path.rsplit('/').next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        stem.to_lowercase()
    };
    let size =
        growth(added).zip(growth(gone)).is_some_and(|(new, old)| old.checked_neg() == Some(new));
    size || stem(gone) == stem(added)
}
