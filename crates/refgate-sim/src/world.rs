//! What is a training world? A server with the real hook, the teammates' clone, the learner's clone, and a calendar.

use std::fs;
use std::path::{Path, PathBuf};

use refgate_core::{Duration, Instant};
use refgate_format::{Limits, parse_instant};
use refgate_gate::{Exit, bounds, builtin, horizon, policy_from_text};
use refgate_git::{Bounds, Reader};
use refgate_scenario::{RealWorld, RecordStorage, Report, Step};
use serde::{Deserialize, Serialize};

use crate::clone_setup::{not_waiting, quoted, stand_in};
use crate::condition::Facts;
use crate::lesson::{Lesson, LessonStep};
use crate::output::Failure;
use crate::{catalog, snapshot};

/// The folder that marks a world, and holds what the simulator knows of it.
pub(crate) const MARK: &str = "refgate-sim";

/// When a lesson begins that does not say so.
const BEGINS: &str = "2026-03-02 09:00 Europe/Paris";

/// What the simulator knows of a world.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct State {
    pub(crate) format: u32,
    pub(crate) lesson: String,
    /// The lesson's own file, if it is none of the built-in ones.
    pub(crate) file: Option<PathBuf>,
    pub(crate) began: String,
    /// The triggers that have been set off, by their place.
    pub(crate) fired: Vec<usize>,
    /// How many hints were given.
    pub(crate) hints: usize,
    pub(crate) solved: bool,
    /// What should hold on every day and did not, with the day.
    pub(crate) broken: Vec<String>,
    /// For free play: the seed, and how many days were played.
    pub(crate) seed: Option<u64>,
    pub(crate) days: u32,
}

/// What is one's own in a world.
#[derive(Debug, Clone, Default)]
pub(crate) struct Own {
    /// The lesson's file, if it is none of the built-in ones.
    pub(crate) file: Option<PathBuf>,
    /// The policy's file, instead of the lesson's.
    pub(crate) policy: Option<PathBuf>,
    /// Decides where a lesson leaves days open.
    pub(crate) seed: Option<u64>,
}

/// A world in a folder.
pub(crate) struct World {
    pub(crate) root: PathBuf,
    pub(crate) real: RealWorld,
    pub(crate) lesson: Lesson,
    pub(crate) state: State,
}

/// A file that somebody named.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(named(path))
}

/// A file or folder that somebody named, whole and without links.
pub(crate) fn whole(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(named(path))
}

fn named(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    move |error| wrong(format!("{}: {error}", path.display()))
}

pub(crate) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}

fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(Exit::BadInput, message)
}

/// Refuses a new world within another, which would be part of its steps.
pub(crate) fn apart(root: &Path) -> Result<(), Failure> {
    let whole = std::path::absolute(root)?;
    let real = whole.ancestors().find_map(|folder| folder.canonicalize().ok());
    let real = real.unwrap_or(whole);
    let Some(around) = real.ancestors().find(|folder| is_world(folder)) else { return Ok(()) };
    let (root, around) = (root.display(), around.display());
    Err(wrong(format!("{root} lies in the training world {around}; name a folder outside of it")))
}

fn is_world(folder: &Path) -> bool {
    folder.join(MARK).join("state.toml").is_file()
}

impl World {
    /// Makes a world for a lesson in an empty folder. Where that fails, the
    /// folder is as it was.
    pub(crate) fn start(root: &Path, lesson: Lesson, own: Own) -> Result<Self, Failure> {
        if root.join(MARK).exists() {
            let way = "refgate-sim reset begins it anew, refgate-sim stop removes it";
            return Err(wrong(format!("{} is a training world already; {way}", root.display())));
        }
        if root.exists() && fs::read_dir(root)?.next().is_some() {
            let message =
                format!("{} is not empty; name another folder with --dir", root.display());
            return Err(wrong(message));
        }
        apart(root)?;
        if root.as_os_str().to_string_lossy().chars().any(char::is_control) {
            return Err(wrong("the folder's name holds a character that no setting can hold"));
        }
        let was_there = root.exists();
        Self::made(root, lesson, own).inspect_err(|_| {
            // What cannot be removed is what could not be made.
            let _ = snapshot::clear(root);
            if !was_there {
                let _ = fs::remove_dir(root);
            }
        })
    }

    fn made(root: &Path, lesson: Lesson, Own { file, policy, seed }: Own) -> Result<Self, Failure> {
        fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        let (named, text) = if let Some(path) = &policy {
            (path.display().to_string(), read_text(path)?)
        } else {
            let none = || wrong(format!("there is no policy `{}`", lesson.policy));
            (lesson.policy.clone(), builtin(&lesson.policy).ok_or_else(none)?.to_string())
        };
        let first = lesson.setup.iter().find_map(|step| match step {
            LessonStep::Step(line) => match &line.step {
                Step::At(at) => Some(*at),
                _ => None,
            },
            LessonStep::Says { .. } => None,
        });
        let clock = first.or_else(|| parse_instant(BEGINS)).unwrap_or_default();
        let read = policy_from_text(&text, &named, horizon(clock), |_| None);
        let read = read.map_err(|error| Failure::new(Exit::BadPolicy, error.told()))?;
        let stand_in = stand_in(&root)?;
        let keeping = RecordStorage::Signed;
        let real =
            RealWorld::make(&root, (&text, read), clock, &stand_in, keeping).map_err(failed)?;
        not_waiting(&real.server().join("config"))?;
        let name = lesson.name.clone();
        let state = State { format: 1, lesson: name, file, seed, ..State::default() };
        let mut world = Self { root, real, lesson, state };
        world.call_hooks()?;
        for (step, report) in world.run(&world.lesson.setup.clone())? {
            if let Some(report) = report.filter(|report| report.verdict != "accept") {
                let message = format!("the setup's `{step}` is refused:\n{}", report.text);
                return Err(failed(message));
            }
        }
        world.real.catch_up().map_err(failed)?;
        world.state.began = world.real.clock().to_rfc3339();
        world.clone_for_you()?;
        world.save()?;
        snapshot::take(&world.root, 0)?;
        snapshot::set_step(&world.root, 1)?;
        Ok(world)
    }

