//! The journal of a world: one line of JSON for each event.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use refgate_scenario::Report;
use serde::{Deserialize, Serialize};

use crate::output::Failure;
use crate::world::{MARK, World};

/// An event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Event {
    /// The time in the world, as RFC 3339.
    pub(crate) at: String,
    pub(crate) kind: String,
    pub(crate) who: String,
    /// A description for people.
    pub(crate) text: String,
    /// The verdict of a push or record, for example `accept`; else empty.
    pub(crate) verdict: String,
    pub(crate) rules: Vec<String>,
}

impl Event {
    /// An event at the present time of a world.
    pub(crate) fn now(world: &World, kind: &str, text: impl Into<String>) -> Self {
        let at = world.real.clock().to_rfc3339();
        Self { at, kind: kind.to_string(), text: text.into(), ..Self::default() }
    }
}

/// The modification times of files. A difference shows that the world has changed.
pub(crate) fn modification_times(files: &[PathBuf]) -> Vec<Option<std::time::SystemTime>> {
    files.iter().map(|path| fs::metadata(path).and_then(|m| m.modified()).ok()).collect()
}

/// The files of which at least one changes with every change of a world.
pub(crate) fn watched_files(root: &Path) -> Vec<PathBuf> {
    let own = |name: &str| root.join(MARK).join(name);
    // `.git` is in the list because a broken clone is reported, too.
    vec![path(root), own("step"), own("state.toml"), root.join("you/.git")]
}

fn path(root: &Path) -> PathBuf {
    root.join(MARK).join("journal.jsonl")
}

/// Appends an event.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write(root: &Path, event: &Event) -> Result<(), Failure> {
    let text = serde_json::to_string(event)
        .map_err(|error| Failure::new(refgate_gate::Exit::Failed, error.to_string()))?;
    let mut file = fs::File::options().create(true).append(true).open(path(root))?;
    Ok(file.write_all(format!("{text}\n").as_bytes())?)
}

/// Reads all events, and skips incomplete lines.
pub(crate) fn read(root: &Path) -> Vec<Event> {
    let text = fs::read_to_string(path(root)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The event of a teammate's push or record, with the verdict of the server.
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
