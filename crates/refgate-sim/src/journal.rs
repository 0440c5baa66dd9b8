//! What has happened in a world? One line for each thing, for everybody who looks on.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use refgate_scenario::Report;
use serde::{Deserialize, Serialize};

use crate::output::Failure;
use crate::world::{MARK, World};

/// One thing that happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Event {
    /// The world's time.
    pub(crate) at: String,
    pub(crate) kind: String,
    pub(crate) who: String,
    /// In words.
    pub(crate) text: String,
    /// `accept`, `reject`, …; of pushes.
    pub(crate) verdict: String,
    pub(crate) rules: Vec<String>,
}

impl Event {
    /// Something that happens now in a world.
    pub(crate) fn now(world: &World, kind: &str, text: impl Into<String>) -> Self {
        let at = world.real.clock().to_rfc3339();
        Self { at, kind: kind.to_string(), text: text.into(), ..Self::default() }
    }
}

/// When the files changed in which every change of a world shows.
pub(crate) fn stamp(files: &[PathBuf]) -> Vec<Option<std::time::SystemTime>> {
    files.iter().map(|path| fs::metadata(path).and_then(|m| m.modified()).ok()).collect()
}

/// The files in which every change of a world shows.
pub(crate) fn watched(root: &Path) -> Vec<PathBuf> {
    let own = |name: &str| root.join(MARK).join(name);
    // A clone that was broken shows, too.
    vec![path(root), own("step"), own("state.toml"), root.join("you/.git")]
}

fn path(root: &Path) -> PathBuf {
    root.join(MARK).join("journal.jsonl")
}

/// Adds a line.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(root: &Path, event: &Event) -> Result<(), Failure> {
    let text = serde_json::to_string(event)
        .map_err(|error| Failure::new(refgate_gate::Exit::Failed, error.to_string()))?;
    let mut file = fs::File::options().create(true).append(true).open(path(root))?;
    Ok(file.write_all(format!("{text}\n").as_bytes())?)
}

/// All lines; torn ones are passed over.
pub(crate) fn read(root: &Path) -> Vec<Event> {
    let text = fs::read_to_string(path(root)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What a teammate did now, and how the server answered.
pub(crate) fn acted(world: &World, text: &str, report: &Report) -> Event {
    let mut words = text.split(' ');
    let (who, verb) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let pushes = ["pushes", "force-pushes", "deletes"].contains(&verb);
    Event {
        who: who.to_string(),
        verdict: report.verdict.clone(),
        rules: report.rules.iter().cloned().collect(),
        ..Event::now(world, if pushes { "push" } else { "record" }, text)
    }
}
