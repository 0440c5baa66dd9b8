//! A training world: a server with the real hook, a clone for the teammates, a clone for the
//! learner, and a clock.

use std::fs;
use std::path::{Path, PathBuf};

use refgate_core::{Duration, Instant};
use refgate_format::{Limits, parse_instant};
use refgate_gate::{Exit, bounds, builtin, horizon, policy_from_text};
use refgate_git::{Bounds, Reader};
use refgate_scenario::{RealWorld, RecordStorage, Report, Step};
use serde::{Deserialize, Serialize};

use crate::clone_setup::{disable_fsync, quoted, stand_in};
use crate::condition::Facts;
use crate::lesson::{Lesson, LessonStep};
use crate::output::Failure;
use crate::user_paths::{read_text, wrong};
use crate::{catalog, snapshot};

/// The folder that marks a world and contains the files of the simulator.
pub(crate) const MARK: &str = "refgate-sim";

/// The start time of a lesson that names none.
const DEFAULT_START: &str = "2026-03-02 09:00 Europe/Paris";

/// The state of a world that the repositories do not contain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct State {
    pub(crate) format: u32,
    pub(crate) lesson: String,
    /// The file of the lesson, unless it is built in.
    pub(crate) file: Option<PathBuf>,
    pub(crate) began: String,
    /// The indexes of the triggers that have fired.
    pub(crate) fired: Vec<usize>,
    /// The number of hints that were shown.
    pub(crate) hints: usize,
    pub(crate) solved: bool,
    /// Failed `always` conditions, in words, with the day.
    pub(crate) broken: Vec<String>,
    /// The seed of the events.
    pub(crate) seed: Option<u64>,
    /// The number of days that free play has played.
    pub(crate) days: u32,
}

/// The choices of a person who creates a world.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorldOptions {
    /// The file of the lesson, unless it is built in.
    pub(crate) file: Option<PathBuf>,
    /// The policy file that replaces the policy of the lesson.
    pub(crate) policy: Option<PathBuf>,
    /// Selects the number of days where a condition has a range.
    pub(crate) seed: Option<u64>,
}

/// A training world in a folder.
pub(crate) struct World {
    pub(crate) root: PathBuf,
    pub(crate) real: RealWorld,
    pub(crate) lesson: Lesson,
    pub(crate) state: State,
}

pub(crate) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}

/// Returns an error for a new world inside another one, whose steps would contain it.
pub(crate) fn check_outside_worlds(root: &Path) -> Result<(), Failure> {
    let absolute_path = std::path::absolute(root)?;
    let real = absolute_path.ancestors().find_map(|folder| folder.canonicalize().ok());
    let real = real.unwrap_or(absolute_path);
    let Some(around) = real.ancestors().find(|folder| is_world(folder)) else { return Ok(()) };
    let (root, around) = (root.display(), around.display());
    Err(wrong(format!("cannot use `{root}`: it is inside the training world `{around}`")))
}

fn is_world(folder: &Path) -> bool {
    folder.join(MARK).join("state.toml").is_file()
}

impl World {
    /// Creates a world for a lesson in an empty folder. An error leaves the folder unchanged.
    pub(crate) fn start(root: &Path, lesson: Lesson, own: WorldOptions) -> Result<Self, Failure> {
        if root.join(MARK).exists() {
            let way = "hint: `refgate-sim reset` restarts it, `refgate-sim stop` removes it";
            return Err(wrong(format!("cannot use `{}`: a training world\n{way}", root.display())));
        }
        if root.exists() && fs::read_dir(root)?.next().is_some() {
            let message = format!(
                "cannot start: `{}` is not empty\nhint: name another folder with `--dir`",
                root.display()
            );
            return Err(wrong(message));
        }
        check_outside_worlds(root)?;
        if root.as_os_str().to_string_lossy().chars().any(char::is_control) {
            return Err(wrong("cannot use this folder: its path contains a control character"));
        }
        let was_there = root.exists();
        Self::made(root, lesson, own).inspect_err(|_| {
            // The first error is reported, not an error of this clean-up.
            let _ = snapshot::clear(root);
            if !was_there {
                let _ = fs::remove_dir(root);
            }
        })
    }

