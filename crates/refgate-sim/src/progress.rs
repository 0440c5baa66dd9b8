//! Stores which lessons a person has finished, outside of all training worlds.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use refgate_gate::Exit;
use serde::{Deserialize, Serialize};

use crate::catalog;
use crate::output::{Failure, VerbResult, done, say};

/// The stored progress. Unknown keys of later versions are ignored.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    format: u32,
    finished: Vec<Finished>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Finished {
    lesson: String,
    /// The real time, as RFC 3339.
    at: String,
    /// The version of the program.
    version: String,
}

fn path() -> Result<PathBuf, Failure> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(own) = set("REFGATE_SIM_HOME") {
        return Ok(PathBuf::from(own).join("progress.toml"));
    }
    let data = set("XDG_DATA_HOME").map(PathBuf::from);
    let home = || set("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let folder = data.or_else(home).ok_or_else(|| {
        Failure::new(Exit::BadSetup, "cannot store progress: no HOME\nhint: set REFGATE_SIM_HOME")
    })?;
    Ok(folder.join("refgate-sim").join("progress.toml"))
}

fn load() -> Result<Progress, Failure> {
    let path = path()?;
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Progress::default());
        }
        found => found?,
    };
    toml::from_str(&text).map_err(|error| {
        let message = format!("cannot read `{}`: {error}\nhint: move it away", path.display());
        Failure::new(Exit::Failed, message)
    })
}

/// The names of the finished lessons.
pub(crate) fn finished() -> Result<BTreeSet<String>, Failure> {
    Ok(load()?.finished.into_iter().map(|one| one.lesson).collect())
}

/// Stores a lesson as finished.
pub(crate) fn finish(lesson: &str) -> Result<(), Failure> {
    let mut progress = load()?;
    // Free play has no end, so it is never finished.
    let none = lesson.is_empty() || lesson == crate::free_play::NAME;
    if none || progress.finished.iter().any(|one| one.lesson == lesson) {
        return Ok(());
    }
    progress.format = 1;
    progress.finished.push(Finished {
        lesson: lesson.to_string(),
        at: chrono::Utc::now().to_rfc3339(),
        version: env!("CARGO_PKG_VERSION").to_string(),
    });
    let path = path()?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = toml::to_string(&progress)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let temporary = path.with_extension(format!("{}", std::process::id()));
    fs::write(&temporary, text)?;
    Ok(fs::rename(temporary, path)?)
}

/// Prints a request for a certificate. A trainer answers it with a signed record.
pub(crate) fn certificate(course: &str, name: &str) -> VerbResult {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        let message = "cannot use this name: only letters, digits and ._@- are allowed";
        return Err(Failure::new(Exit::BadInput, message));
    }
    let progress = load()?;
    let wanted = catalog::of_path(course)?;
    if wanted.is_empty() {
        let message =
            format!("cannot find path `{course}`\nhint: `refgate-sim lessons` lists the paths");
        return Err(Failure::new(Exit::BadInput, message));
    }
    let open: Vec<&str> = wanted
        .iter()
        .filter(|lesson| !progress.finished.iter().any(|one| one.lesson == lesson.name))
        .map(|lesson| lesson.name.as_str())
        .collect();
    if !open.is_empty() {
        let message =
            format!("cannot finish path `{course}`: unfinished lessons: {}", open.join(", "));
        return Err(Failure::new(Exit::Rejected, message));
    }
    say("# Request for a certificate. A trainer who accepts it runs this command in a");
    say("# clone of the real repository:");
    say(&format!(
        "#     refgate certify {name} --course operator --for \"365 days\" --reason \"finished {course}\""
    ));
    say(&format!("name = \"{name}\"\npath = \"{course}\""));
    for one in progress.finished.iter().filter(|one| wanted.iter().any(|l| l.name == one.lesson)) {
        say(&format!(
            "\n[[finished]]\nlesson = \"{}\"\nat = \"{}\"\nversion = \"{}\"",
            one.lesson, one.at, one.version
        ));
    }
    Ok(done(Exit::Accepted))
}
