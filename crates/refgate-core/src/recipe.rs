//! Whose version of a file stands when a fix is carried to another branch?

use alloc::string::String;
use alloc::vec::Vec;

use crate::Glob;

/// The side whose version of a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptSide {
    /// The branch's that receives the fix: version and lock files.
    Branch,
    /// The fix's.
    Fix,
}

/// What is done with files that a merge or a pick should not decide line by
/// line: each branch has its own version number, lock file, generated code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The files.
    pub paths: Vec<Glob>,
    /// Whose version stands.
    pub keep: KeptSide,
    /// What a person has to do afterwards, such as to generate the files anew.
    /// It is told, and never run.
    pub then: Option<String>,
}

/// The first recipe that speaks of a path.
#[must_use]
pub fn recipe<'r>(recipes: &'r [Recipe], path: &str) -> Option<&'r Recipe> {
    recipes.iter().find(|recipe| recipe.paths.iter().any(|glob| glob.matches(path)))
}