    fn made(
        root: &Path,
        lesson: Lesson,
        WorldOptions { file, policy, seed }: WorldOptions,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        let (named, text) = if let Some(path) = &policy {
            (path.display().to_string(), read_text(path)?)
        } else {
            let none = || wrong(format!("cannot find policy `{}`", lesson.policy));
            (lesson.policy.clone(), builtin(&lesson.policy).ok_or_else(none)?.to_string())
        };
        let first = lesson.setup.iter().find_map(|step| match step {
            LessonStep::Step(line) => match &line.step {
                Step::At(at) => Some(*at),
                _ => None,
            },
            LessonStep::Says { .. } => None,
        });
        let clock = first.or_else(|| parse_instant(DEFAULT_START)).unwrap_or_default();
        let read = policy_from_text(&text, &named, horizon(clock), |_| None);
        let read = read.map_err(|error| Failure::new(Exit::BadPolicy, error.full_message()))?;
        let stand_in = stand_in(&root)?;
        let storage = RecordStorage::Signed;
        let real = RealWorld::make(&root, (&text, read), clock, &stand_in, storage);
        let real = real.map_err(failed)?;
        disable_fsync(&real.server().join("config"))?;
        let name = lesson.name.clone();
        let state = State { format: 1, lesson: name, file, seed, ..State::default() };
        let mut world = Self { root, real, lesson, state };
        world.write_hook_scripts()?;
        for (step, report) in world.run(&world.lesson.setup.clone())? {
            if let Some(report) = report.filter(|report| report.verdict != "accept") {
                return Err(failed(format!(
                    "the setup step `{step}` was rejected:\n{}",
                    report.text
                )));
            }
        }
        world.real.catch_up().map_err(failed)?;
        world.state.began = world.real.clock().to_rfc3339();
        world.set_up_clone()?;
        world.save()?;
        snapshot::take(&world.root, 0)?;
        snapshot::set_step(&world.root, 1)?;
        Ok(world)
    }

    /// Opens the world that contains a folder. Repairs a world that was moved.
    pub(crate) fn find(from: &Path) -> Result<Self, Failure> {
        let from = from.canonicalize()?;
        let root = from.ancestors().find(|folder| is_world(folder)).ok_or_else(|| {
            wrong("cannot find a training world here\nhint: `refgate-sim start` creates one")
        })?;
        let world = Self::open(root)?;
        let config = fs::read_to_string(world.you().join(".git/config")).unwrap_or_default();
        let here = [quoted(&std::env::current_exe()?), quoted(&world.root)].join(" receive ");
        if config.contains(" receive ") && !config.contains(&here) {
            // The folder or the program was moved, but the clone and the hooks still
            // call the program at its old path.
            world.set_up_clone()?;
            world.write_hook_scripts()?;
        }
        world.check_unbroken()?;
        Ok(world)
    }

    /// Fails if the world is broken, because a broken world must not be stored as a step.
    pub(crate) fn check_unbroken(&self) -> Result<(), Failure> {
        let Some(trouble) = self.trouble() else { return Ok(()) };
        // Before the second step, `undo` has no step to restore.
        let undo = if snapshot::step(&self.root) > 1 { "`refgate-sim undo` or " } else { "" };
        Err(wrong(format!("{trouble}\nhint: {undo}`refgate-sim reset` restores it")))
    }

    /// Describes damage to the world that Git cannot repair.
    fn trouble(&self) -> Option<String> {
        let you = self.you();
        let config = fs::read_to_string(you.join(".git/config")).unwrap_or_default();
        match () {
            () if !you.join(".git").is_dir() => Some("your clone has no .git folder".to_string()),
            () if self.reader().is_err() => Some("the server repository is broken".to_string()),
            () if !self.root.join("clone/.git").is_dir() => {
                Some("the clone of the teammates is missing".to_string())
            }
            () if !config.contains(" receive ") => {
                Some("your clone has lost its setting remote.origin.receivepack".to_string())
            }
            () => {
                let hook = self.find_changed_hook();
                hook.map(|name| format!("the hook {name} of the server has changed"))
            }
        }
    }

    pub(crate) fn open(root: &Path) -> Result<Self, Failure> {
        let path = root.join(MARK).join("state.toml");
        let text = fs::read_to_string(&path)?;
        let state: State = toml::from_str(&text).map_err(|error| {
            wrong(format!(
                "cannot read `{}`: {error}\nhint: run `refgate-sim undo`",
                path.display()
            ))
        })?;
        let lesson = catalog::find(&state.lesson, state.file.as_deref())?;
        let real = RealWorld::open(root).map_err(|error| {
            wrong(format!("cannot use the server: {error}\nhint: run `refgate-sim undo`"))
        })?;
        Ok(Self { root: root.to_path_buf(), real, lesson, state })
    }

