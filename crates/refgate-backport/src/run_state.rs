//! What has a backport done so far, and what is left? Written before each step, so that a kill loses nothing.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use refgate_core::Oid;
use refgate_gate::Exit;
use serde::{Deserialize, Serialize};

use crate::output::Failure;

/// How far one branch has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub(crate) enum State {
    /// The commits are written; the reference is to be set.
    Written,
    /// The reference is set.
    Done,
    /// A worktree waits for its conflicts to be resolved.
    Conflict {
        /// What it began with.
        base: String,
        /// The commits that are still to be picked, the conflicting one first.
        left: Vec<String>,
    },
    /// A worktree waits for the conflicts of a merge to be resolved.
    Merging {
        /// What it began with.
        base: String,
        /// The commit that is merged.
        theirs: String,
        /// The merge's message.
        message: String,
        /// It decides all files, whatever the policy's recipes say.
        whole: bool,
    },
    /// Given up for this branch.
    Skipped,
}

impl State {
    /// What the worktree began with, where one waits.
    pub(crate) fn base(&self) -> Option<&str> {
        match self {
            Self::Conflict { base, .. } | Self::Merging { base, .. } => Some(base),
            Self::Written | Self::Done | Self::Skipped => None,
        }
    }

    /// Whether it is this fix that conflicts; others wait for it.
    pub(crate) fn picks(&self, id: &str) -> bool {
        matches!(self, Self::Conflict { left, .. } if left.first().is_some_and(|one| one == id))
    }

    /// Whether a worktree waits for somebody.
    pub(crate) fn waits(&self) -> bool {
        self.base().is_some()
    }
}

/// One branch of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The branch.
    pub(crate) branch: String,
    /// Where it stood: what is picked comes after.
    #[serde(default)]
    pub(crate) began: String,
    /// The reference that is set.
    pub(crate) reference: String,
    /// What it was before; empty if it was not there.
    pub(crate) old: String,
    /// What it becomes, as far as it is known.
    pub(crate) new: String,
    /// Somebody has resolved something for it that is settled.
    #[serde(default)]
    pub(crate) resolved: bool,
    /// What the server will ask for.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    #[serde(flatten)]
    pub(crate) state: State,
}

/// A branch that a run does not carry to as asked, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SkippedTarget {
    /// The branch.
    pub(crate) branch: String,
    /// The fix, where it is one of several.
    #[serde(default)]
    pub(crate) fix: String,
    /// `needs` (earlier changes), `denied` (by the policy), or `blocked` (by what
    /// is there).
    pub(crate) state: String,
    /// What a person is told.
    pub(crate) words: String,
}

impl SkippedTarget {
    /// `fix` is zero if it is all that was asked for.
    pub(crate) fn new(branch: &str, fix: Oid, state: &str, words: String) -> Self {
        let fix = if fix.is_zero() { String::new() } else { fix.to_string() };
        Self { branch: branch.to_string(), fix, state: state.to_string(), words }
    }
}

/// A run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub(crate) format: u32,
    /// The remote that it was pushed to; empty if to none.
    #[serde(default)]
    pub(crate) pushed: String,
    /// Whether a push was begun.
    #[serde(default)]
    pub(crate) tried: bool,
    /// Whether it took it.
    #[serde(default)]
    pub(crate) has_pushed: bool,
    pub(crate) lines: Vec<Line>,
    /// What is told once more when the run ends.
    #[serde(default)]
    pub(crate) left: Vec<SkippedTarget>,
    /// The command that comes after it; empty if none does.
    #[serde(default)]
    pub(crate) then: String,
}

impl Journal {
    /// Where runs are kept in a git directory.
    pub(crate) fn folder(git_dir: &Path) -> PathBuf {
        git_dir.join("refgate").join("backport")
    }

    fn path(git_dir: &Path) -> PathBuf {
        Self::folder(git_dir).join("run.json")
    }

    /// The run that was left, finished or not.
    pub(crate) fn load(git_dir: &Path) -> Result<Option<Self>, Failure> {
        let path = Self::path(git_dir);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let bad = |why: String| {
            let path = path.display();
            Failure::new(Exit::Failed, format!("{path} cannot be used: {why}; move it away"))
        };
        let journal: Self = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        match journal.format {
            1 => Ok(Some(journal)),
            other => Err(bad(format!("format {other} is not known to this version"))),
        }
    }

    /// Writes it to the disk, whole or not at all.
    pub(crate) fn save(&self, git_dir: &Path) -> Result<(), Failure> {
        let path = Self::path(git_dir);
        fs::create_dir_all(Self::folder(git_dir))?;
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        let temporary = path.with_extension(format!("{}", std::process::id()));
        let mut file = fs::File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(fs::rename(&temporary, &path)?)
    }

    /// Removes what a killed run was about to write.
    pub(crate) fn tidy(folder: &Path) {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let halves = path.file_stem().is_some_and(|stem| stem == "run")
                && path.extension().is_some_and(|end| end != "json");
            if halves && path.is_file() {
                // At worst it stays.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Forgets the run.
    pub(crate) fn remove(git_dir: &Path) -> Result<(), Failure> {
        Ok(fs::remove_file(Self::path(git_dir))?)
    }

    /// Whether something is left to do.
    pub(crate) fn is_open(&self) -> bool {
        let settled = |line: &Line| matches!(line.state, State::Done | State::Skipped);
        let pushes = !self.pushed.is_empty() && !self.has_pushed;
        pushes || !self.lines.iter().all(settled)
    }
}
