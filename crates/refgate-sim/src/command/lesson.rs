//! The verbs about a lesson: `start`, `lessons`, `goal`, `hint` and `why`.

use std::path::{Path, PathBuf};

use refgate_core::RuleId;
use refgate_gate::Exit;
use refgate_report::{clean, page, show, wrap};
use serde_json::Value;

use super::receive::decision;
use super::time::place;
use crate::clone_setup::quoted;
use crate::journal;
use crate::lesson::Lesson;
use crate::output::{Failure, VerbResult, done, say};
use crate::user_paths::absolute_path;
use crate::what_if::WhatIf;
use crate::world::{World, WorldOptions};
use crate::{catalog, progress};

pub(crate) fn start(
    name: Option<String>,
    (at, dir): (&Path, Option<PathBuf>),
    (policy, file): (Option<PathBuf>, Option<PathBuf>),
    seed: u64,
) -> VerbResult {
    let lesson = match (&file, name) {
        (Some(file), _) => catalog::from_file(file)?,
        (None, Some(name)) => catalog::find(&name, None)?,
        (None, None) => first()?,
    };
    let file = file.as_deref().map(absolute_path).transpose()?;
    let policy = policy.as_deref().map(absolute_path).transpose()?;
    let dir = dir.unwrap_or_else(|| place(at, &lesson.name));
    let world = World::start(&dir, lesson, WorldOptions { file, policy, seed: Some(seed) })?;
    intro(&world);
    say(&format!("\nGo there: cd {}", shown(&dir.join("you"))));
    say("There you can run refgate-sim goal, hint, why, tick, undo and reset.");
    Ok(done(Exit::Accepted))
}

/// A path that people can paste into a shell.
fn shown(path: &Path) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let text = path.display().to_string();
    if text.chars().all(plain) { text } else { quoted(path) }
}

/// The first unfinished lesson. Lessons of these paths come before all others.
fn next(paths: &[String]) -> Result<Option<Lesson>, Failure> {
    let finished = progress::finished()?;
    let open = catalog::all()?.into_iter().filter(|lesson| !finished.contains(&lesson.name));
    let off = |lesson: &Lesson| !lesson.paths.iter().any(|path| paths.contains(path));
    Ok(open.min_by_key(off))
}

/// The next lesson, or the first lesson if all are finished.
fn first() -> Result<Lesson, Failure> {
    let none = || Failure::new(Exit::Failed, "there are no lessons");
    next(&[])?.or(catalog::all()?.into_iter().next()).ok_or_else(none)
}

fn intro(world: &World) {
    let lesson = &world.lesson;
    say(&format!("{}\n", clean(&lesson.title)));
    let you = format!("You are {}. It is {}.", lesson.you, show(world.real.clock()));
    say(&wrap("", "", &you));
    for part in [&lesson.story, &lesson.task] {
        for paragraph in part.split("\n\n").filter(|text| !text.is_empty()) {
            say("");
            // A paragraph with commands keeps its lines.
            if paragraph.lines().any(|line| line.starts_with("git ") || line.starts_with("refgate"))
            {
                paragraph.lines().for_each(|line| say(&format!("    {}", clean(line))));
            } else {
                say(&wrap("", "", &clean(&paragraph.replace('\n', " "))));
            }
        }
    }
}

pub(crate) fn list() -> VerbResult {
    let finished = progress::finished()?;
    for lesson in catalog::all()? {
        let mark = if finished.contains(&lesson.name) { "x" } else { " " };
        let paths = if lesson.paths.is_empty() {
            String::new()
        } else {
            format!("  ({})", lesson.paths.join(", "))
        };
        say(&format!("[{mark}] {:<26} {}{paths}", lesson.name, lesson.title));
    }
    Ok(done(Exit::Accepted))
}

