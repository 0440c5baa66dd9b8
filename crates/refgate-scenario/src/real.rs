//! What do the acts do to a real repository? Plain git, a bare server, and the real hook.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use refgate_core::{ChangeMode, Instant, Oid, Policy, Record};
use refgate_format::{Guard, Identity, Limits, PolicySource, Settings, Training, write_training};
use refgate_gate::{DIRECTORY, InstallPlan, TRAINING, install, proc_refs};
use tempfile::TempDir;

use crate::act::{Act, Spec, Touch};
use crate::answer::{remedy, report};
use crate::made::make;
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

/// One server and one clone in a folder that goes away with it.
#[derive(Debug)]
pub struct Real {
    folder: TempDir,
    pub(crate) policy: Policy,
    pub(crate) clock: Instant,
    pub(crate) records: Vec<Record>,
    contents: u64,
    last: Report,
}

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
        let mut world = Self {
            folder,
            policy,
            clock,
            records: Vec::new(),
            contents: 0,
            last: Report::default(),
        };
        world.git_in(world.folder.path(), "somebody", &["init", "-q", "--bare", "server.git"])?;
        world.git_in(world.folder.path(), "somebody", &["init", "-q", "clone"])?;
        for path in START {
            world.write(&Touch { path: path.to_string(), mode: ChangeMode::Added })?;
        }
        world.git("somebody", &["add", "-A"])?;
        world.git("somebody", &["commit", "-q", "-m", "start"])?;
        world.git("somebody", &["remote", "add", "origin", "../server.git"])?;
        let stages: Vec<String> =
            world.policy.flow.stages.iter().map(|s| s.branch.short().to_string()).collect();
        for stage in &stages {
            if stage != "main" {
                world.git("somebody", &["branch", "-q", "-f", stage])?;
            }
        }
        let all: Vec<String> = stages.iter().map(|s| format!("main:refs/heads/{s}")).collect();
        let mut push = vec!["push", "-q", "origin"];
        push.extend(all.iter().map(String::as_str));
        world.git("somebody", &push)?;
        world.git("somebody", &["fetch", "-q"])?;
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
        let server = world.server();
        world.git_in(&server, "somebody", &["config", "receive.advertisePushOptions", "true"])?;
        world.save()?;
        Ok(world)
    }

    /// The server's repository.
    #[must_use]
    pub fn server(&self) -> PathBuf {
        self.folder.path().join("server.git")
    }

    /// The clone.
    #[must_use]
    pub fn clone_folder(&self) -> PathBuf {
        self.folder.path().join("clone")
    }

    /// Keeps the folder when the world goes, and says where it is.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    fn save(&self) -> Result<(), RealError> {
        let training = Training { at: self.clock, records: self.records.clone(), ledger: false };
        let text =
            write_training(&training).map_err(|error| RealError::Other(error.to_string()))?;
        fs::write(self.server().join(DIRECTORY).join(TRAINING), text)?;
        Ok(())
    }

    fn command(&self, folder: &Path, who: &str) -> Command {
        let mut git = git_command(folder);
        self.dress(&mut git, who);
        git
    }

    /// Gives a process the name and the date of who acts.
    fn dress(&self, command: &mut Command, who: &str) {
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

    /// Does one act; a push gives a report.
    ///
    /// # Errors
    /// If git refuses what is no push.
    pub fn perform(&mut self, act: &Act) -> Result<Option<Report>, RealError> {
        match act {
            Act::At(at) => {
                self.clock = *at;
                self.save()?;
            }
            Act::Later(length) => {
                self.clock += *length;
                self.save()?;
            }
            Act::Release { tag, on, ago } => self.release(tag, on, self.clock - *ago)?,
            Act::Branch { name, from } => {
                self.git("somebody", &["branch", "-q", "-f", name, from])?;
            }
            Act::Reset { branch, to } => {
                self.git("somebody", &["switch", "-q", branch])?;
                self.git("somebody", &["reset", "-q", "--hard", to])?;
            }
            Act::Commit { who, message, branch, touches, dated } => {
                self.git(who, &["switch", "-q", branch])?;
                self.write_all(touches)?;
                self.git(who, &["add", "-A"])?;
                let mut git = self.command(&self.clone_folder(), who);
                if let Some(dated) = dated {
                    let date = dated.to_rfc3339();
                    git.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
                }
                let args = ["commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message];
                checked(&args, &git.args(args).output()?)?;
            }
            Act::Merge { who, from, into, how, message, touches } => {
                self.merge(who, from, into, *how, message.as_deref(), touches)?;
            }
            Act::Pick { who, from, onto, silent, touches } => {
                self.git(who, &["switch", "-q", onto])?;
                let mark: &[&str] = if *silent { &[] } else { &["-x"] };
                self.git(who, &[&["cherry-pick"], mark, &[from.as_str()]].concat())?;
                if !touches.is_empty() {
                    self.write_all(touches)?;
                    self.git(who, &["commit", "-q", "-a", "--amend", "--no-edit"])?;
                }
            }
            Act::Tag { who, name, on, light } => {
                let kind: &[&str] = if *light { &[] } else { &["-a", "-m", name] };
                self.git(who, &[&["tag", "-f"], kind, &[name.as_str(), on.as_str()]].concat())?;
            }
            Act::Record { who, record } => self.record(who, record)?,
            Act::Push { who, specs, options } => {
                self.last = self.push(who, specs, options)?;
                return Ok(Some(self.last.clone()));
            }
            Act::Follow(number) => self.follow(*number)?,
            Act::Policy(_) | Act::PolicyText(_) | Act::Expect(_) => {}
        }
        Ok(None)
    }

    fn record(&mut self, who: &str, record: &crate::act::Record) -> Result<(), RealError> {
        let made = make(self, (who, self.clock), record).map_err(RealError::Other)?;
        self.records.extend(made);
        self.save()
    }

    /// A release that was made before the story begins, by the server's own hand.
    fn release(&mut self, tag: &str, on: &str, at: Instant) -> Result<(), RealError> {
        let date = at.to_rfc3339();
        let server = self.server();
        let mut git = self.command(&server, "grace");
        git.env("GIT_COMMITTER_DATE", &date);
        let args = ["tag", "-a", "-m", tag, tag, on];
        checked(&args, &git.args(args).output()?)?;
        self.git("somebody", &["fetch", "-q", "--tags"])?;
        Ok(())
    }

    /// A real push, and what came of it.
    ///
    /// # Errors
    /// If git cannot even be started.
    pub fn push(&self, who: &str, specs: &[Spec], options: &[String]) -> Result<Report, RealError> {
        let mut args = vec!["push".to_string(), "--porcelain".to_string()];
        args.extend(options.iter().flat_map(|option| ["-o".to_string(), option.clone()]));
        args.push("origin".to_string());
        args.extend(specs.iter().map(|spec| match &spec.from {
            Some(from) => format!("+{from}:{}", spec.to),
            None => format!(":{}", spec.to),
        }));
        let output = self.command(&self.clone_folder(), who).args(&args).output()?;
        // What people read; the last push is the one whose remedies are followed.
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        self.git("somebody", &["fetch", "-q"])?;
        Ok(report(&text, output.status.success()))
    }

    /// Runs the commands of the last refusal's remedy, and pushes again as told.
    fn follow(&mut self, number: usize) -> Result<(), RealError> {
        let commands = remedy(&self.last.text, number)
            .ok_or_else(|| RealError::Other(format!("there is no remedy {number}")))?;
        for command in commands {
            let mut shell = Command::new("sh");
            shell.current_dir(self.clone_folder()).arg("-c").arg(&command);
            shell.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
            self.dress(&mut shell, "grace");
            checked(&[command.as_str()], &shell.output()?)?;
        }
        self.git("somebody", &["fetch", "-q"])?;
        Ok(())
    }
}

fn checked(args: &[&str], output: &Output) -> Result<String, RealError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(RealError::Git { command: args.join(" "), said })
}
