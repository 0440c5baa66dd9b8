//! How do protected references move, all or none, each from the value at which it was judged?

use std::fs::File;
use std::path::{Path, PathBuf};

use git2::{Repository, Signature};
use refgate_core::Oid;

use crate::GitError;
use crate::reader::{git, oid};

/// One reference that is to move: full name, from, to.
pub type Step<'a> = (&'a str, Option<Oid>, Option<Oid>);

/// A repository whose references may be moved. It cannot be had in a
/// quarantine: what a push brought must be at rest (SECURITY.md R7).
pub struct Mover {
    repo: Repository,
    git_dir: PathBuf,
}

impl Mover {
    /// Opens a repository for moving its references.
    ///
    /// # Errors
    /// If a push is being judged, or it cannot be opened.
    pub fn open(git_dir: &Path, quarantined: bool) -> Result<Self, GitError> {
        if quarantined {
            return Err(GitError::Quarantine);
        }
        let repo = Repository::open_bare(git_dir)
            .map_err(|error| GitError::Open(error.message().to_string()))?;
        Ok(Self { repo, git_dir: git_dir.to_path_buf() })
    }

    /// Locks all of them, compares each with what it was, and moves all.
    ///
    /// # Errors
    /// If one is locked by somebody else or is not what it was; then none moves.
    pub fn carry_out(&self, steps: &[Step<'_>]) -> Result<(), GitError> {
        let who = Signature::now("refgate", "refgate@localhost")?;
        let mut all = self.repo.transaction()?;
        for (name, ..) in steps {
            all.lock_ref(name)?;
        }
        for (name, old, new) in steps {
            let here = match self.repo.refname_to_id(name) {
                Ok(id) => Some(oid(id)),
                Err(error) if error.code() == git2::ErrorCode::NotFound => None,
                Err(error) => return Err(error.into()),
            };
            if here != *old {
                let show = |id: Option<Oid>| id.map_or("nothing".to_string(), |id| id.short());
                let (actual, claimed) = (show(here), show(*old));
                return Err(GitError::Stale { name: (*name).to_string(), actual, claimed });
            }
            match new {
                Some(new) => all.set_target(name, git(*new), Some(&who), "push")?,
                None => all.remove(name)?,
            }
        }
        all.commit()?;
        for (name, _, new) in steps {
            self.keep(name, new.is_some());
        }
        Ok(())
    }

    /// libgit2 syncs nothing by itself (SECURITY.md T11). The references are in
    /// place either way; a disk that cannot sync will tell others too.
    fn keep(&self, name: &str, exists: bool) {
        let path = self.git_dir.join(name);
        if exists {
            let _ = File::open(&path).and_then(|file| file.sync_all());
        }
        let folder = path.parent().unwrap_or(&self.git_dir);
        let _ = File::open(folder).and_then(|file| file.sync_all());
    }
}
