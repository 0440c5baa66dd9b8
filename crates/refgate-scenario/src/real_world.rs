//! Holds a real world: a bare server with the real hook, and a clone. It uses plain git.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use refgate_core::{ChangeMode, Instant, LEDGER, Oid, Policy, Record};
use refgate_format::{Limits, Training, write_training};
use refgate_gate::{DIRECTORY, Setup, TRAINING, bounds, horizon, load_policy};
use refgate_git::Reader;
use tempfile::TempDir;

use crate::runner::Report;
use crate::signing::read_records;
use crate::step::PathChange;

/// Why a step on a real repository failed.
#[derive(Debug, thiserror::Error)]
pub enum RealError {
    /// A file or process failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A git command failed.
    #[error("cannot run git {command}: {said}")]
    Git {
        /// The arguments.
        command: String,
        /// The standard error.
        said: String,
    },
    /// refgate could not be installed.
    #[error("{0}")]
    Install(#[from] refgate_gate::InstallError),
    /// Another cause.
    #[error("{0}")]
    Other(String),
}

/// A git command without any configuration of the user or the machine.
#[must_use]
pub fn git_command(folder: &Path) -> Command {
    let mut git = Command::new("git");
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("GIT_") {
            git.env_remove(key);
        }
    }
    git.current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .args(["-c", "init.defaultBranch=main", "-c", "advice.detachedHead=false"])
        .args(["-c", "protocol.file.allow=always", "-c", "maintenance.auto=false"]);
    git
}

/// How a world stores records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordStorage {
    /// Unsigned, in the training file of the server.
    Unsigned,
    /// Signed, on a ledger. The policy and the signers are in the repository.
    Signed,
}

/// One server and one clone in a directory. A temporary directory is deleted on drop.
#[derive(Debug)]
pub struct RealWorld {
    pub(crate) root: PathBuf,
    /// Deletes the directory on drop.
    pub(crate) temporary: Option<TempDir>,
    pub(crate) policy: Policy,
    pub(crate) clock: Instant,
    pub(crate) storage: RecordStorage,
    pub(crate) records: Vec<Record>,
    pub(crate) contents: u64,
    pub(crate) last: Report,
}

/// The file with the number of the last content, so that no content is written twice.
const CONTENTS: &str = "contents";

impl RealWorld {
    /// Opens a world that exists. It does not update the clone.
    ///
    /// # Errors
    /// Fails if there is none, or it cannot be read.
    pub fn open(root: &Path) -> Result<Self, RealError> {
        let other = |error: &dyn std::fmt::Display| RealError::Other(error.to_string());
        let setup = Setup::read(&root.join("server.git")).map_err(|error| other(&error))?;
        let training = setup.training().map_err(|error| other(&error))?;
        let training = training.ok_or_else(|| other(&"this is not a training repository"))?;
        let limits = bounds(&Limits::default());
        let reader =
            Reader::open(&root.join("server.git"), limits).map_err(|error| other(&error))?;
        let around = horizon(training.at);
        let sourced = load_policy(&reader, &setup.settings.policy, &setup.directory, around)
            .map_err(|error| RealError::Other(error.full_message()))?;
        let (storage, records) = match training.ledger {
            true => (RecordStorage::Signed, read_records(&reader)?),
            false => (RecordStorage::Unsigned, training.records),
        };
        let contents = fs::read_to_string(root.join(CONTENTS)).ok();
        Ok(Self {
            root: root.to_path_buf(),
            temporary: None,
            policy: sourced.policy,
            clock: training.at,
            storage,
            records,
            contents: contents.and_then(|text| text.trim().parse().ok()).unwrap_or_default(),
            last: Report::default(),
        })
    }

    /// Updates all branches of the clone to the branches of the server.
    ///
    /// # Errors
    /// Fails if git fails.
    pub fn catch_up(&self) -> Result<(), RealError> {
        self.git("somebody", &["switch", "-q", "--detach"])?;
        let mut all = vec!["+refs/heads/*:refs/heads/*", "+refs/heads/*:refs/remotes/origin/*"];
        if self.storage == RecordStorage::Signed && self.on_server(LEDGER).is_some() {
            all.push("+refs/refgate/ledger:refs/refgate/ledger");
        }
        self.git("somebody", &[&["fetch", "-q", "--tags", "origin"], &all[..]].concat())?;
        Ok(())
    }

