//! Reads one file or one directory of a commit, or the text of a ref. It accepts regular text
//! files only.

use git2::ObjectType;
use refgate_core::{Oid, RefName};

use crate::GitError;
use crate::reader::Reader;

/// A text file in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedFile {
    /// The blob of the file.
    pub blob: Oid,
    /// The text of the file.
    pub text: String,
}

impl Reader {
    /// The text of the blob that a ref names. `None` if there is no such ref, if it names
    /// something else, or if the blob has more than `max_bytes` or is not UTF-8.
    ///
    /// # Errors
    /// Returns an error if the ref exists and cannot be read.
    pub fn blob_of_ref(&self, name: &str, max_bytes: usize) -> Result<Option<String>, GitError> {
        let id = match self.repository().refname_to_id(name) {
            Ok(id) => id,
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let odb = self.repository().odb()?;
        match odb.read_header(id) {
            Ok((size, git2::ObjectType::Blob)) if size <= max_bytes => {}
            _ => return Ok(None),
        }
        Ok(String::from_utf8(odb.read(id)?.data().to_vec()).ok())
    }

    /// A text file from the tree of a ref at rest; `None` if the ref or the path does not
    /// exist.
    ///
    /// # Errors
    /// Returns an error if the path exists, but is not a regular UTF-8 file within the limits. A
    /// symbolic link, a submodule or a directory in place of a policy is an attack
    /// (docs/design/threats.md, "Parser differences").
    pub fn tracked(&self, name: &RefName, path: &str) -> Result<Option<TrackedFile>, GitError> {
        match self.reference(name)? {
            Some((tip, _)) => self.file_in(tip, name.as_str(), path),
            None => Ok(None),
        }
    }

    /// A text file from the tree of a commit. `from` names the commit in errors.
    ///
    /// # Errors
    /// Returns the errors of [`Reader::tracked`].
    pub fn file_in(
        &self,
        commit: Oid,
        from: &str,
        path: &str,
    ) -> Result<Option<TrackedFile>, GitError> {
        let Some((mode, id)) = self.entry_at(self.commit(commit)?.tree, path)? else {
            return Ok(None);
        };
        let file_error = |why: &str| GitError::File {
            path: path.to_string(),
            reference: from.to_string(),
            why: why.to_string(),
        };
        if mode != 0o100_644 && mode != 0o100_755 {
            return Err(file_error("it is not a regular file"));
        }
        let data = self.object(id, ObjectType::Blob, self.bounds().max_policy_bytes)?;
        let text = String::from_utf8(data).map_err(|_| file_error("it is not valid UTF-8"))?;
        Ok(Some(TrackedFile { blob: id, text }))
    }

    /// The tree of a directory in a commit; the tree of the commit itself for an empty path.
    ///
    /// # Errors
    /// Returns an error if the commit or a tree cannot be read.
    pub fn folder_in(&self, commit: Oid, path: &str) -> Result<Option<Oid>, GitError> {
        let tree = self.commit(commit)?.tree;
        if path.is_empty() {
            return Ok(Some(tree));
        }
        let entry = self.entry_at(tree, path)?;
        Ok(entry.filter(|(mode, _)| *mode == 0o40_000).map(|(_, id)| id))
    }

    /// The mode and id at a path of a tree. Two entries whose names differ in case only are an
    /// error, because tools disagree about which of them counts.
    pub(crate) fn entry_at(&self, tree: Oid, path: &str) -> Result<Option<(u32, Oid)>, GitError> {
        let mut at = (0o40_000, tree);
        for part in path.split('/') {
            let tree = self.tree(at.1)?;
            let mut twins = tree.entries().filter(|e| e.name.eq_ignore_ascii_case(part.as_bytes()));
            let found = twins.next();
            if twins.next().is_some() {
                let why = format!("several of its entries are named `{part}`, except for case");
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
