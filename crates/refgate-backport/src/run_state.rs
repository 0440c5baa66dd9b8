//! Stores the state of a run on disk, before each step, so that a kill loses nothing.

use std::fs;
use std::path::{Path, PathBuf};

use refgate_core::Oid;
use refgate_gate::Exit;
use serde::{Deserialize, Serialize};

use crate::output::Failure;

/// The progress of one branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub(crate) enum State {
    /// The commits are written, but the ref is not set yet.
    Written,
    /// The ref is set.
    Done,
    /// A pick in a worktree waits until a person resolves its conflicts.
    Conflict {
        /// The commit from which the worktree starts.
        base: String,
        /// The commits that must still be picked, the conflicting one first.
        left: Vec<String>,
    },
    /// A merge in a worktree waits until a person resolves its conflicts.
    Merging {
        /// The commit from which the worktree starts.
        base: String,
        /// The commit that is merged.
        theirs: String,
        /// The message of the merge commit.
        message: String,
        /// Whether the policy's recipes are ignored, so that the merge decides all files.
        whole: bool,
    },
    /// The branch is left out.
    Skipped,
}

impl State {
    /// The commit from which the waiting worktree starts.
    pub(crate) fn base(&self) -> Option<&str> {
        match self {
            Self::Conflict { base, .. } | Self::Merging { base, .. } => Some(base),
            Self::Written | Self::Done | Self::Skipped => None,
        }
    }

    /// Whether this fix is the one that conflicts. The others wait for it.
    pub(crate) fn picks(&self, id: &str) -> bool {
        matches!(self, Self::Conflict { left, .. } if left.first().is_some_and(|one| one == id))
    }

    /// Whether a worktree waits for a person.
    pub(crate) fn waits(&self) -> bool {
        self.base().is_some()
    }
}

/// One branch of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The target branch.
    pub(crate) branch: String,
    /// The tip of the branch before the run. The picks come after it.
    #[serde(default)]
    pub(crate) began: String,
    /// The ref to set.
    pub(crate) reference: String,
    /// The value of the ref before the run; empty if the ref did not exist.
    pub(crate) old: String,
    /// The new value of the ref; empty until it is known.
    pub(crate) new: String,
    /// Whether at least one resolved conflict is committed.
    #[serde(default)]
    pub(crate) resolved: bool,
    /// What the server will require, for example an approval.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    #[serde(flatten)]
    pub(crate) state: State,
}

/// A branch, or a fix on it, that a run skips, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SkippedTarget {
    /// The target branch.
    pub(crate) branch: String,
    /// The fix; empty if the whole branch is skipped.
    #[serde(default)]
    pub(crate) fix: String,
    /// `needs` (earlier changes), `denied` (by the policy), or `blocked` (by an existing
    /// ref or worktree).
    pub(crate) state: String,
    /// The reason, as printed.
    pub(crate) words: String,
}

impl SkippedTarget {
    /// A zero `fix` means the whole branch.
    pub(crate) fn new(branch: &str, fix: Oid, state: &str, words: String) -> Self {
        let fix = if fix.is_zero() { String::new() } else { fix.to_string() };
        Self { branch: branch.to_string(), fix, state: state.to_string(), words }
    }
}

/// The state of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub(crate) format: u32,
    /// The remote to push to; empty for no push.
    #[serde(default)]
    pub(crate) pushed: String,
    /// Whether a push was started.
    #[serde(default)]
    pub(crate) tried: bool,
    /// Whether all branches were pushed.
    #[serde(default)]
    pub(crate) has_pushed: bool,
    pub(crate) lines: Vec<Line>,
    /// The skipped targets. They are reported again when the run ends.
    #[serde(default)]
    pub(crate) left: Vec<SkippedTarget>,
    /// The command to run after this run; empty for none.
    #[serde(default)]
    pub(crate) then: String,
}

impl Journal {
    /// The directory of run states and worktrees in a git directory.
    pub(crate) fn folder(git_dir: &Path) -> PathBuf {
        git_dir.join(refgate_git::DIRECTORY).join("backport")
    }

    fn path(git_dir: &Path) -> PathBuf {
        Self::folder(git_dir).join("run.json")
    }

    /// Reads the last run, finished or not.
    pub(crate) fn load(git_dir: &Path) -> Result<Option<Self>, Failure> {
        refgate_git::own_directory(git_dir)?;
        let path = Self::path(git_dir);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let bad = |why: String| {
            let path = path.display();
            Failure::new(Exit::Failed, format!("cannot read {path}: {why}\nhint: move it away"))
        };
        let journal: Self = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        match journal.format {
            1 => Ok(Some(journal)),
            other => Err(bad(format!("this version does not know format {other}"))),
        }
    }

    /// Writes the state to disk atomically.
    pub(crate) fn save(&self, git_dir: &Path) -> Result<(), Failure> {
        let path = Self::path(git_dir);
        refgate_git::create_own_directory(git_dir, "backport")?;
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        Ok(refgate_git::replace_file(&path, text.as_bytes())?)
    }

    /// Removes the temporary files of a killed run.
    pub(crate) fn remove_temporary_files(folder: &Path) {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(refgate_git::UNFINISHED) && path.is_file() {
                // A file that cannot be removed does no harm.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Deletes the state of the run.
    pub(crate) fn remove(git_dir: &Path) -> Result<(), Failure> {
        Ok(fs::remove_file(Self::path(git_dir))?)
    }

    /// Whether the run is unfinished.
    pub(crate) fn is_open(&self) -> bool {
        let settled = |line: &Line| matches!(line.state, State::Done | State::Skipped);
        let pushes = !self.pushed.is_empty() && !self.has_pushed;
        pushes || !self.lines.iter().all(settled)
    }
}
