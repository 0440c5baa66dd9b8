//! Compares a cherry-pick with what Git makes of its original. The hook and `git backport` use it.

use std::collections::BTreeSet;

use git2::ObjectType;
use refgate_core::{Change, ChangeMode, EntryKind, KeptSide, Oid, Receipt, Recipe, recipe};

use crate::merge_content::{PlainMerge, plain_merge};
use crate::reader::{EMPTY_TREE, Reader};
use crate::{GitError, ParsedCommit};

/// Compares a commit with the result of a cherry-pick of `original` onto its first parent, after
/// the recipes are applied to that result.
///
/// # Errors
/// Returns an error if an object cannot be read, or Git cannot compute the cherry-pick in time.
pub fn receipt(
    reader: &Reader,
    recipes: &[Recipe],
    (id, commit): (Oid, &ParsedCommit),
    original: Oid,
) -> Result<Receipt, GitError> {
    let Some(onto) = commit.parents.first().copied() else {
        return Ok(Receipt::Edited { paths: Vec::new() });
    };
    let own = reader.own_changes(id, commit)?;
    let marked = marked(reader, commit.tree, reader.commit(onto)?.tree, &own)?;
    if !marked.is_empty() {
        return Ok(Receipt::Marked { paths: marked });
    }
    let source = reader.commit(original)?;
    // A merge is picked against its first parent, so that the cherry-pick has the changes that
    // the merge brought.
    let base = source.parents.first().copied().unwrap_or(EMPTY_TREE);
    Pick { reader, recipes, onto, base, original }.compare(commit, &source, &own)
}

struct Pick<'r> {
    reader: &'r Reader,
    recipes: &'r [Recipe],
    onto: Oid,
    base: Oid,
    original: Oid,
}

