//! How are a repository's settings written? Never while a push is being judged.

use std::path::{Path, PathBuf};

use git2::Repository;
use refgate_core::Oid;

use crate::GitError;
use crate::reader::{git, oid};

/// A repository for setting it up. It cannot be had inside a quarantine: there
/// libgit2 would write references that break the repository (docs/design/threats.md, R7).
pub struct Writer {
    repo: Repository,
}

impl Writer {
    /// Opens a repository for writing its settings.
    ///
    /// # Errors
    /// If a push is being judged (`quarantined`), or it cannot be opened.
    pub fn open(path: &Path, quarantined: bool) -> Result<Self, GitError> {
        if quarantined {
            return Err(GitError::Quarantine);
        }
        let repo = Repository::discover(path)?;
        Ok(Self { repo })
    }

    pub(crate) const fn repo(&self) -> &Repository {
        &self.repo
    }

    /// The git directory that worktrees share.
    #[must_use]
    pub fn git_dir(&self) -> PathBuf {
        self.repo.commondir().to_path_buf()
    }

    /// The value of a setting of this repository, if it has one of its own or
    /// from the machine.
    ///
    /// # Errors
    /// If the configuration cannot be read.
    pub fn setting(&self, key: &str) -> Result<Option<String>, GitError> {
        match self.repo.config()?.snapshot()?.get_str(key) {
            Ok(value) => Ok(Some(value.to_string())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The value of a setting in the repository's own configuration alone.
    ///
    /// # Errors
    /// If the configuration cannot be read.
    pub fn own_setting(&self, key: &str) -> Result<Option<String>, GitError> {
        let mut local = self.repo.config()?.open_level(git2::ConfigLevel::Local)?;
        match local.snapshot()?.get_str(key) {
            Ok(value) => Ok(Some(value.to_string())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a setting into the repository's own configuration.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn set(&self, key: &str, value: &str) -> Result<(), GitError> {
        let mut local = self.repo.config()?.open_level(git2::ConfigLevel::Local)?;
        Ok(local.set_str(key, value)?)
    }

    /// Writes a setting that may have several values; none removes it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn set_all(&self, key: &str, values: &[String]) -> Result<(), GitError> {
        let mut local = self.repo.config()?.open_level(git2::ConfigLevel::Local)?;
        match local.remove_multivar(key, ".*") {
            Err(error) if error.code() != git2::ErrorCode::NotFound => return Err(error.into()),
            _ => {}
        }
        for value in values {
            // A pattern that nothing matches adds the value.
            local.set_multivar(key, "^$", value)?;
        }
        Ok(())
    }

    /// The values of a setting in the repository's own configuration.
    ///
    /// # Errors
    /// If the configuration cannot be read.
    pub fn all_of(&self, key: &str) -> Result<Vec<String>, GitError> {
        let config = self.repo.config()?;
        let mut all = Vec::new();
        let entries = config.multivar(key, None)?;
        entries.for_each(|entry| all.extend(entry.value().ok().map(ToString::to_string)))?;
        Ok(all)
    }

    /// Removes a setting from the repository's own configuration.
    ///
    /// # Errors
    /// If it is there and cannot be removed.
    pub fn unset(&self, key: &str) -> Result<(), GitError> {
        let mut local = self.repo.config()?.open_level(git2::ConfigLevel::Local)?;
        match local.remove(key) {
            Err(error) if error.code() != git2::ErrorCode::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Adds one file to the ledger's tree in a commit of its own, on top of
    /// `parent`. No reference moves.
    ///
    /// # Errors
    /// If the parent cannot be read, or something cannot be written.
    pub fn append(
        &self,
        parent: Option<Oid>,
        path: &str,
        text: &str,
        message: &str,
    ) -> Result<Oid, GitError> {
        let blob = self.repo.blob(text.as_bytes())?;
        let parent = parent.map(|id| self.repo.find_commit(git(id))).transpose()?;
        let base = match &parent {
            Some(commit) => commit.tree()?,
            None => self.repo.find_tree(self.repo.treebuilder(None)?.write()?)?,
        };
        let mut update = git2::build::TreeUpdateBuilder::new();
        update.upsert(path, blob, git2::FileMode::Blob);
        let tree = self.repo.find_tree(update.create_updated(&self.repo, &base)?)?;
        let who = self.repo.signature()?;
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        Ok(oid(self.repo.commit(None, &who, &who, message, &tree, &parents)?))
    }

    /// The symbolic references under `refs/`, which let a push reach a branch
    /// under another name.
    ///
    /// # Errors
    /// If references cannot be listed.
    pub fn aliases(&self) -> Result<Vec<String>, GitError> {
        let mut all = Vec::new();
        for reference in self.repo.references()? {
            let reference = reference?;
            if reference.kind() == Some(git2::ReferenceType::Symbolic) {
                all.extend(reference.name().ok().map(ToString::to_string));
            }
        }
        Ok(all)
    }

    /// Whether any reference lies under a prefix such as `refs/replace/`.
    ///
    /// # Errors
    /// If references cannot be listed.
    pub fn has_prefix(&self, prefix: &str) -> Result<bool, GitError> {
        let mut found = self.repo.references_glob(&format!("{prefix}*"))?;
        Ok(found.names().next().is_some())
    }
}
