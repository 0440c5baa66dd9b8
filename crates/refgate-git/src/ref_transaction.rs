//! Moves protected refs in one transaction, each from the value at which it was judged.

use std::fs::File;
use std::path::{Path, PathBuf};

use git2::{Repository, Signature, Time};
use refgate_core::{Instant, Oid, RefName};

use crate::GitError;
use crate::reader::{Reader, git, oid};

/// One ref update: full name, old value, new value.
pub type RefMove<'a> = (&'a str, Option<Oid>, Option<Oid>);

/// A repository in which refs can be moved. It cannot be created in a quarantine: the objects
/// of the push must be at rest first (docs/design/threats.md, R7).
pub struct RefTransaction {
    repo: Repository,
    git_dir: PathBuf,
}

/// The prefix of the refs that keep deleted refs, so that they can be restored
/// (docs/design/model.md, "Deletions"). Nobody can push to it. `git fetch origin
/// 'refs/refgate/*'` fetches it.
pub const DELETED: &str = "refs/refgate/deleted/";

/// The name of the ref that keeps a deleted ref.
fn kept_name(name: &str, old: Option<Oid>) -> Option<String> {
    Some(format!("{DELETED}{}/{}", name.strip_prefix("refs/")?, old?.short()))
}

impl RefTransaction {
    /// Creates it from a reader of the same repository.
    ///
    /// # Errors
    /// Returns an error if a push is in quarantine (`quarantined`).
    pub fn of(reader: Reader, quarantined: bool) -> Result<Self, GitError> {
        if quarantined {
            return Err(GitError::Quarantine);
        }
        let git_dir = reader.git_dir().to_path_buf();
        Ok(Self { repo: reader.into_repo(), git_dir })
    }

    /// Removes the last line of the reflog of a ref. The caller has found that the ref never
    /// made the move in that line.
    ///
    /// # Errors
    /// Returns an error if the reflog cannot be written.
    pub fn drop_orphan_reflog_entry(git_dir: &Path, name: &RefName) -> std::io::Result<()> {
        let path = git_dir.join("logs").join(name.as_str());
        let text = std::fs::read(&path)?;
        let body = text.strip_suffix(b"\n").unwrap_or(&text);
        let length = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let file = File::options().write(true).open(&path)?;
        file.set_len(u64::try_from(length).unwrap_or(0))?;
        file.sync_all()
    }

    /// Locks all refs, compares each with its old value, and moves all. The reflog gets the
    /// time `at`, because soak times are read from the reflog.
    ///
    /// # Errors
    /// Returns an error if a ref is locked by another process, or does not have its old value.
    /// Then no ref moves.
    pub fn update_refs(&self, steps: &[RefMove<'_>], at: Instant) -> Result<(), GitError> {
        let who = Signature::new("refgate", "refgate@localhost", &Time::new(at.timestamp(), 0))?;
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
                None => {
                    if let (Some(old), Some(kept)) = (old, kept_name(name, *old)) {
                        all.lock_ref(&kept)?;
                        all.set_target(&kept, git(*old), Some(&who), "deleted")?;
                    }
                    all.remove(name)?;
                }
            }
        }
        all.commit()?;
        for (name, _, new) in steps {
            if new.is_none() {
                // Git also deletes the reflog: a later ref of this name is another ref.
                let _ = self.repo.reflog_delete(name);
            }
            self.keep(name, new.is_some());
        }
        Ok(())
    }

    /// Keeps the value of a ref that Git is about to delete.
    ///
    /// # Errors
    /// Returns an error if the ref that keeps it cannot be written.
    pub fn keep_deleted(&self, name: &str, old: Oid) -> Result<(), GitError> {
        if let Some(kept) = kept_name(name, Some(old)) {
            self.repo.reference(&kept, git(old), true, "deleted")?;
        }
        Ok(())
    }

    /// Syncs a ref and its directory to the disk. libgit2 does not sync (docs/design/threats.md,
    /// T11). An error is ignored, because the ref has already moved.
    fn keep(&self, name: &str, exists: bool) {
        let path = self.git_dir.join(name);
        if exists {
            let _ = File::open(&path).and_then(|file| file.sync_all());
        }
        let folder = path.parent().unwrap_or(&self.git_dir);
        let _ = File::open(folder).and_then(|file| file.sync_all());
    }
}