impl Pick<'_> {
    fn compare(
        &self,
        commit: &ParsedCommit,
        source: &ParsedCommit,
        own: &[Change],
    ) -> Result<Receipt, GitError> {
        let reader = self.reader;
        let root = source.parents.is_empty();
        let before = if root { EMPTY_TREE } else { reader.commit(self.base)?.tree };
        let theirs = reader.changes(self.original, Some(before), Some(source.tree))?;
        let ours = reader.commit(self.onto)?.tree;
        if self.is_plain(commit.tree, source.tree, [ours, before], own, &theirs)? {
            return Ok(Receipt::Exact);
        }
        for change in own.iter().chain(&theirs) {
            let path = change.path.as_bytes();
            let held = |tree: Oid| reader.held(tree, path);
            reader.mergeable([held(before)?, held(ours)?, held(source.tree)?, None])?;
        }
        let PlainMerge { tree, conflicts } =
            plain_merge(reader, Some(self.base), [self.onto, self.original])?;
        let differing = reader.changes(self.original, Some(tree), Some(commit.tree))?;
        // A conflicting path counts as resolved by a person, also if its content is what Git
        // wrote. Recipes apply to paths without conflicts, too.
        let mut open: BTreeSet<String> = differing.into_iter().map(|one| one.path).collect();
        open.extend(conflicts.iter().map(|path| String::from_utf8_lossy(path).into_owned()));
        open.extend(
            own.iter()
                .chain(&theirs)
                .map(|change| change.path.clone())
                .filter(|path| recipe(self.recipes, path).is_some()),
        );
        let mut unexplained = BTreeSet::new();
        for path in open {
            let kept = match recipe(self.recipes, &path).map(|recipe| recipe.keep) {
                Some(KeptSide::Branch) => Some(ours),
                // The fix has nothing to keep in a path that it does not change.
                Some(KeptSide::Fix) => {
                    Some(source.tree).filter(|_| theirs.iter().any(|one| one.path == path))
                }
                None => None,
            };
            let held = |tree: Oid| reader.held(tree, path.as_bytes());
            let kept = kept.filter(|_| !path.contains(char::REPLACEMENT_CHARACTER));
            let explained = match kept {
                Some(from) => held(from)? == held(commit.tree)?,
                None => false,
            };
            if !explained {
                unexplained.insert(path);
            }
        }
        let resolved = |path: &String| conflicts.contains(path.as_bytes());
        let (settled, edited): (Vec<String>, Vec<String>) =
            unexplained.into_iter().partition(resolved);
        Ok(match (settled.is_empty(), edited.is_empty()) {
            (true, true) => Receipt::Exact,
            (false, true) => Receipt::Resolved { paths: settled },
            (_, false) => Receipt::Edited { paths: edited },
        })
    }

    /// Whether the cherry-pick is exact without a merge by Git: before the pick, each file is as
    /// the original found it. After the pick, it is as the original left it.
    fn is_plain(
        &self,
        tree: Oid,
        source: Oid,
        [ours, before]: [Oid; 2],
        own: &[Change],
        theirs: &[Change],
    ) -> Result<bool, GitError> {
        let paths = |changes: &[Change]| -> BTreeSet<String> {
            changes.iter().map(|change| change.path.clone()).collect()
        };
        let changed_paths = paths(own);
        // A path that is not UTF-8 was changed for display, so it cannot be looked up.
        if changed_paths.iter().any(|path| path.contains(char::REPLACEMENT_CHARACTER)) {
            return Ok(false);
        }
        if changed_paths != paths(theirs)
            || changed_paths.iter().any(|p| recipe(self.recipes, p).is_some())
        {
            return Ok(false);
        }
        for path in changed_paths {
            let held = |tree: Oid| self.reader.held(tree, path.as_bytes());
            if held(ours)? != held(before)? || held(tree)? != held(source)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The files in which a commit has more conflict markers than its parent.
pub(crate) fn marked(
    reader: &Reader,
    tree: Oid,
    parent: Oid,
    own: &[Change],
) -> Result<Vec<String>, GitError> {
    let mut found = Vec::new();
    let limit = reader.bounds().max_merged_bytes;
    let marks = |tree: Oid, path: &str| -> Result<usize, GitError> {
        match reader.held(tree, path.as_bytes())? {
            Some((id, mode)) if mode & 0o170_000 == 0o100_000 => {
                Ok(count(&reader.object(id, ObjectType::Blob, limit)?))
            }
            _ => Ok(0),
        }
    };
    for change in own {
        let file = change.kind == EntryKind::File && change.mode != ChangeMode::Deleted;
        if file && marks(tree, &change.path)? > marks(parent, &change.path)? {
            found.push(change.path.clone());
        }
    }
    Ok(found)
}

/// The number of conflicts in a file: its start markers or its end markers, whichever are more,
/// as `git diff --check` recognises them, of any length (`conflict-marker-size`). The `=======`
/// between them is not counted, because it also underlines headings.
fn count(content: &[u8]) -> usize {
    let marks = |mark: u8| {
        let is_mark = |line: &&[u8]| {
            let length = line.iter().take_while(|byte| **byte == mark).count();
            length >= 7 && line.get(length) == Some(&b' ')
        };
        content.split(|byte| *byte == b'\n').filter(is_mark).count()
    };
    marks(b'<').max(marks(b'>'))
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_conflict_markers_but_not_headings() {
        assert_eq!(count(b"a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\n"), 1);
        assert_eq!(count(b"a\r\n<<<<<<< HEAD\r\nb\r\n=======\r\nc\r\n>>>>>>> other\r\n"), 1);
        assert_eq!(count(b"Title\n=======\ntext\n"), 0);
        assert_eq!(count(b"<<<<<<<<<< HEAD\na\n==========\nb\n>>>>>>>>>> other\n"), 1);
        assert_eq!(count(b"a\n=======\nb\n>>>>>>> other\n"), 1);
        assert_eq!(count(b"<<<<<<< HEAD\na\n"), 1);
        assert_eq!(count(b" <<<<<<< HEAD\n<<<<<< a\n<<<<<<<\n> > > quoted\n"), 0);
    }
}
