//! Which lessons has this person finished? Kept where it survives new versions and removed worlds.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use refgate_gate::Exit;
use serde::{Deserialize, Serialize};

use crate::catalog;
use crate::output::{Failure, VerbResult, done, say};

/// What is kept. Unknown keys of later versions are kept out of the way, not refused.
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
    /// When, by the real clock.
    at: String,
    /// By which version of the program.
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
        Failure::new(Exit::BadSetup, "there is no HOME to keep progress in; set REFGATE_SIM_HOME")
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
        let message = format!("{} cannot be read: {error}; move it away", path.display());
        Failure::new(Exit::Failed, message)
    })
}

/// The lessons that were finished.
pub(crate) fn finished() -> Result<BTreeSet<String>, Failure> {
    Ok(load()?.finished.into_iter().map(|one| one.lesson).collect())
}

/// Notes that a lesson was finished.
pub(crate) fn finish(lesson: &str) -> Result<(), Failure> {
    let mut progress = load()?;
    // Free play never ends, so it is never finished.
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

/// A request that a trainer answers with a signed record.
pub(crate) fn certificate(course: &str, name: &str) -> VerbResult {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        let message = "your name, as the server knows you, has letters, digits and ._@- only";
        return Err(Failure::new(Exit::BadInput, message));
    }
    let progress = load()?;
    let wanted = catalog::of_path(course)?;
    if wanted.is_empty() {
        let message = format!("there is no path `{course}`; see refgate-sim lessons");
        return Err(Failure::new(Exit::BadInput, message));
    }
    let open: Vec<&str> = wanted
        .iter()
        .filter(|lesson| !progress.finished.iter().any(|one| one.lesson == lesson.name))
        .map(|lesson| lesson.name.as_str())
        .collect();
    if !open.is_empty() {
        let message = format!("of the path {course} these are not finished: {}", open.join(", "));
        return Err(Failure::new(Exit::Rejected, message));
    }
    say("# A request for a certificate. A trainer who believes it records, in a clone");
    say("# of the real repository:");
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
