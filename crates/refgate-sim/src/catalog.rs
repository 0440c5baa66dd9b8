//! The built-in lessons, and the search for a lesson by name or file.

use std::fs;
use std::path::Path;

use refgate_gate::Exit;

use crate::lesson::{Lesson, parse};
use crate::output::Failure;

macro_rules! lessons {
    ($($name:literal),* $(,)?) => {
        /// Name and text of the built-in lessons, in the recommended order.
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
    "change-the-policy",
    "capstone",
}

fn lesson_failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::BadInput, error.to_string())
}

/// Parses all built-in lessons.
pub(crate) fn all() -> Result<Vec<Lesson>, Failure> {
    ALL.iter().map(read).collect()
}

fn read((name, text): &(&str, &str)) -> Result<Lesson, Failure> {
    parse(&format!("lessons/{name}.lesson"), text).map_err(lesson_failure)
}

/// The lessons of a path, in order.
pub(crate) fn of_path(path: &str) -> Result<Vec<Lesson>, Failure> {
    let mut all = all()?;
    all.retain(|lesson| lesson.paths.iter().any(|one| one == path));
    Ok(all)
}

/// Reads a lesson from a file.
pub(crate) fn from_file(file: &Path) -> Result<Lesson, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| lesson_failure(format!("cannot read `{}`: {error}", file.display())))?;
    parse(&file.display().to_string(), &text).map_err(lesson_failure)
}

/// Finds a lesson: in its file, as free play, or among the built-in lessons.
pub(crate) fn find(name: &str, file: Option<&Path>) -> Result<Lesson, Failure> {
    if let Some(file) = file {
        return from_file(file);
    }
    if name == crate::free_play::NAME {
        return Ok(crate::free_play::lesson());
    }
    if let Some(entry) = ALL.iter().find(|(known, _)| *known == name) {
        return read(entry);
    }
    let names: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
    Err(lesson_failure(format!(
        "cannot find lesson `{name}`\nhint: the lessons are {}",
        names.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_built_in_lesson_by_its_name() {
        for (name, _) in ALL {
            assert_eq!(find(name, None).unwrap().name, *name);
        }
    }
}
