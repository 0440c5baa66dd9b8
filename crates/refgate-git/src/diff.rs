//! Lists the paths that differ between two trees. It never uses attributes or rename detection.

use std::collections::BTreeSet;

use refgate_core::{Change, ChangeMode, EntryKind, Oid};

use crate::merge_content::MAX_TREE_DEPTH;
use crate::reader::Reader;
use crate::tree::changed_entries;
use crate::{Entry, GitError, ParsedCommit};

/// The changes from one tree to another. `None` is the empty tree. A renamed file is one
/// deletion and one addition. `landing` names the commit in errors.
///
/// # Errors
/// Returns an error if a tree cannot be read, or there are more changes than the limit.
pub(crate) fn changes(
    reader: &Reader,
    landing: Oid,
    before: Option<Oid>,
    after: Option<Oid>,
) -> Result<Vec<Change>, GitError> {
    DiffWalk::new(reader, landing, false).run(before, after)
}

/// The same changes, with the number of bytes by which each file grows.
///
/// # Errors
/// Returns the errors of [`changes`].
pub(crate) fn changes_with_growth(
    reader: &Reader,
    landing: Oid,
    before: Option<Oid>,
    after: Option<Oid>,
) -> Result<Vec<Change>, GitError> {
    DiffWalk::new(reader, landing, true).run(before, after)
}

/// The longest path that operating systems can check out, in bytes.
const MAX_PATH_BYTES: usize = 4_096;

/// The maximum number of bytes of changed paths of one commit.
const MAX_CHANGED_PATH_BYTES: usize = 32 << 20;

struct DiffWalk<'r> {
    reader: &'r Reader,
    landing: Oid,
    found: Vec<Change>,
    path: Vec<u8>,
    depth: usize,
    bytes: usize,
    /// Whether the sizes of files are read.
    sizes: bool,
}

impl<'r> DiffWalk<'r> {
    const fn new(reader: &'r Reader, landing: Oid, sizes: bool) -> Self {
        Self { reader, landing, found: Vec::new(), path: Vec::new(), depth: 0, bytes: 0, sizes }
    }

    fn run(mut self, before: Option<Oid>, after: Option<Oid>) -> Result<Vec<Change>, GitError> {
        self.trees(before, after)?;
        Ok(self.found)
    }

    fn trees(&mut self, before: Option<Oid>, after: Option<Oid>) -> Result<(), GitError> {
        if before == after {
            return Ok(());
        }
        self.reader.check_deadline()?;
        let read = |id: Option<Oid>| id.map(|id| self.reader.tree(id)).transpose();
        let (before, after) = (read(before)?, read(after)?);
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        for (old_entry, new_entry) in changed_entries(&before, &after) {
            self.entry(old_entry, new_entry)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        old_entry: Option<Entry<'_>>,
        new_entry: Option<Entry<'_>>,
    ) -> Result<(), GitError> {
        if let (Some(a), Some(b)) = (old_entry, new_entry)
            && a.id == b.id
            && a.mode == b.mode
        {
            return Ok(());
        }
        let Some(any) = new_entry.or(old_entry) else { return Ok(()) };
        let length = self.path.len();
        self.path.extend_from_slice(any.name);
        if self.path.len() > MAX_PATH_BYTES {
            return Err(GitError::TooLong(self.landing));
        }
        if any.is_tree() {
            self.path.push(b'/');
            self.depth += 1;
            if self.depth > MAX_TREE_DEPTH {
                return Err(GitError::TooDeep(self.landing));
            }
            self.trees(old_entry.map(|entry| entry.id), new_entry.map(|entry| entry.id))?;
            self.depth -= 1;
        } else {
            let mode = match (old_entry, new_entry) {
                (None, _) => ChangeMode::Added,
                (_, None) => ChangeMode::Deleted,
                _ => ChangeMode::Modified,
            };
            // A change between a file, a symbolic link and a submodule has the highest of the
            // two kinds.
            let sides = [old_entry, new_entry].into_iter().flatten();
            let kind = sides.map(|entry| entry.kind()).max().unwrap_or(EntryKind::File);
            let path = String::from_utf8_lossy(&self.path).into_owned();
            self.bytes += path.len();
            if self.bytes > MAX_CHANGED_PATH_BYTES {
                return Err(GitError::TooMuch {
                    what: "changed paths",
                    limit: MAX_CHANGED_PATH_BYTES,
                });
            }
            let growth = self.growth(old_entry, new_entry);
            self.found.push(Change { path, mode, kind, growth });
            if self.found.len() > self.reader.bounds().max_changes {
                return Err(GitError::TooManyChanges(self.landing));
            }
        }
        self.path.truncate(length);
        Ok(())
    }
}

impl DiffWalk<'_> {
    /// The number of bytes by which a file grows. `None` if the size is not needed, or if an
    /// object is not here, as in a partial clone.
    fn growth(&self, old: Option<Entry<'_>>, new: Option<Entry<'_>>) -> Option<i64> {
        let size = |entry: Option<Entry<'_>>| match entry {
            Some(entry) => i64::try_from(self.reader.size(entry.id).ok()?).ok(),
            None => Some(0),
        };
        let (old, new) = if self.sizes { (size(old)?, size(new)?) } else { return None };
        new.checked_sub(old)
    }
}

impl Reader {
    /// The paths that differ between two trees; `None` is the empty tree.
    ///
    /// # Errors
    /// Returns an error if a tree cannot be read, or there are more changes than the limit.
    pub fn changes(
        &self,
        landing: Oid,
        before: Option<Oid>,
        after: Option<Oid>,
    ) -> Result<Vec<Change>, GitError> {
        changes(self, landing, before, after)
    }

    /// The changes of a commit against its first parent.
    ///
    /// # Errors
    /// Returns the errors of [`Reader::changes`].
    pub fn own_changes(&self, id: Oid, commit: &ParsedCommit) -> Result<Vec<Change>, GitError> {
        let before = match commit.parents.first() {
            Some(parent) => Some(self.commit(*parent)?.tree),
            None => None,
        };
        self.changes(id, before, Some(commit.tree))
    }

    /// The changes of a landing against its first parent, with the number of bytes by which each
    /// file grows.
    ///
    /// # Errors
    /// Returns the errors of [`Reader::changes`].
    pub fn landing_changes(&self, id: Oid, commit: &ParsedCommit) -> Result<Vec<Change>, GitError> {
        let parent = commit.parents.first();
        let before = parent.map(|parent| self.commit(*parent).map(|one| one.tree)).transpose()?;
        changes_with_growth(self, id, before, Some(commit.tree))
    }

    /// The paths that a commit changes against its first parent.
    ///
    /// # Errors
    /// Returns the errors of [`Reader::changes`].
    pub(crate) fn changed_paths(&self, id: Oid) -> Result<BTreeSet<String>, GitError> {
        let changes = self.own_changes(id, &self.commit(id)?)?;
        Ok(changes.into_iter().map(|change| change.path).collect())
    }
}
