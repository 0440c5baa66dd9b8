//! Appends decisions to the audit log, and reads them. It writes no other ref.
//!
//! A push in quarantine must not write refs: libgit2 would leave refs to objects
//! that disappear (docs/design/threats.md, T12). A log entry names no object of the
//! push. It is a commit in the repository at rest. [`AuditLog`] opens that repository
//! by its path, so libgit2 does not see the quarantine.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{Repository, Signature};
use refgate_core::{Instant, Oid, RecordId};

use crate::GitError;
use crate::reader::{Reader, git, oid};

/// The ref of the audit log. Nobody can push to it.
pub const LOG: &str = "refs/refgate/log";

/// How many times [`AuditLog::append`] tries to move the ref. It waits a millisecond between tries.
const MAX_TRIES: usize = 2_000;

/// One use of a waiver: a waiver, a ref and a landing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverUse {
    /// The record of the waiver.
    pub waiver: RecordId,
    /// The ref.
    pub on: String,
    /// The landing. For a finding without a landing, the new value of the ref.
    pub of: Oid,
}

/// The audit log of a repository at rest. It writes the ref [`LOG`] and no other ref.
pub struct AuditLog {
    repo: Repository,
    git_dir: PathBuf,
}

impl AuditLog {
    /// Opens the audit log of the repository with this Git directory.
    ///
    /// # Errors
    /// Returns an error if the repository cannot be opened.
    pub fn open(git_dir: &Path) -> Result<Self, GitError> {
        let repo = Repository::open_bare(git_dir)
            .map_err(|error| GitError::Open(error.message().to_string()))?;
        Ok(Self { repo, git_dir: git_dir.to_path_buf() })
    }

    /// Appends an entry, also when other processes append at the same time. The entry
    /// is on the disk when this function returns.
    ///
    /// # Errors
    /// Returns an error if the entry cannot be written. The log is then unchanged.
    pub fn append(&self, text: &str, uses: &[WaiverUse], at: Instant) -> Result<Oid, GitError> {
        let when = git2::Time::new(at.timestamp(), 0);
        let who = Signature::new("refgate", "refgate@localhost", &when)?;
        for _ in 0..MAX_TRIES {
            let tip = self.tip()?;
            let parent = tip.map(|id| self.repo.find_commit(id)).transpose()?;
            let tree = self.tree(parent.as_ref(), uses)?;
            let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
            let tree = self.repo.find_tree(tree)?;
            let id = self.repo.commit(None, &who, &who, text, &tree, &parents)?;
            self.sync(id)?;
            let expected = tip.unwrap_or(git2::Oid::ZERO_SHA1);
            let moved = match tip {
                None => self.repo.reference(LOG, id, false, "decision"),
                Some(_) => self.repo.reference_matching(LOG, id, true, expected, "decision"),
            };
            match moved {
                Ok(_) => {
                    sync_file(&self.git_dir.join(LOG));
                    return Ok(oid(id));
                }
                // Another process has moved the ref, or holds its lock.
                Err(error) if is_race(&error) => std::thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(GitError::Busy(LOG))
    }

    fn tip(&self) -> Result<Option<git2::Oid>, GitError> {
        match self.repo.refname_to_id(LOG) {
            Ok(id) => Ok(Some(id)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the tree of an entry. It has one file for each use of a waiver, so
    /// counting the uses needs no walk through the log.
    fn tree(
        &self,
        parent: Option<&git2::Commit<'_>>,
        uses: &[WaiverUse],
    ) -> Result<git2::Oid, GitError> {
        let base = match parent {
            Some(commit) => commit.tree_id(),
            None => self.repo.treebuilder(None)?.write()?,
        };
        if uses.is_empty() {
            return Ok(base);
        }
        let tree = self.repo.find_tree(base)?;
        let mut update = git2::build::TreeUpdateBuilder::new();
        for one in uses {
            let blob = self.repo.blob(format!("{} {}\n", one.of, one.on).as_bytes())?;
            let path = format!("uses/{}/{}", one.waiver, one.of);
            update.upsert(path, blob, git2::FileMode::Blob);
        }
        Ok(update.create_updated(&self.repo, &tree)?)
    }

    /// Syncs a commit object to the disk. libgit2 does not sync (docs/design/threats.md, T11).
    fn sync(&self, id: git2::Oid) -> Result<(), GitError> {
        let hex = id.to_string();
        let (head, tail) = hex.split_at(2);
        let path = self.git_dir.join("objects").join(head).join(tail);
        // If there is no loose file, the object was in a pack already and is synced.
        if let Ok(file) = File::open(&path) {
            file.sync_all().map_err(|error| GitError::Library(error.to_string()))?;
        }
        Ok(())
    }
}

fn sync_file(path: &Path) {
    // An error is ignored: the ref has moved, and the next entry syncs it again.
    let _ = File::open(path).and_then(|file| file.sync_all());
}

fn is_race(error: &git2::Error) -> bool {
    use git2::ErrorCode;
    matches!(error.code(), ErrorCode::Modified | ErrorCode::Locked | ErrorCode::Exists)
        || error.message().contains("lock")
}

impl Reader {
    /// The tip of the audit log at rest; `None` if there is no log.
    ///
    /// # Errors
    /// Returns an error if the ref exists and cannot be read.
    pub fn log_tip(&self) -> Result<Option<Oid>, GitError> {
        match self.repository().refname_to_id(LOG) {
            Ok(id) => Ok(Some(oid(id))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The uses of a waiver in the log, each as ref and landing.
    ///
    /// # Errors
    /// Returns an error if the log cannot be read.
    pub fn uses(&self, waiver: RecordId) -> Result<Vec<(String, Oid)>, GitError> {
        let Some(tip) = self.log_tip()? else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for file in self.shelf(tip, &format!("uses/{waiver}"))? {
            let parsed = file.text.trim_end().split_once(' ');
            if let Some((of, on)) = parsed.and_then(|(of, on)| Some((Oid::from_hex(of)?, on))) {
                all.push((on.to_string(), of));
            }
        }
        Ok(all)
    }

    /// Calls `each` with the entries of the log, newest first, until it returns `false`.
    ///
    /// # Errors
    /// Returns an error if an entry cannot be read.
    pub fn log_entries(
        &self,
        each: &mut dyn FnMut(Oid, &str, Option<Oid>) -> bool,
    ) -> Result<(), GitError> {
        let mut at = self.log_tip()?;
        while let Some(id) = at {
            let commit = self.repository().find_commit(git(id))?;
            let parent = commit.parent_id(0).ok().map(oid);
            if commit.parent_count() > 1 || !each(id, commit.message().unwrap_or(""), parent) {
                return Ok(());
            }
            at = parent;
        }
        Ok(())
    }
}
