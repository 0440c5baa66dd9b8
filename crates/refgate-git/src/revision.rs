//! What does a person mean by a revision, and what has the repository's configuration to say?

use refgate_core::Oid;

use crate::GitError;
use crate::reader::{Reader, oid};

impl Reader {
    /// The tags with what they name, in the order of their names.
    ///
    /// # Errors
    /// If they cannot be listed.
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

    /// What a symbolic reference such as `HEAD` points to, if it is one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn symbolic(&self, name: &str) -> Result<Option<String>, GitError> {
        match self.repository().find_reference(name) {
            Ok(found) => Ok(found.symbolic_target().ok().flatten().map(ToString::to_string)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every reference that names an object, with its value. For audits; no
    /// hook lists them all.
    ///
    /// # Errors
    /// If they cannot be listed.
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

    /// A setting, from the repository or the person's own configuration.
    ///
    /// # Errors
    /// If the configuration cannot be read.
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
    /// If it names no commit here.
    pub fn resolve(&self, revision: &str) -> Result<Oid, GitError> {
        let object = self.repository().revparse_single(revision)?;
        Ok(oid(object.peel_to_commit()?.id()))
    }

    /// The commit whose id is this, or alone begins so; `None` where there is
    /// none, or several. Unlike [`Self::resolve`], never a name of a reference.
    #[must_use]
    pub fn named(&self, hex: &str) -> Option<Oid> {
        let odb = self.repository().odb().ok()?;
        let found = odb.exists_prefix(git2::Oid::from_str(hex).ok()?, hex.len()).ok()?;
        Some(oid(found)).filter(|id| self.commit(*id).is_ok())
    }

    /// The branch that is checked out, without `refs/heads/`.
    ///
    /// # Errors
    /// If `HEAD` cannot be read.
    pub fn current_branch(&self) -> Result<Option<String>, GitError> {
        let head = self.repository().find_reference("HEAD")?;
        let target = head.symbolic_target()?;
        Ok(target.and_then(|name| name.strip_prefix("refs/heads/")).map(ToString::to_string))
    }

    /// The object that a revision names, tags as they are.
    ///
    /// # Errors
    /// If it names nothing here.
    pub fn resolve_object(&self, revision: &str) -> Result<Oid, GitError> {
        Ok(oid(self.repository().revparse_single(revision)?.id()))
    }
}
