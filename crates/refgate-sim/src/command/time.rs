//! The verbs about time and steps: the clock, undo and redo, copies and the journal.

use std::fs;
use std::path::{Path, PathBuf};

use refgate_format::parse_duration;
use refgate_gate::Exit;
use refgate_report::{length, show};

use crate::clone_setup::lock;
use crate::journal::{self, Event};
use crate::output::{Failure, VerbResult, done, say};
use crate::world::{MARK, World, check_outside_worlds};
use crate::{progress, snapshot};

fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(Exit::BadInput, message)
}

pub(crate) fn clock(at: &Path) -> VerbResult {
    let world = World::find(at)?;
    let passed = world.real.clock().signed_duration_since(world.began());
    let began = if passed.is_zero() {
        String::new()
    } else {
        format!(", {} after the start", length(passed))
    };
    say(&format!("{}{began}", show(world.real.clock())));
    Ok(done(Exit::Accepted))
}

pub(crate) fn tick(at: &Path, text: &str) -> VerbResult {
    advance_clock(at, text)?.iter().for_each(|line| say(line));
    Ok(done(Exit::Accepted))
}

/// Lets time pass. Returns the lines to print.
pub(crate) fn advance_clock(at: &Path, text: &str) -> Result<Vec<String>, Failure> {
    let _held = lock(&root(at)?)?;
    let mut world = World::find(at)?;
    let step = span(text).ok_or_else(|| {
        let message = format!("cannot parse length `{text}`\nhint: write 3d, 12h or 2 weeks");
        Failure::new(Exit::Usage, message)
    })?;
    snapshot::remember(&world.root)?;
    let said = world.tick(step)?;
    let now = world.real.clock();
    let event = Event::now(&world, "tick", format!("the clock moves on by {}", length(step)));
    journal::write(&world.root, &event)?;
    let mut all = vec![format!("it is {}", show(now))];
    all.extend(told(&world, said)?);
    Ok(all)
}

/// Parses `3d` or `3 days`.
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

/// Writes the lines of teammates to the journal, and stores a solved lesson as finished.
pub(crate) fn told(world: &World, said: Vec<String>) -> Result<Vec<String>, Failure> {
    for line in &said {
        journal::write(&world.root, &Event::now(world, "says", line))?;
    }
    if world.state.solved {
        progress::finish(&world.lesson.name)?;
    }
    Ok(said)
}

/// The default folder of a new world: beside the current world, never inside it.
pub(crate) fn place(at: &Path, lesson: &str) -> PathBuf {
    let around = root(at).ok().and_then(|root| root.parent().map(Path::to_path_buf));
    around.unwrap_or_else(|| PathBuf::from("refgate-training")).join(lesson)
}

/// The folder of the world, even if the world is too broken to be opened.
fn root(at: &Path) -> Result<PathBuf, Failure> {
    let from = at.canonicalize()?;
    let marked = |folder: &&Path| folder.join(MARK).join("steps").is_dir();
    let found = from.ancestors().find(marked).map(Path::to_path_buf);
    found.ok_or_else(|| wrong("cannot find a training world here\nhint: run `refgate-sim start`"))
}

pub(crate) fn undo(at: &Path, steps: usize) -> VerbResult {
    say(&restore_earlier(at, steps)?);
    Ok(done(Exit::Accepted))
}

pub(crate) fn restore_earlier(at: &Path, steps: usize) -> Result<String, Failure> {
    if steps == 0 {
        return Err(wrong("cannot undo 0 steps: the minimum is 1"));
    }
    let root = root(at)?;
    let _held = lock(&root)?;
    let now = snapshot::step(&root);
    let to = now.checked_sub(steps).filter(|to| *to > 0 && snapshot::is_stored(&root, *to));
    let nothing = "cannot undo: no earlier step is stored\nhint: run `refgate-sim reset`";
    let to = to.ok_or_else(|| wrong(nothing))?;
    // The present state is stored, too, for `redo`.
    if !snapshot::is_stored(&root, now) {
        snapshot::take(&root, now)?;
    }
    go(&root, to, "undo")
}

pub(crate) fn redo(at: &Path) -> VerbResult {
    say(&restore_later(at)?);
    Ok(done(Exit::Accepted))
}

pub(crate) fn restore_later(at: &Path) -> Result<String, Failure> {
    let root = root(at)?;
    let _held = lock(&root)?;
    let to = snapshot::step(&root) + 1;
    if !snapshot::is_stored(&root, to) {
        return Err(wrong("cannot redo: no undone step is stored"));
    }
    go(&root, to, "redo")
}

fn go(root: &Path, to: usize, what: &str) -> Result<String, Failure> {
    snapshot::restore(root, to)?;
    snapshot::set_step(root, to)?;
    let world = World::open(root)?;
    journal::write(root, &Event::now(&world, what, what))?;
    Ok(format!("the world is restored; it is {}", show(world.real.clock())))
}

pub(crate) fn fork(at: &Path, to: &Path) -> VerbResult {
    let root = root(at)?;
    let _held = lock(&root)?;
    let world = World::find(at)?;
    if to.exists() {
        return Err(wrong(format!("cannot create `{}`: it exists already", to.display())));
    }
    check_outside_worlds(to)?;
    snapshot::fork(&world.root, to)?;
    let to = to.canonicalize()?;
    let forked = World::open(&to)?;
    let mut remote = refgate_scenario::git_command(&to.join("clone"));
    crate::clone_setup::said(remote.args(["remote", "set-url", "origin", "../server.git"]))?;
    let config = to.join("you/.git/config");
    let text = fs::read_to_string(&config)?;
    let text = text.split("# refgate-sim\n").next().unwrap_or_default().to_string();
    fs::write(&config, text)?;
    forked.set_up_clone()?;
    snapshot::take(&to, 0)?;
    snapshot::set_step(&to, 1)?;
    say(&format!("the copy is in `{}`", to.display()));
    Ok(done(Exit::Accepted))
}

pub(crate) fn reset(at: &Path) -> VerbResult {
    let root = root(at)?;
    if !snapshot::is_stored(&root, 0) {
        return Err(wrong("cannot reset: no first step\nhint: start another world"));
    }
    // The present state becomes a step, so that `undo` can restore it.
    let _held = lock(&root)?;
    snapshot::remember(&root)?;
    snapshot::restore(&root, 0)?;
    let world = World::open(&root)?;
    journal::write(&root, &Event::now(&world, "reset", "reset"))?;
    say("the lesson starts again");
    Ok(done(Exit::Accepted))
}

pub(crate) fn stop(at: &Path) -> VerbResult {
    let root = root(at)?;
    // Another process may still work in the world; the lock waits for it.
    let _held = lock(&root)?;
    snapshot::clear(&root)?;
    // Files of the user stay, and then their folder stays, too.
    let emptied = fs::remove_dir(&root).is_ok();
    let left = if emptied { "" } else { "; your own files are still there" };
    say(&format!("the world in `{}` is removed{left}", root.display()));
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
