//! How is a decision written down, also from inside a push's quarantine, so that nothing is lost or said twice?
//!
//! Nothing of a push may be written while it lies in quarantine: libgit2 would
//! leave references to objects that vanish (docs/design/threats.md, T12). A log entry names
//! no object of the push. It is a commit of its own in the repository at rest,
//! which is opened by its path, so that the quarantine is out of sight.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{Repository, Signature};
use refgate_core::{Instant, Oid, RecordId};

use crate::GitError;
use crate::reader::{Reader, git, oid};

/// The reference of the decision log. Nobody can push to it.
pub const LOG: &str = "refs/refgate/log";

/// So many times a race for the log is run again, a millisecond apart.
const MOST_TRIES: usize = 2_000;

/// One use of a waiver: which one, for which landing on which reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverUse {
    /// The waiver's record.
    pub waiver: RecordId,
    /// The reference.
    pub on: String,
    /// The landing; for other findings the new value.
    pub of: Oid,
}

/// The decision log of a repository at rest. It can write this one reference
/// and no other.
pub struct AuditLog {
    repo: Repository,
    git_dir: PathBuf,
}

impl AuditLog {
    /// Opens the log of the repository with this git directory.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(git_dir: &Path) -> Result<Self, GitError> {
        let repo = Repository::open_bare(git_dir)
            .map_err(|error| GitError::Open(error.message().to_string()))?;
        Ok(Self { repo, git_dir: git_dir.to_path_buf() })
    }

    /// Appends an entry behind the last one, whoever else appends at the same
    /// time. When it returns, the entry is on the disk.
    ///
    /// # Errors
    /// If it cannot be written; then it is as if it had not been tried.
    pub fn append(&self, text: &str, uses: &[WaiverUse], at: Instant) -> Result<Oid, GitError> {
        let when = git2::Time::new(at.timestamp(), 0);
        let who = Signature::new("refgate", "refgate@localhost", &when)?;
        for _ in 0..MOST_TRIES {
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
                // Somebody else was faster, or is writing just now.
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

    /// The tree holds a file for each use of a waiver, so that counting them
    /// takes no walk through the log.
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

    /// libgit2 syncs nothing by itself (docs/design/threats.md, T11).
    fn sync(&self, id: git2::Oid) -> Result<(), GitError> {
        let hex = id.to_string();
        let (head, tail) = hex.split_at(2);
        let path = self.git_dir.join("objects").join(head).join(tail);
        // An object that was there before lies in a pack, and was synced then.
        if let Ok(file) = File::open(&path) {
            file.sync_all().map_err(|error| GitError::Library(error.to_string()))?;
        }
        Ok(())
    }
}

fn sync_file(path: &Path) {
    // The reference is in place either way; the next entry syncs it again.
    let _ = File::open(path).and_then(|file| file.sync_all());
}

fn is_race(error: &git2::Error) -> bool {
    use git2::ErrorCode;
    matches!(error.code(), ErrorCode::Modified | ErrorCode::Locked | ErrorCode::Exists)
        || error.message().contains("lock")
}

impl Reader {
    /// The log's tip at rest.
    ///
    /// # Errors
    /// If it exists and cannot be read.
    pub fn log_tip(&self) -> Result<Option<Oid>, GitError> {
        match self.repository().refname_to_id(LOG) {
            Ok(id) => Ok(Some(oid(id))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The uses of a waiver that the log has, as reference and landing.
    ///
    /// # Errors
    /// If the log cannot be read.
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

    /// The entries of the log, newest first, until `each` says no.
    ///
    /// # Errors
    /// If an entry cannot be read.
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
