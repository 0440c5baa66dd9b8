//! What does a file hold at a reference's accepted tip?

use git2::ObjectType;
use refgate_core::{Oid, RefName};

use crate::GitError;
use crate::reader::Reader;

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedFile {
    /// Its blob.
    pub blob: Oid,
    /// Its text.
    pub text: String,
}

impl Reader {
    /// A text file from the tree of a reference at rest; `None` if the
    /// reference or the path does not exist.
    ///
    /// # Errors
    /// If the path is there and is no plain file of UTF-8 within the limits: a
    /// link, a submodule or a folder in a policy's place is an attack
    /// (docs/design/threats.md, "Parser differences").
    pub fn tracked(&self, name: &RefName, path: &str) -> Result<Option<TrackedFile>, GitError> {
        match self.reference(name)? {
            Some((tip, _)) => self.file_in(tip, name.as_str(), path),
            None => Ok(None),
        }
    }

    /// A text file from the tree of a commit.
    ///
    /// # Errors
    /// As [`Reader::tracked`].
    pub fn file_in(
        &self,
        commit: Oid,
        from: &str,
        path: &str,
    ) -> Result<Option<TrackedFile>, GitError> {
        let Some((mode, id)) = self.entry_at(self.commit(commit)?.tree, path)? else {
            return Ok(None);
        };
        let complain = |why: &str| GitError::File {
            path: path.to_string(),
            reference: from.to_string(),
            why: why.to_string(),
        };
        if mode != 0o100_644 && mode != 0o100_755 {
            return Err(complain("it is no plain file"));
        }
        let data = self.object(id, ObjectType::Blob, self.bounds().max_policy_bytes)?;
        let text = String::from_utf8(data).map_err(|_| complain("it is not UTF-8"))?;
        Ok(Some(TrackedFile { blob: id, text }))
    }

    /// The tree of a folder in a commit; the commit's own for an empty path.
    ///
    /// # Errors
    /// If the commit or a tree cannot be read.
    pub fn folder_in(&self, commit: Oid, path: &str) -> Result<Option<Oid>, GitError> {
        let tree = self.commit(commit)?.tree;
        if path.is_empty() {
            return Ok(Some(tree));
        }
        let entry = self.entry_at(tree, path)?;
        Ok(entry.filter(|(mode, _)| *mode == 0o40_000).map(|(_, id)| id))
    }

    /// The mode and id at a path of a tree. A twin that differs only in case
    /// would be another file to some tools, so it is refused.
    pub(crate) fn entry_at(&self, tree: Oid, path: &str) -> Result<Option<(u32, Oid)>, GitError> {
        let mut at = (0o40_000, tree);
        for part in path.split('/') {
            let tree = self.tree(at.1)?;
            let mut twins = tree.entries().filter(|e| e.name.eq_ignore_ascii_case(part.as_bytes()));
            let found = twins.next();
            if twins.next().is_some() {
                let why = format!("it has several entries that read `{part}`");
                return Err(GitError::Object { id: at.1, why });
            }
            match found {
                Some(entry) if entry.name == part.as_bytes() => at = (entry.mode, entry.id),
                _ => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}
