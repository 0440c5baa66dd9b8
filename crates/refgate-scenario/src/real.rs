//! What is a real world made of? Plain git, a bare server, and the real hook.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use refgate_core::{ChangeMode, Instant, Oid, Policy, Record};
use refgate_format::{
    Guard, Identity, Limits, PolicySource, Settings, Training, read_training, write_training,
};
use refgate_gate::{
    DIRECTORY, InstallPlan, TRAINING, horizon, install, policy_from_text, proc_refs,
};
use tempfile::TempDir;

use crate::act::Touch;
use crate::memory::START;
use crate::run::Report;

/// Why the world could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum RealError {
    /// A file or process failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Git said no where it should not.
    #[error("git {command}: {said}")]
    Git {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },
    /// refgate could not be installed.
    #[error("{0}")]
    Install(#[from] refgate_gate::InstallError),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Git, as nobody has configured it: the same on every machine.
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
        .args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0"]);
    git
}

/// One server and one clone in a folder, which mostly goes away with it.
#[derive(Debug)]
pub struct Real {
    root: PathBuf,
    /// What removes the folder when the world goes.
    temporary: Option<TempDir>,
    pub(crate) policy: Policy,
    pub(crate) clock: Instant,
    pub(crate) records: Vec<Record>,
    contents: u64,
    pub(crate) last: Report,
}

/// Counts what was written, so that no content is written twice.
const CONTENTS: &str = "contents";

impl Real {
    /// A world in which all stages stand at one commit, and the hook is in place.
    ///
    /// # Errors
    /// If git, the disk or the installation fails.
    pub fn new(
        policy_text: &str,
        policy: Policy,
        clock: Instant,
        hook: &Path,
    ) -> Result<Self, RealError> {
        let folder = tempfile::Builder::new().prefix("refgate-").tempdir()?;
        let mut world = Self::make(folder.path(), policy_text, policy, clock, hook)?;
        world.temporary = Some(folder);
        Ok(world)
    }

