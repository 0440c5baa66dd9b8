//! Writes the settings of a repository, and records. It never writes while a push is in quarantine.

use std::path::{Path, PathBuf};

use git2::Repository;
use refgate_core::Oid;

use crate::GitError;
use crate::reader::{git, oid};
use crate::repository_checks::explain_open;

/// A repository that is open for writing. It cannot be created in a quarantine: libgit2 would
/// write refs there that break the repository (docs/design/threats.md, R7).
pub struct Writer {
    repo: Repository,
}

impl Writer {
    /// Opens a repository for writing.
    ///
    /// # Errors
    /// Returns an error if a push is in quarantine (`quarantined`), or the repository cannot be
    /// opened.
    pub fn open(path: &Path, quarantined: bool) -> Result<Self, GitError> {
        if quarantined {
            return Err(GitError::Quarantine);
        }
        let repo = Repository::discover(path).map_err(|error| explain_open(&error))?;
        Ok(Self { repo })
    }

    pub(crate) const fn repo(&self) -> &Repository {
        &self.repo
    }

    /// The Git directory that all worktrees share.
    #[must_use]
    pub fn git_dir(&self) -> PathBuf {
        self.repo.commondir().to_path_buf()
    }

    /// The value of a setting, from the configuration of the repository, the user or the
    /// system.
    ///
    /// # Errors
    /// Returns an error if the configuration cannot be read.
    pub fn setting(&self, key: &str) -> Result<Option<String>, GitError> {
        match self.repo.config()?.snapshot()?.get_str(key) {
            Ok(value) => Ok(Some(value.to_string())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The value of a setting in the configuration of the repository only.
    ///
    /// # Errors
    /// Returns an error if the configuration cannot be read.
    pub fn own_setting(&self, key: &str) -> Result<Option<String>, GitError> {
        let mut local = self.repo.config()?.open_level(git2::ConfigLevel::Local)?;
        match local.snapshot()?.get_str(key) {
            Ok(value) => Ok(Some(value.to_string())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a setting to the configuration of the repository.
    ///
    /// # Errors
    /// Returns an error if the setting cannot be written.
    pub fn set(&self, key: &str, value: &str) -> Result<(), GitError> {
        let mut local = self.repo.config()?.open_level(git2::ConfigLevel::Local)?;
        Ok(local.set_str(key, value)?)
    }

    /// Writes all values of a setting. An empty list removes the setting.
    ///
    /// # Errors
    /// Returns an error if the setting cannot be written.
    pub fn set_all(&self, key: &str, values: &[String]) -> Result<(), GitError> {
        let mut local = self.repo.config()?.open_level(git2::ConfigLevel::Local)?;
        match local.remove_multivar(key, ".*") {
            Err(error) if error.code() != git2::ErrorCode::NotFound => return Err(error.into()),
            _ => {}
        }
        for value in values {
            // The pattern matches no existing value, so libgit2 adds the value.
            local.set_multivar(key, "^$", value)?;
        }
        Ok(())
    }

    /// All values of a setting, from the configuration of the repository, the user and the
    /// system.
    ///
    /// # Errors
    /// Returns an error if the configuration cannot be read.
    pub fn setting_values(&self, key: &str) -> Result<Vec<String>, GitError> {
        let config = self.repo.config()?;
        let mut all = Vec::new();
        let entries = config.multivar(key, None)?;
        entries.for_each(|entry| all.extend(entry.value().ok().map(ToString::to_string)))?;
        Ok(all)
    }

    /// Removes a setting from the configuration of the repository.
    ///
    /// # Errors
    /// Returns an error if the setting exists and cannot be removed.
    pub fn unset(&self, key: &str) -> Result<(), GitError> {
        let mut local = self.repo.config()?.open_level(git2::ConfigLevel::Local)?;
        match local.remove(key) {
            Err(error) if error.code() != git2::ErrorCode::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Sets a ref to a blob with this text.
    ///
    /// # Errors
    /// Returns an error if the blob or the ref cannot be written.
    pub fn publish(&self, name: &str, text: &str) -> Result<(), GitError> {
        let blob = self.repo.blob(text.as_bytes())?;
        self.repo.reference(name, blob, true, "refgate install")?;
        Ok(())
    }

    /// Writes a commit on top of `parent` that adds one file to the tree of the ledger. It moves
    /// no ref.
    ///
    /// # Errors
    /// Returns an error if the parent cannot be read, or an object cannot be written.
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

    /// The symbolic refs under `refs/`. A push through such a ref reaches a branch under another
    /// name.
    ///
    /// # Errors
    /// Returns an error if the refs cannot be listed.
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

    /// Whether a ref has a prefix such as `refs/replace/`.
    ///
    /// # Errors
    /// Returns an error if the refs cannot be listed.
    pub fn has_prefix(&self, prefix: &str) -> Result<bool, GitError> {
        let mut found = self.repo.references_glob(&format!("{prefix}*"))?;
        Ok(found.names().next().is_some())
    }
}
