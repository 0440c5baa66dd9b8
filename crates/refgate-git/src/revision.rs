//! Resolves revisions, and reads tags, refs and settings for the programs that people run.

use refgate_core::Oid;

use crate::GitError;
use crate::reader::{Reader, oid};

impl Reader {
    /// The tags with the objects that they point to, sorted by name.
    ///
    /// # Errors
    /// Returns an error if the tags cannot be listed.
    pub fn tags(&self) -> Result<Vec<(String, Oid)>, GitError> {
        let mut all = Vec::new();
        for reference in self.repository().references_glob("refs/tags/*")? {
            let reference = reference?;
            if let (Ok(name), Some(target)) = (reference.name(), reference.target()) {
                all.push((name.to_string(), oid(target)));
            }
        }
        all.sort();
        Ok(all)
    }

    /// The target of a symbolic ref such as `HEAD`; `None` if the ref is not symbolic.
    ///
    /// # Errors
    /// Returns an error if the ref cannot be read.
    pub fn symbolic(&self, name: &str) -> Result<Option<String>, GitError> {
        match self.repository().find_reference(name) {
            Ok(found) => Ok(found.symbolic_target().ok().flatten().map(ToString::to_string)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every ref that points to an object, with its value. Audits use it. A hook never lists
    /// all refs.
    ///
    /// # Errors
    /// Returns an error if the refs cannot be listed.
    pub fn references(&self) -> Result<Vec<(String, Oid)>, GitError> {
        let mut all = Vec::new();
        for reference in self.repository().references()? {
            let reference = reference?;
            if let (Ok(name), Some(target)) = (reference.name(), reference.target()) {
                all.push((name.to_string(), oid(target)));
            }
        }
        Ok(all)
    }

    /// A setting, from the configuration of the repository, the user or the system.
    ///
    /// # Errors
    /// Returns an error if the configuration cannot be read.
    pub fn setting(&self, key: &str) -> Result<Option<String>, GitError> {
        match self.repository().config()?.snapshot()?.get_str(key) {
            Ok(value) => Ok(Some(value.to_string())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The commit that a revision names, as `git rev-parse` reads it.
    ///
    /// # Errors
    /// Returns an error if the revision names no commit of this repository.
    pub fn resolve(&self, revision: &str) -> Result<Oid, GitError> {
        let object = self.repository().revparse_single(revision)?;
        Ok(oid(object.peel_to_commit()?.id()))
    }

    /// The commit with this id, or the only commit whose id begins with `hex`; `None` if there
    /// is no such commit, or several. Unlike [`Self::resolve`], it never reads a ref name.
    #[must_use]
    pub fn named(&self, hex: &str) -> Option<Oid> {
        let odb = self.repository().odb().ok()?;
        let found = odb.exists_prefix(git2::Oid::from_str(hex).ok()?, hex.len()).ok()?;
        Some(oid(found)).filter(|id| self.commit(*id).is_ok())
    }

    /// The branch that is checked out, without `refs/heads/`.
    ///
    /// # Errors
    /// Returns an error if `HEAD` cannot be read.
    pub fn current_branch(&self) -> Result<Option<String>, GitError> {
        let head = self.repository().find_reference("HEAD")?;
        let target = head.symbolic_target()?;
        Ok(target.and_then(|name| name.strip_prefix("refs/heads/")).map(ToString::to_string))
    }

    /// The object that a revision names. A tag object is not followed.
    ///
    /// # Errors
    /// Returns an error if the revision names no object of this repository.
    pub fn resolve_object(&self, revision: &str) -> Result<Oid, GitError> {
        Ok(oid(self.repository().revparse_single(revision)?.id()))
    }
}