    /// The same in a folder that stays.
    ///
    /// # Errors
    /// As [`Real::new`].
    pub fn make(
        root: &Path,
        policy_text: &str,
        policy: Policy,
        clock: Instant,
        hook: &Path,
    ) -> Result<Self, RealError> {
        let mut world = Self {
            root: root.to_path_buf(),
            temporary: None,
            policy,
            clock,
            records: Vec::new(),
            contents: 0,
            last: Report::default(),
        };
        // Without templates nobody's own lie in the way.
        let init = ["init", "-q", "--template="];
        world.git_in(root, "somebody", &[&init[..], &["--bare", "server.git"]].concat())?;
        world.git_in(root, "somebody", &[&init[..], &["clone"]].concat())?;
        for path in START {
            world.write(&Touch { path: path.to_string(), mode: ChangeMode::Added })?;
        }
        world.git("somebody", &["add", "-A"])?;
        world.git("somebody", &["commit", "-q", "-m", "start"])?;
        // Each process counts where somebody waits for the world.
        let remote = "[remote \"origin\"]\n\turl = ../server.git\n\tfetch = \
                      +refs/heads/*:refs/remotes/origin/*\n";
        append(&world.clone_folder().join(".git/config"), remote)?;
        // Hooks of somebody's own do not run here, nor are ours put among them.
        let server = "[receive]\n\tadvertisePushOptions = true\n[core]\n\thooksPath = hooks\n";
        append(&world.server().join("config"), server)?;
        let stages = world.policy.flow.stages.iter().map(|stage| stage.branch.as_str());
        let all: Vec<String> = stages.map(|name| format!("main:{name}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        world.git("somebody", &[&["push", "-q", "origin"], &*all].concat())?;
        let others: Vec<&str> =
            all.iter().copied().filter(|spec| !spec.ends_with("/main")).collect();
        if !others.is_empty() {
            world.git("somebody", &[&["fetch", "-q", "."], &*others].concat())?;
        }
        let settings = Settings {
            policy: PolicySource::File("policy.toml".to_string()),
            identity: Identity::Gitolite,
            baseline: None,
            limits: Limits::default(),
            guard: Guard::Strict,
            name: "story".to_string(),
            control: None,
            governs: Default::default(),
        };
        let files = [("policy.toml".to_string(), policy_text.to_string())].into();
        let (repository, program) = (world.server(), hook.to_path_buf());
        let proc_refs = proc_refs(&world.policy);
        install(&InstallPlan { repository, program, settings, files, proc_refs })?;
        world.save()?;
        Ok(world)
    }

    /// A world that was made before. The clone is brought to where the server stands.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn open(root: &Path) -> Result<Self, RealError> {
        let other = |error: &dyn std::fmt::Display| RealError::Other(error.to_string());
        let directory = root.join("server.git").join(DIRECTORY);
        let training = read_training(&fs::read_to_string(directory.join(TRAINING))?)
            .map_err(|error| other(&error))?;
        let text = fs::read_to_string(directory.join("policy.toml"))?;
        let policy = policy_from_text(&text, "policy.toml", horizon(training.at), |_| None)
            .map_err(|error| RealError::Other(error.told()))?;
        let contents = fs::read_to_string(root.join(CONTENTS)).ok();
        Ok(Self {
            root: root.to_path_buf(),
            temporary: None,
            policy,
            clock: training.at,
            records: training.records,
            contents: contents.and_then(|text| text.trim().parse().ok()).unwrap_or_default(),
            last: Report::default(),
        })
    }

    /// Brings all branches of the clone to where the server's stand.
    ///
    /// # Errors
    /// If git fails.
    pub fn catch_up(&self) -> Result<(), RealError> {
        self.git("somebody", &["switch", "-q", "--detach"])?;
        let all = ["+refs/heads/*:refs/heads/*", "+refs/heads/*:refs/remotes/origin/*"];
        self.git("somebody", &[&["fetch", "-q", "--tags", "origin"], &all[..]].concat())?;
        Ok(())
    }

    /// Checks a branch out, unless it is.
    pub(crate) fn switch(&self, who: &str, branch: &str) -> Result<(), RealError> {
        let head = fs::read_to_string(self.clone_folder().join(".git/HEAD"))?;
        if head.trim_end() != format!("ref: refs/heads/{branch}") {
            self.git(who, &["switch", "-q", branch])?;
        }
        Ok(())
    }

    /// What time it is there.
    #[must_use]
    pub const fn clock(&self) -> Instant {
        self.clock
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What people have put on record.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The server's repository.
    #[must_use]
    pub fn server(&self) -> PathBuf {
        self.root.join("server.git")
    }

    /// The clone.
    #[must_use]
    pub fn clone_folder(&self) -> PathBuf {
        self.root.join("clone")
    }

    /// Keeps the folder when the world goes, and says where it is.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        self.temporary.map_or(self.root, TempDir::keep)
    }

    pub(crate) fn save(&self) -> Result<(), RealError> {
        let training = Training { at: self.clock, records: self.records.clone(), ledger: false };
        let text =
            write_training(&training).map_err(|error| RealError::Other(error.to_string()))?;
        fs::write(self.server().join(DIRECTORY).join(TRAINING), text)?;
        Ok(())
    }

    pub(crate) fn command(&self, folder: &Path, who: &str) -> Command {
        let mut git = git_command(folder);
        self.dress(&mut git, who);
        git
    }

    /// Gives a process the name and the date of who acts.
    pub(crate) fn dress(&self, command: &mut Command, who: &str) {
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
        checked(args, &output)
    }

    pub(crate) fn git(&self, who: &str, args: &[&str]) -> Result<String, RealError> {
        self.git_in(&self.clone_folder(), who, args)
    }

    fn write(&mut self, touch: &Touch) -> Result<(), RealError> {
        let path = self.clone_folder().join(&touch.path);
        if touch.mode == ChangeMode::Deleted {
            return Ok(fs::remove_file(path)?);
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        self.contents += 1;
        if self.temporary.is_none() {
            fs::write(self.root.join(CONTENTS), self.contents.to_string())?;
        }
        // Every content differs in every line, so that merges by line and by
        // path agree.
        let text = (0..4).map(|line| format!("{} {line}\n", self.contents)).collect::<String>();
        Ok(fs::write(path, text)?)
    }

    pub(crate) fn write_all(&mut self, touches: &[Touch]) -> Result<(), RealError> {
        touches.iter().try_for_each(|touch| self.write(touch))
    }

    pub(crate) fn id(&self, revision: &str) -> Option<Oid> {
        let said = self.git("somebody", &["rev-parse", "--verify", "-q", revision]).ok()?;
        Oid::from_hex(said.trim())
    }

    pub(crate) fn on_server(&self, name: &str) -> Option<Oid> {
        let server = self.server();
        let said = self.git_in(&server, "somebody", &["rev-parse", "--verify", "-q", name]).ok()?;
        Oid::from_hex(said.trim())
    }
}

fn append(path: &Path, text: &str) -> Result<(), RealError> {
    let before = fs::read_to_string(path)?;
    Ok(fs::write(path, before + text)?)
}

pub(crate) fn checked(args: &[&str], output: &Output) -> Result<String, RealError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(RealError::Git { command: args.join(" "), said })
}
