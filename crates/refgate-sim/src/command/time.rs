//! The clock, and going back without fear: the whole world, step by step.

use std::fs;
use std::path::{Path, PathBuf};

use refgate_format::parse_duration;
use refgate_gate::Exit;
use refgate_report::{length, show};

use crate::clone_setup::lock;
use crate::journal::{self, Event};
use crate::output::{Failure, VerbResult, done, say};
use crate::world::{MARK, World, apart};
use crate::{progress, snapshot};

fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(Exit::BadInput, message)
}

pub(crate) fn clock(at: &Path) -> VerbResult {
    let world = World::find(at)?;
    let passed = world.real.clock().signed_duration_since(world.began());
    let began = if passed.is_zero() { String::new() } else { format!(", {} in", length(passed)) };
    say(&format!("{}{began}", show(world.real.clock())));
    Ok(done(Exit::Accepted))
}

pub(crate) fn tick(at: &Path, text: &str) -> VerbResult {
    ticked(at, text)?.iter().for_each(|line| say(line));
    Ok(done(Exit::Accepted))
}

/// Lets time pass; what is to be said of it.
pub(crate) fn ticked(at: &Path, text: &str) -> Result<Vec<String>, Failure> {
    let _held = lock(&root(at)?)?;
    let mut world = World::find(at)?;
    let step = span(text).ok_or_else(|| {
        let message = format!("`{text}` is no length of time; such as 3d, 12h, 2 weeks");
        Failure::new(Exit::Usage, message)
    })?;
    snapshot::remember(&world.root)?;
    let said = world.tick(step)?;
    let now = world.real.clock();
    let event = Event::now(&world, "tick", format!("{} pass", length(step)));
    journal::write(&world.root, &event)?;
    let mut all = vec![format!("it is {}", show(now))];
    all.extend(told(&world, said)?);
    Ok(all)
}

/// `3d` as people type it, or `3 days`.
pub(crate) fn span(text: &str) -> Option<refgate_core::Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "m" | "min" => "minutes",
        "h" => "hours",
        "d" | "" => "days",
        "w" => "weeks",
        other => other,
    };
    parse_duration(&format!("{number} {unit}"))
        .filter(|length| *length > refgate_core::Duration::zero())
}

/// Writes down what teammates said, and what was learnt.
pub(crate) fn told(world: &World, said: Vec<String>) -> Result<Vec<String>, Failure> {
    for line in &said {
        journal::write(&world.root, &Event::now(world, "says", line))?;
    }
    if world.state.solved {
        progress::finish(&world.lesson.name)?;
    }
    Ok(said)
}

/// Where a new world is made, if nobody says: beside the one around, never in it.
pub(crate) fn place(at: &Path, lesson: &str) -> PathBuf {
    let around = root(at).ok().and_then(|root| root.parent().map(Path::to_path_buf));
    around.unwrap_or_else(|| PathBuf::from("refgate-training")).join(lesson)
}

/// The folder of the world, even where it is too broken to be opened.
fn root(at: &Path) -> Result<PathBuf, Failure> {
    let from = at.canonicalize()?;
    let marked = |folder: &&Path| folder.join(MARK).join("steps").is_dir();
    let found = from.ancestors().find(marked).map(Path::to_path_buf);
    found.ok_or_else(|| wrong("there is no training world here; `refgate-sim start` makes one"))
}

pub(crate) fn undo(at: &Path, steps: usize) -> VerbResult {
    say(&undone(at, steps)?);
    Ok(done(Exit::Accepted))
}

pub(crate) fn undone(at: &Path, steps: usize) -> Result<String, Failure> {
    if steps == 0 {
        return Err(wrong("undo takes back one step at the least"));
    }
    let root = root(at)?;
    let _held = lock(&root)?;
    let now = snapshot::step(&root);
    let to = now.checked_sub(steps).filter(|to| *to > 0 && snapshot::is_kept(&root, *to));
    let nothing = "there is nothing more to take back; refgate-sim reset begins anew";
    let to = to.ok_or_else(|| wrong(nothing))?;
    // What is taken back is kept as well, for `redo`.
    if !snapshot::is_kept(&root, now) {
        snapshot::take(&root, now)?;
    }
    go(&root, to, "undo")
}

pub(crate) fn redo(at: &Path) -> VerbResult {
    say(&redone(at)?);
    Ok(done(Exit::Accepted))
}

pub(crate) fn redone(at: &Path) -> Result<String, Failure> {
    let root = root(at)?;
    let _held = lock(&root)?;
    let to = snapshot::step(&root) + 1;
    if !snapshot::is_kept(&root, to) {
        return Err(wrong("there is nothing to do again"));
    }
    go(&root, to, "redo")
}

fn go(root: &Path, to: usize, what: &str) -> Result<String, Failure> {
    snapshot::restore(root, to)?;
    snapshot::set_step(root, to)?;
    let world = World::open(root)?;
    journal::write(root, &Event::now(&world, what, what))?;
    Ok(format!("the world is as it was; it is {}", show(world.real.clock())))
}

pub(crate) fn fork(at: &Path, to: &Path) -> VerbResult {
    let root = root(at)?;
    let _held = lock(&root)?;
    let world = World::find(at)?;
    if to.exists() {
        return Err(wrong(format!("{} is there already", to.display())));
    }
    apart(to)?;
    snapshot::fork(&world.root, to)?;
    let to = to.canonicalize()?;
    let forked = World::open(&to)?;
    let mut remote = refgate_scenario::git_command(&to.join("clone"));
    crate::clone_setup::said(remote.args(["remote", "set-url", "origin", "../server.git"]))?;
    let config = to.join("you/.git/config");
    let text = fs::read_to_string(&config)?;
    let text = text.split("# refgate-sim\n").next().unwrap_or_default().to_string();
    fs::write(&config, text)?;
    forked.clone_for_you()?;
    snapshot::take(&to, 0)?;
    snapshot::set_step(&to, 1)?;
    say(&format!("{} is a world of its own now", to.display()));
    Ok(done(Exit::Accepted))
}

pub(crate) fn reset(at: &Path) -> VerbResult {
    let root = root(at)?;
    if !snapshot::is_kept(&root, 0) {
        return Err(wrong("the beginning is not kept any more; refgate-sim stop, and start again"));
    }
    // What was there is a step like any other, so that undo brings it back.
    let _held = lock(&root)?;
    snapshot::remember(&root)?;
    snapshot::restore(&root, 0)?;
    let world = World::open(&root)?;
    journal::write(&root, &Event::now(&world, "reset", "reset"))?;
    say("the lesson begins anew");
    Ok(done(Exit::Accepted))
}

pub(crate) fn stop(at: &Path) -> VerbResult {
    let root = root(at)?;
    // What somebody else does there is finished first.
    let _held = lock(&root)?;
    snapshot::clear(&root)?;
    // What somebody else has put there stays.
    let emptied = fs::remove_dir(&root).is_ok();
    let left = if emptied { "" } else { "; what you put there yourself is left" };
    say(&format!("{} is removed{left}", root.display()));
    Ok(done(Exit::Accepted))
}

pub(crate) fn log(at: &Path) -> VerbResult {
    let root = root(at)?;
    for event in journal::read(&root) {
        let when = refgate_format::parse_instant(&event.at).map(show).unwrap_or_default();
        let verdict = if event.verdict.is_empty() || event.text.starts_with(&event.verdict) {
            String::new()
        } else {
            format!(" ({})", event.verdict)
        };
        say(&format!("{when:<22} {:<6} {}{verdict}", event.kind, event.text));
    }
    Ok(done(Exit::Accepted))
}