pub(crate) fn goal(at: &Path) -> VerbResult {
    let world = World::find(at)?;
    intro(&world);
    let missing = world.missing()?;
    say("");
    if missing.is_empty() {
        say("The goal is reached.");
        progress::finish(&world.lesson.name)?;
        if let Some(next) = next(&world.lesson.paths)? {
            say(&format!("Next lesson: refgate-sim start {}", next.name));
        }
        return Ok(done(Exit::Accepted));
    }
    say("Still missing:");
    missing.iter().for_each(|what| say(&wrap("  - ", "    ", what)));
    Ok(done(Exit::Rejected))
}

/// The rules with findings in the last push of the learner.
fn met(world: &World) -> Vec<RuleId> {
    let events = journal::read(&world.root);
    let pushes =
        events.iter().rev().filter(|one| one.kind == "push" && one.who == world.lesson.you);
    let last = pushes.take(1).flat_map(|one| &one.rules);
    last.filter_map(|name| RuleId::find(name)).collect()
}

pub(crate) fn hint(at: &Path) -> VerbResult {
    let mut world = World::find(at)?;
    say(next_hint(&mut world)?.trim_end());
    Ok(done(Exit::Accepted))
}

/// How to fix the last rejection, from the pages of its rules, and the next hint.
pub(crate) fn next_hint(world: &mut World) -> Result<String, Failure> {
    let mut out = String::new();
    for rule in met(world) {
        let way = rule.page().split("## How to fix it").nth(1).unwrap_or_default();
        let way = way.split("\n## ").next().unwrap_or_default();
        // The scenario blocks are for tests.
        let way = way.split("```scenario").next().unwrap_or_default().trim();
        let (name, shown) = (rule.name(), page(way));
        let shown = shown.trim();
        out += &format!("The rule {name} rejected your last push. How to fix it:\n\n{shown}\n\n");
        out += &format!("Read more: refgate explain {name}\n\n");
    }
    let hints = &world.lesson.hints;
    out += &match hints.get(world.state.hints).or(hints.last()) {
        Some(hint) => wrap("", "", &hint.replace('\n', " ")),
        None => "There is no hint. `refgate-sim goal` shows what is missing.".to_string(),
    };
    world.state.hints += 1;
    world.save()?;
    Ok(out)
}

/// Explains the last decision, and lists the smallest changes that make the push pass.
pub(crate) fn why(at: &Path) -> VerbResult {
    let world = World::find(at)?;
    let Some((head, object)) = decision(&world)? else {
        let message = "cannot explain a decision: no governed ref was pushed yet";
        return Err(Failure::new(Exit::BadInput, message));
    };
    say(&head);
    let findings = object.get("findings").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_string()
    };
    for finding in &findings {
        say(&wrap(
            "  ",
            "    ",
            &format!("[{}] {}", text(finding, "rule"), text(finding, "message")),
        ));
        for fact in finding.get("facts").and_then(Value::as_array).into_iter().flatten() {
            say(&wrap(
                "    ",
                "      ",
                &format!("{}: {}", text(fact, "label"), text(fact, "text")),
            ));
        }
        let remedy = finding.get("remedies").and_then(|all| all.get(0));
        let commands = remedy.and_then(|one| one.get("commands")).and_then(Value::as_array);
        for command in commands.into_iter().flatten().filter_map(Value::as_str) {
            say(&format!("      {command}"));
        }
    }
    if findings.is_empty() {
        say("  no findings");
    }
    if let Some(trial) = WhatIf::of(&world)? {
        let smallest = trial.smallest();
        let head = if smallest.is_empty() {
            "No change makes this push pass. Tested: later days, records, parts of the push."
        } else {
            "With one of these changes, the push passes (tested):"
        };
        say(&format!("\n{head}"));
        for one in &smallest {
            let (words, command) = one.split_once('\n').unwrap_or((one, ""));
            say(&wrap("  - ", "    ", words));
            if !command.is_empty() {
                say(&format!("      {command}"));
            }
        }
    }
    Ok(done(Exit::Accepted))
}
