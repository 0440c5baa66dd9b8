//! Creates a real world: a server with the installed hook, and a clone of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use refgate_core::{Instant, Policy};
use refgate_format::{Guard, Identity, Limits, PolicySource, Settings};
use refgate_gate::{InstallPlan, install, proc_refs};

use crate::memory_world::FIRST_FILES;
use crate::real_world::{RealError, RealWorld, RecordStorage, check_output};
use crate::record_builder::REPOSITORY;
use crate::runner::Report;

impl RealWorld {
    /// Creates a world in a temporary directory. All stages are at one commit.
    ///
    /// # Errors
    /// Fails if git, the disk or the installation of the hook fails.
    pub fn new(
        policy_text: &str,
        policy: Policy,
        clock: Instant,
        hook: &Path,
    ) -> Result<Self, RealError> {
        let folder = tempfile::Builder::new().prefix("refgate-").tempdir()?;
        let storage = RecordStorage::Unsigned;
        let mut world = Self::make(folder.path(), (policy_text, policy), clock, hook, storage)?;
        world.temporary = Some(folder);
        Ok(world)
    }

    /// Creates a world in a directory that is not deleted.
    ///
    /// # Errors
    /// Fails as [`RealWorld::new`] does.
    pub fn make(
        root: &Path,
        (policy_text, policy): (&str, Policy),
        clock: Instant,
        hook: &Path,
        storage: RecordStorage,
    ) -> Result<Self, RealError> {
        let mut world = Self {
            root: root.to_path_buf(),
            temporary: None,
            policy,
            clock,
            storage,
            records: Vec::new(),
            contents: 0,
            last: Report::default(),
        };
        // The templates of the user could contain hooks.
        let init = ["init", "-q", "--template=", "--bare", "server.git"];
        world.git_in(root, "somebody", &init)?;
        // A global `core.hooksPath` must not apply: its hooks do not run here, and
        // `install` does not write into that directory.
        let server = "[receive]\n\tadvertisePushOptions = true\n\tautogc = false\n\
                      [core]\n\thooksPath = hooks\n";
        append(&world.server().join("config"), server)?;
        world.first(policy_text)?;
        world.git_in(root, "somebody", &["clone", "-q", "--template=", "server.git", "clone"])?;
        world.remote()?;
        let beside = [("policy.toml".to_string(), policy_text.to_string())].into();
        let (policy, files) = match storage {
            RecordStorage::Unsigned => (PolicySource::File("policy.toml".to_string()), beside),
            RecordStorage::Signed => (world.tracked(), BTreeMap::new()),
        };
        let settings = Settings {
            policy,
            identity: Identity::Gitolite,
            baseline: None,
            limits: Limits::default(),
            guard: Guard::Strict,
            name: REPOSITORY.to_string(),
            control: None,
            installed_in: String::new(),
            governs: Default::default(),
        };
        let (repository, program) = (world.server(), hook.to_path_buf());
        let proc_refs = proc_refs(&world.policy);
        install(&InstallPlan { repository, program, settings, files, proc_refs })?;
        world.save()?;
        Ok(world)
    }

    /// Writes the first commit on all stages of the server. It starts one process,
    /// because a learner waits for the world.
    fn first(&mut self, policy_text: &str) -> Result<(), RealError> {
        let mut files: Vec<(String, String)> = Vec::new();
        for path in FIRST_FILES {
            files.push((path.to_string(), self.next_content()?));
        }
        if self.storage == RecordStorage::Signed {
            files.extend(self.tracked_files(policy_text)?);
        }
        let seconds = self.clock.timestamp();
        let mut stream = format!(
            "commit refs/heads/main\ncommitter somebody <somebody@x> {seconds} +0000\n\
             data 6\nstart\n\n"
        );
        for (path, text) in &files {
            stream.push_str(&format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len()));
        }
        for stage in &self.policy.flow.stages {
            let name = stage.branch.as_str();
            if name != "refs/heads/main" {
                stream.push_str(&format!("reset {name}\nfrom refs/heads/main\n\n"));
            }
        }
        self.import(&self.server(), "somebody", &stream)
    }

    /// Makes the URL of the remote relative, so that the world can be moved, and
    /// creates a local branch for each stage.
    fn remote(&self) -> Result<(), RealError> {
        let path = self.clone_folder().join(".git/config");
        let text = fs::read_to_string(&path)?;
        let own: Vec<&str> = text.lines().filter(|line| !line.starts_with("\turl = ")).collect();
        fs::write(&path, own.join("\n") + "\n[remote \"origin\"]\n\turl = ../server.git\n")?;
        // The clone has only `main`, and all stages are at the same commit.
        let heads = self.clone_folder().join(".git/refs/heads");
        let tip = fs::read(heads.join("main"))?;
        for stage in &self.policy.flow.stages {
            let path = heads.join(stage.branch.short());
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, &tip)?;
        }
        Ok(())
    }

    /// Runs `git fast-import` with a stream.
    pub(crate) fn import(&self, folder: &Path, who: &str, stream: &str) -> Result<(), RealError> {
        let mut git = self.command(folder, who);
        git.args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
        let mut import = git.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut to) = import.stdin.take() {
            to.write_all(stream.as_bytes())?;
        }
        check_output(&["fast-import"], &import.wait_with_output()?)?;
        Ok(())
    }
}

fn append(path: &Path, text: &str) -> Result<(), RealError> {
    let before = fs::read_to_string(path)?;
    Ok(fs::write(path, before + text)?)
}
