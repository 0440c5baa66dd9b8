//! Which lessons come with the program?

use std::fs;
use std::path::Path;

use refgate_gate::Exit;

use crate::lesson::{Lesson, parse};
use crate::output::Failure;

macro_rules! lessons {
    ($($name:literal),* $(,)?) => {
        /// The built-in lessons, in the order in which they are learnt: name and text.
        pub(crate) const ALL: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../lessons/", $name, ".lesson")))),*];
    };
}

lessons! {
    "first-change",
    "teammate-was-faster",
    "cut-a-candidate",
    "uat-fails",
    "release-and-merge-back",
    "freeze-day-12",
    "docs-in-a-freeze",
    "fast-track",
    "waiver-that-ends",
    "hotfix",
    "conflict-in-a-merge-back",
    "security-on-day-90",
    "revert-of-the-revert",
    "deletion",
    "lost-work",
    "tag-the-release",
    "edited-pick",
    "capstone",
}

fn bad(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::BadInput, error.to_string())
}

/// All built-in lessons.
pub(crate) fn all() -> Result<Vec<Lesson>, Failure> {
    ALL.iter()
        .map(|(name, text)| parse(&format!("lessons/{name}.lesson"), text).map_err(bad))
        .collect()
}

/// The lessons of a path, in order.
pub(crate) fn of_path(path: &str) -> Result<Vec<Lesson>, Failure> {
    let mut all = all()?;
    all.retain(|lesson| lesson.paths.iter().any(|one| one == path));
    Ok(all)
}

/// A lesson from a file.
pub(crate) fn from_file(file: &Path) -> Result<Lesson, Failure> {
    let text =
        fs::read_to_string(file).map_err(|error| bad(format!("{}: {error}", file.display())))?;
    parse(&file.display().to_string(), &text).map_err(bad)
}

/// The lesson of this name: built in, from a file, or free play.
pub(crate) fn find(name: &str, file: Option<&Path>) -> Result<Lesson, Failure> {
    if let Some(file) = file {
        return from_file(file);
    }
    if name == crate::play::NAME {
        return Ok(crate::play::lesson());
    }
    let all = all()?;
    let names: Vec<&str> = all.iter().map(|lesson| lesson.name.as_str()).collect();
    let message = format!("there is no lesson `{name}`; there are: {}", names.join(", "));
    all.iter().find(|lesson| lesson.name == name).cloned().ok_or_else(|| bad(message))
}