    pub(crate) fn you(&self) -> PathBuf {
        self.root.join("you")
    }

    pub(crate) fn save(&self) -> Result<(), Failure> {
        let text = toml::to_string(&self.state).map_err(failed)?;
        let path = self.root.join(MARK).join("state.toml");
        let temporary = path.with_extension("new");
        fs::write(&temporary, text)?;
        Ok(fs::rename(temporary, path)?)
    }

    /// Performs steps of the lesson as the teammates. Stops at the first push or record
    /// that is rejected unexpectedly.
    pub(crate) fn run(
        &mut self,
        steps: &[LessonStep],
    ) -> Result<Vec<(String, Option<Report>)>, Failure> {
        let mut told = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            match step {
                LessonStep::Says { who, text } => told.push((format!("{who}: {text}"), None)),
                LessonStep::Step(line) => {
                    let report = self.real.perform(&line.step).map_err(|error| {
                        let (number, text) = (line.number, &line.text);
                        failed(format!("line {number}: cannot perform `{text}`: {error}"))
                    })?;
                    let Some(report) = report else { continue };
                    let rejected = report.verdict != "accept";
                    told.push((line.text.clone(), Some(report)));
                    let next = steps.get(place + 1);
                    let is_expected = next.is_some_and(LessonStep::is_expect);
                    if rejected && !is_expected {
                        break;
                    }
                }
            }
        }
        Ok(told)
    }

    /// Lists the missing parts of the goal, in words.
    pub(crate) fn missing(&self) -> Result<Vec<String>, Failure> {
        let reader = self.reader()?;
        let facts = self.facts(&reader);
        let mut all = self.state.broken.clone();
        for goal in &self.lesson.goals {
            for what in goal.missing(&facts)? {
                // A debt repeats a missing commit, so only the commit is listed.
                if !all.iter().any(|said: &String| what.starts_with(&format!("{said},"))) {
                    all.push(what);
                }
            }
        }
        Ok(all)
    }

    /// Stores and returns the `always` conditions that fail today, in words.
    fn held(&mut self) -> Result<Vec<String>, Failure> {
        let reader = self.reader()?;
        let mut broken = Vec::new();
        for condition in &self.lesson.always {
            broken.extend(condition.missing(&self.facts(&reader))?);
        }
        // A condition that failed on an earlier day is not reported again.
        broken.retain(|what| !self.state.broken.iter().any(|known| known.contains(what)));
        let day = self.real.clock().format("%Y-%m-%d");
        let told =
            |what: String| format!("on {day}: {what}; `refgate-sim undo` goes back before it");
        let broken: Vec<String> = broken.into_iter().map(told).collect();
        self.state.broken.extend(broken.iter().cloned());
        self.save()?;
        Ok(broken)
    }

    pub(crate) fn reader(&self) -> Result<Reader, Failure> {
        let limits = bounds(&Limits::default());
        let limits = Bounds { max_seconds: u64::MAX, ..limits };
        Ok(Reader::open(&self.real.server(), limits)?)
    }

    pub(crate) fn facts<'w>(&'w self, reader: &'w Reader) -> Facts<'w> {
        Facts {
            reader,
            policy: self.real.policy(),
            records: self.real.records(),
            began: self.began(),
            now: self.real.clock(),
            seed: self.state.seed.unwrap_or(1),
        }
    }

    pub(crate) fn began(&self) -> Instant {
        parse_instant(&self.state.began).unwrap_or_else(|| self.real.clock())
    }

    /// Lets time pass day by day. Returns what teammates say, and failed conditions.
    pub(crate) fn tick(&mut self, length: Duration) -> Result<Vec<String>, Failure> {
        let mut rest = length;
        let mut said = Vec::new();
        while rest > Duration::zero() {
            let step = rest.min(Duration::days(1));
            self.real.perform(&Step::Later(step)).map_err(failed)?;
            said.extend(self.run_triggers()?);
            said.extend(self.held()?);
            rest -= step;
        }
        Ok(said)
    }
}
