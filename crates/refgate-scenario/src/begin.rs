//! How does a real world begin? A server with the hook in place, and a clone of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use refgate_core::{ChangeMode, Instant, Policy};
use refgate_format::{Guard, Identity, Limits, PolicySource, Settings};
use refgate_gate::{InstallPlan, install, proc_refs};

use crate::act::Touch;
use crate::made::REPOSITORY;
use crate::memory::START;
use crate::real::{Keeping, Real, RealError};
use crate::run::Report;

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
        let keeping = Keeping::Told;
        let mut world = Self::make(folder.path(), (policy_text, policy), clock, hook, keeping)?;
        world.temporary = Some(folder);
        Ok(world)
    }

    /// The same in a folder that stays.
    ///
    /// # Errors
    /// As [`Real::new`].
    pub fn make(
        root: &Path,
        (policy_text, policy): (&str, Policy),
        clock: Instant,
        hook: &Path,
        keeping: Keeping,
    ) -> Result<Self, RealError> {
        let mut world = Self {
            root: root.to_path_buf(),
            temporary: None,
            policy,
            clock,
            keeping,
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
        if keeping == Keeping::Signed {
            world.track(policy_text)?;
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
        let beside = [("policy.toml".to_string(), policy_text.to_string())].into();
        let (policy, files) = match keeping {
            Keeping::Told => (PolicySource::File("policy.toml".to_string()), beside),
            Keeping::Signed => (world.tracked(), BTreeMap::new()),
        };
        let settings = Settings {
            policy,
            identity: Identity::Gitolite,
            baseline: None,
            limits: Limits::default(),
            guard: Guard::Strict,
            name: REPOSITORY.to_string(),
            control: None,
            governs: Default::default(),
        };
        let (repository, program) = (world.server(), hook.to_path_buf());
        let proc_refs = proc_refs(&world.policy);
        install(&InstallPlan { repository, program, settings, files, proc_refs })?;
        world.save()?;
        Ok(world)
    }
}

fn append(path: &Path, text: &str) -> Result<(), RealError> {
    let before = fs::read_to_string(path)?;
    Ok(fs::write(path, before + text)?)
}