    /// The world that a folder lies in.
    pub(crate) fn find(from: &Path) -> Result<Self, Failure> {
        let from = from.canonicalize()?;
        let root = from.ancestors().find(|folder| is_world(folder)).ok_or_else(|| {
            wrong("there is no training world here; `refgate-sim start` makes one")
        })?;
        let world = Self::open(root)?;
        let config = fs::read_to_string(world.you().join(".git/config")).unwrap_or_default();
        let here = [quoted(&std::env::current_exe()?), quoted(&world.root)].join(" receive ");
        if config.contains(" receive ") && !config.contains(&here) {
            // The folder or the program was moved; the clone and the hooks still
            // call what was there.
            world.clone_for_you()?;
            world.call_hooks()?;
        }
        world.unbroken()?;
        Ok(world)
    }

    /// Refuses to go on with a broken world, so that it is not kept as a step that
    /// somebody goes back to.
    pub(crate) fn unbroken(&self) -> Result<(), Failure> {
        let Some(trouble) = self.trouble() else { return Ok(()) };
        // Before the first push there is no step to go back to.
        let undo = if snapshot::step(&self.root) > 1 { "refgate-sim undo or " } else { "" };
        Err(wrong(format!("{trouble}; {undo}refgate-sim reset brings it back")))
    }

    /// What the learner has broken beyond git's own means.
    fn trouble(&self) -> Option<String> {
        let you = self.you();
        let config = fs::read_to_string(you.join(".git/config")).unwrap_or_default();
        match () {
            () if !you.join(".git").is_dir() => Some("your clone has lost its .git".to_string()),
            () if self.reader().is_err() => Some("the server's repository is broken".to_string()),
            () if !self.root.join("clone/.git").is_dir() => {
                Some("the teammates' clone is gone".to_string())
            }
            () if !config.contains(" receive ") => {
                Some("your clone no longer knows how to push here".to_string())
            }
            () => {
                let hook = self.changed_hook();
                hook.map(|name| format!("the server's hook {name} is not what it was"))
            }
        }
    }

    pub(crate) fn open(root: &Path) -> Result<Self, Failure> {
        let path = root.join(MARK).join("state.toml");
        let text = fs::read_to_string(&path)?;
        let state: State = toml::from_str(&text).map_err(|error| {
            wrong(format!("{}: {error}; refgate-sim undo or reset may help", path.display()))
        })?;
        let lesson = catalog::find(&state.lesson, state.file.as_deref())?;
        let real = RealWorld::open(root).map_err(|error| {
            wrong(format!("the server cannot be used: {error}; refgate-sim undo, or reset"))
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

    /// Runs steps of the lesson by the teammates' hands, up to a push or record
    /// that is refused without the lesson's saying so.
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
                        failed(format!("line {}: `{}`: {error}", line.number, line.text))
                    })?;
                    let Some(report) = report else { continue };
                    let refused = report.verdict != "accept";
                    told.push((line.text.clone(), Some(report)));
                    let said = matches!(steps.get(place + 1), Some(LessonStep::Step(next)) if matches!(next.step, Step::Expect(_)));
                    if refused && !said {
                        break;
                    }
                }
            }
        }
        Ok(told)
    }

    /// What the goal still lacks.
    pub(crate) fn missing(&self) -> Result<Vec<String>, Failure> {
        let reader = self.reader()?;
        let facts = self.facts(&reader);
        let mut all = self.state.broken.clone();
        for goal in &self.lesson.goals {
            for what in goal.missing(&facts)? {
                // What is owed may have been said already.
                if !all.iter().any(|said: &String| what.starts_with(&format!("{said},"))) {
                    all.push(what);
                }
            }
        }
        Ok(all)
    }

    /// What should hold on every day and does not today.
    fn held(&mut self) -> Result<Vec<String>, Failure> {
        let reader = self.reader()?;
        let mut broken = Vec::new();
        for condition in &self.lesson.always {
            broken.extend(condition.missing(&self.facts(&reader))?);
        }
        // Once is enough.
        broken.retain(|what| !self.state.broken.iter().any(|known| known.contains(what)));
        let day = self.real.clock().format("%Y-%m-%d");
        let told = |what: String| format!("on {day} {what}; undo goes back before it");
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

    /// Lets time pass, day by day; what teammates say meanwhile.
    pub(crate) fn tick(&mut self, length: Duration) -> Result<Vec<String>, Failure> {
        let mut rest = length;
        let mut said = Vec::new();
        while rest > Duration::zero() {
            let step = rest.min(Duration::days(1));
            self.real.perform(&Step::Later(step)).map_err(failed)?;
            said.extend(self.react()?);
            said.extend(self.held()?);
            rest -= step;
        }
        Ok(said)
    }
}
