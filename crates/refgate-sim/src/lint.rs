//! Checks lessons: the goal is open at first, each solution reaches it in its last step, and the
//! policy rejects each trap.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use refgate_core::{RuleId, RuleMode};
use refgate_gate::{Exit, builtin, horizon, policy_from_text};
use refgate_scenario::{Line, Report, Step, git_command};

use crate::clone_setup::said;
use crate::journal::{self, Event};
use crate::lesson::{Lesson, LessonStep};
use crate::output::{Failure, VerbResult, done, say};
use crate::world::{World, WorldOptions};
use crate::{catalog, free_play as free, snapshot};

/// The number of days of free play that are compared.
const PLAYED: u32 = 8;

pub(crate) fn run(file: Option<&Path>) -> VerbResult {
    let lessons = match file {
        Some(file) => vec![catalog::from_file(file)?],
        None => catalog::all()?,
    };
    let mut met: BTreeMap<RuleId, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = 0;
    for lesson in &lessons {
        match check(lesson, file) {
            Ok(()) => say(&format!(
                "ok    {:<26} solutions: {}, traps: {}",
                lesson.name,
                lesson.solutions.len(),
                lesson.traps.len()
            )),
            Err(failure) => {
                wrong += 1;
                say(&format!("WRONG {:<26} {}", lesson.name, failure.message));
            }
        }
        for trap in &lesson.traps {
            met.entry(trap.rule).or_default().insert(lesson.name.clone());
        }
    }
    if file.is_none() {
        match free_play() {
            Ok(()) => say(&format!("ok    {:<26} {PLAYED} days, equal events", free::NAME)),
            Err(failure) => {
                wrong += 1;
                say(&format!("WRONG {:<26} {}", free::NAME, failure.message));
            }
        }
        wrong += coverage(&met)?;
    }
    Ok(done(if wrong == 0 { Exit::Accepted } else { Exit::Rejected }))
}

/// Checks free play as a lesson, and that the same seed gives the same events.
fn free_play() -> Result<(), Failure> {
    check(&free::lesson(), None)?;
    let played = || {
        let (_kept, mut world) = world(&free::lesson(), None)?;
        for _ in 0..PLAYED {
            free::pass(&mut world, 1)?;
        }
        references(&world)
    };
    if played()? == played()? { Ok(()) } else { Err(wrong("the same seed gives other events")) }
}

/// Prints the lessons for each rule of the policy `portal`. Returns the number of rules
/// without a lesson.
fn coverage(met: &BTreeMap<RuleId, BTreeSet<String>>) -> Result<usize, Failure> {
    let text = builtin("portal").unwrap_or_default();
    let policy = policy_from_text(text, "portal", horizon(chrono::Utc::now()), |_| None)
        .map_err(|error| Failure::new(Exit::BadPolicy, error.full_message()))?;
    let mut lacking = 0;
    say("\nrules of the policy `portal`, and the lessons that cover them:");
    for rule in RuleId::ALL.iter().filter(|rule| policy.mode(**rule) != RuleMode::Off) {
        let names = match met.get(rule) {
            Some(names) => names.iter().cloned().collect::<Vec<_>>().join(", "),
            None => {
                lacking += 1;
                "NO LESSON".to_string()
            }
        };
        say(&format!("  {:<14} {names}", rule.name()));
    }
    Ok(lacking)
}

fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Rejected, message)
}

fn world(lesson: &Lesson, file: Option<&Path>) -> Result<(tempfile::TempDir, World), Failure> {
    let folder = tempfile::Builder::new().prefix("refgate-lint-").tempdir()?;
    let own = file.map(Path::canonicalize).transpose()?;
    let own = WorldOptions { file: own, ..WorldOptions::default() };
    let world = World::start(&folder.path().join("world"), lesson.clone(), own)?;
    Ok((folder, world))
}

fn check(lesson: &Lesson, file: Option<&Path>) -> Result<(), Failure> {
    let (_kept, begun) = world(lesson, file)?;
    if begun.missing()?.is_empty() {
        return Err(wrong("the goal is reached at the start"));
    }
    let start = references(&begun)?;
    let (_again, other) = world(lesson, file)?;
    if references(&other)? != start {
        return Err(wrong("two worlds of it start differently"));
    }
    for (number, solution) in lesson.solutions.iter().enumerate() {
        let (_kept, mut world) = world(lesson, file)?;
        let told =
            |failure: Failure| wrong(format!("solution {}: {}", number + 1, failure.message));
        follow(&mut world, solution).map_err(told)?;
        let missing = world.missing()?;
        if !missing.is_empty() {
            return Err(told(wrong(format!("at its end, {}", missing.join("; ")))));
        }
        // A rejected push can be a part of the story. A rejected record is an error of
        // the author.
        let rejected = |event: &Event| event.kind == "record" && event.verdict == "reject";
        if let Some(event) = journal::read(&world.root).into_iter().find(rejected) {
            let rules = event.rules.join(", ");
            return Err(told(wrong(format!(
                "the teammate's `{}` is rejected ({rules})",
                event.text
            ))));
        }
        snapshot::restore(&world.root, 0)?;
        if references(&world)? != start {
            return Err(told(wrong("a reset after it does not restore the start")));
        }
    }
    for trap in &lesson.traps {
        let (_kept, mut world) = world(lesson, file)?;
        let told =
            |what: String| wrong(format!("trap {}: {}: {what}", trap.rule.name(), trap.what));
        let last =
            play(&mut world, &trap.steps, true, |_, _| Ok(())).map_err(|f| told(f.message))?;
        if last.verdict != "reject" || !last.rules.contains(trap.rule.name()) {
            let rules: Vec<&str> = last.rules.iter().map(String::as_str).collect();
            return Err(told(format!(
                "the verdict is `{}`, with findings of [{}]\n{}",
                last.verdict,
                rules.join(", "),
                last.text
            )));
        }
    }
    Ok(())
}

