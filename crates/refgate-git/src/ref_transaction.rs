//! How do protected references move, all or none, each from the value at which it was judged?

use std::fs::File;
use std::path::{Path, PathBuf};

use git2::{Repository, Signature, Time};
use refgate_core::{Instant, Oid, RefName};

use crate::GitError;
use crate::reader::{Reader, git, oid};

/// One reference that is to move: full name, from, to.
pub type RefMove<'a> = (&'a str, Option<Oid>, Option<Oid>);

/// A repository whose references may be moved. It cannot be had in a
/// quarantine: what a push brought must be at rest (docs/design/threats.md, R7).
pub struct RefTransaction {
    repo: Repository,
    git_dir: PathBuf,
}

/// Where deleted references are kept, so that they can be restored (docs/design/model.md, "Records and the ledger").
/// No push reaches it, and `git fetch origin 'refs/refgate/*'` brings it along.
pub const DELETED: &str = "refs/refgate/deleted/";

/// Under which name what a reference held is kept.
fn kept_name(name: &str, old: Option<Oid>) -> Option<String> {
    Some(format!("{DELETED}{}/{}", name.strip_prefix("refs/")?, old?.short()))
}

impl RefTransaction {
    /// Takes over a repository that was read.
    ///
    /// # Errors
    /// If a push is still being judged (`quarantined`).
    pub fn of(reader: Reader, quarantined: bool) -> Result<Self, GitError> {
        if quarantined {
            return Err(GitError::Quarantine);
        }
        let git_dir = reader.git_dir().to_path_buf();
        Ok(Self { repo: reader.into_repo(), git_dir })
    }

    /// Takes the last line of a reference's log away, since the move it tells
    /// was never made.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub fn drop_orphan_reflog_entry(git_dir: &Path, name: &RefName) -> std::io::Result<()> {
        let path = git_dir.join("logs").join(name.as_str());
        let text = std::fs::read(&path)?;
        let body = text.strip_suffix(b"\n").unwrap_or(&text);
        let length = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let file = File::options().write(true).open(&path)?;
        file.set_len(u64::try_from(length).unwrap_or(0))?;
        file.sync_all()
    }

    /// Locks all of them, compares each with what it was, and moves all. The
    /// reflog says `at`: soak times are read from there.
    ///
    /// # Errors
    /// If one is locked by somebody else or is not what it was; then none moves.
    pub fn carry_out(&self, steps: &[RefMove<'_>], at: Instant) -> Result<(), GitError> {
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
                // As Git does: what comes by this name later is another reference.
                let _ = self.repo.reflog_delete(name);
            }
            self.keep(name, new.is_some());
        }
        Ok(())
    }

    /// Keeps what a reference holds that Git itself is about to delete.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_deleted(&self, name: &str, old: Oid) -> Result<(), GitError> {
        if let Some(kept) = kept_name(name, Some(old)) {
            self.repo.reference(&kept, git(old), true, "deleted")?;
        }
        Ok(())
    }

    /// libgit2 syncs nothing by itself (docs/design/threats.md, T11). The references are in
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