    /// Checks out a branch, unless it is checked out. This saves a process.
    pub(crate) fn switch(&self, who: &str, branch: &str) -> Result<(), RealError> {
        let head = fs::read_to_string(self.clone_folder().join(".git/HEAD"))?;
        if head.trim_end() != format!("ref: refs/heads/{branch}") {
            self.git(who, &["switch", "-q", branch])?;
        }
        Ok(())
    }

    /// The clock of the world.
    #[must_use]
    pub const fn clock(&self) -> Instant {
        self.clock
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// All records.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The directory of the server repository.
    #[must_use]
    pub fn server(&self) -> PathBuf {
        self.root.join("server.git")
    }

    /// The directory of the clone.
    #[must_use]
    pub fn clone_folder(&self) -> PathBuf {
        self.root.join("clone")
    }

    /// Keeps the directory and returns its path.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        self.temporary.map_or(self.root, TempDir::keep)
    }

    pub(crate) fn save(&self) -> Result<(), RealError> {
        let told = self.storage == RecordStorage::Unsigned;
        let records = if told { self.records.clone() } else { Vec::new() };
        let training = Training { at: self.clock, records, ledger: !told };
        let text =
            write_training(&training).map_err(|error| RealError::Other(error.to_string()))?;
        fs::write(self.server().join(DIRECTORY).join(TRAINING), text)?;
        Ok(())
    }

    pub(crate) fn command(&self, folder: &Path, who: &str) -> Command {
        let mut git = git_command(folder);
        self.set_identity(&mut git, who);
        git
    }

    /// Sets the identity of `who` and the clock of the world for a process.
    pub(crate) fn set_identity(&self, command: &mut Command, who: &str) {
        let date = self.clock.to_rfc3339();
        let mail = format!("{who}@x");
        for (key, value) in [
            ("GIT_AUTHOR_NAME", who),
            ("GIT_AUTHOR_EMAIL", &mail),
            ("GIT_AUTHOR_DATE", &date),
            ("GIT_COMMITTER_NAME", who),
            ("GIT_COMMITTER_EMAIL", &mail),
            ("GIT_COMMITTER_DATE", &date),
        ] {
            command.env(key, value);
        }
        if who != "somebody" {
            command.env("GL_USER", who);
        }
    }

    pub(crate) fn git_in(
        &self,
        folder: &Path,
        who: &str,
        args: &[&str],
    ) -> Result<String, RealError> {
        let output = self.command(folder, who).args(args).output()?;
        check_output(args, &output)
    }

    pub(crate) fn git(&self, who: &str, args: &[&str]) -> Result<String, RealError> {
        self.git_in(&self.clone_folder(), who, args)
    }

    fn write(&mut self, touch: &PathChange) -> Result<(), RealError> {
        let path = self.clone_folder().join(&touch.path);
        if touch.mode == ChangeMode::Deleted {
            return Ok(fs::remove_file(path)?);
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, self.next_content()?)?)
    }

    /// A content that differs from all others in every line. Merges by line and
    /// merges by path then give the same result.
    pub(crate) fn next_content(&mut self) -> Result<String, RealError> {
        self.contents += 1;
        if self.temporary.is_none() {
            fs::write(self.root.join(CONTENTS), self.contents.to_string())?;
        }
        // All contents have one size, so that a changed file does not grow.
        Ok((0..4).map(|line| format!("{:04} {line}\n", self.contents)).collect())
    }

    pub(crate) fn write_all(&mut self, touches: &[PathChange]) -> Result<(), RealError> {
        touches.iter().try_for_each(|touch| self.write(touch))
    }

    pub(crate) fn id(&self, revision: &str) -> Option<Oid> {
        let said = self.git("somebody", &["rev-parse", "--verify", "-q", revision]).ok()?;
        Oid::from_hex(said.trim())
    }

    pub(crate) fn on_server(&self, name: &str) -> Option<Oid> {
        let server = self.server();
        // A loose ref needs no process.
        if let Ok(text) = fs::read_to_string(server.join(name)) {
            return Oid::from_hex(text.trim());
        }
        let said = self.git_in(&server, "somebody", &["rev-parse", "--verify", "-q", name]).ok()?;
        Oid::from_hex(said.trim())
    }
}

pub(crate) fn check_output(args: &[&str], output: &Output) -> Result<String, RealError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(RealError::Git { command: args.join(" "), said })
}