/// Plays a solution. Returns an error if a push is rejected unexpectedly, or if the goal
/// is reached before the last step.
fn follow(world: &mut World, steps: &[LessonStep]) -> Result<(), Failure> {
    let last = steps.len().saturating_sub(1);
    play(world, steps, false, |world, place| {
        if place < last && world.missing()?.is_empty() {
            return Err(wrong(format!(
                "the goal is already reached at step {} of {}",
                place + 1,
                last + 1
            )));
        }
        Ok(())
    })?;
    Ok(())
}

/// Plays steps, with the reactions of teammates. Returns the report of the last push.
fn play(
    world: &mut World,
    steps: &[LessonStep],
    trap: bool,
    mut after: impl FnMut(&World, usize) -> Result<(), Failure>,
) -> Result<Report, Failure> {
    let mut last = Report::default();
    for (place, step) in steps.iter().enumerate() {
        let LessonStep::Step(line) = step else { continue };
        let next = steps.get(place + 1);
        let expects = |step: &LessonStep| {
            matches!(step, LessonStep::Step(Line { step: Step::Expect(_), .. }))
        };
        match &line.step {
            Step::Expect(expected) => {
                if last.verdict != expected.verdict {
                    return Err(wrong(format!(
                        "line {}: the verdict is `{}`",
                        line.number, last.verdict
                    )));
                }
            }
            Step::Later(length) => {
                world.tick(*length)?;
            }
            step => {
                let report = world.real.perform(step).map_err(|error| {
                    wrong(format!("line {}: cannot perform `{}`: {error}", line.number, line.text))
                })?;
                if let Some(report) = report {
                    last = report;
                    let is_announced =
                        next.is_some_and(expects) || (trap && place + 1 == steps.len());
                    if last.verdict != "accept" && !is_announced {
                        let text = format!(
                            "line {}: `{}` is rejected:\n{}",
                            line.number, line.text, last.text
                        );
                        return Err(wrong(text));
                    }
                }
                if matches!(step, Step::Push { .. } | Step::Record { .. }) {
                    world.run_triggers()?;
                }
            }
        }
        after(world, place)?;
    }
    Ok(last)
}

/// The refs and the clock of the server. The audit log is left out, because it also
/// contains rejected attempts.
fn references(world: &World) -> Result<String, Failure> {
    let mut git = git_command(&world.real.server());
    let all = said(git.args(["for-each-ref", "--format=%(objectname) %(refname)"]))?;
    let kept: Vec<&str> = all.lines().filter(|line| !line.ends_with("refs/refgate/log")).collect();
    let training = world.real.server().join(refgate_gate::DIRECTORY).join(refgate_gate::TRAINING);
    Ok(format!("{}\n{}", kept.join("\n"), fs::read_to_string(training)?))
}

const SCAFFOLD: &str = "\
lesson my-lesson
title What the learner will be able to do
you ada
story
  Describe the situation in a few short sentences.
task
  Describe what to do, with the commands that need an explanation:

  git push origin dev
setup
  at 2026-03-02 09:00 Europe/Paris
when dev has \"docs: hello\"
  ben says \"thanks\"
goal
  dev has \"docs: hello\"
hint
  Give help to a learner who does not know what to do next.
solution
  ada commits \"docs: hello\" on dev, changing docs/guide.md
  ada pushes dev
trap class: a mistake that the policy must reject
  ada commits \"docs: hello\" on dev, changing docs/guide.md, changing src/app.rs
  ada pushes dev
";

/// Writes a template for a lesson.
pub(crate) fn new(file: &Path) -> VerbResult {
    if file.exists() {
        let message = format!("cannot create `{}`: it exists already", file.display());
        return Err(Failure::new(Exit::BadInput, message));
    }
    fs::write(file, SCAFFOLD)?;
    say(&format!("edit `{0}`, then run `refgate-sim lint {0}`", file.display()));
    Ok(done(Exit::Accepted))
}
