//! Defines recipes: which side's version of a file a cherry-pick keeps.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Glob;

/// The side whose version of a file is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptSide {
    /// The version of the branch that gets the fix, for example of version and lock files.
    Branch,
    /// The version of the fix.
    Fix,
}

/// How files are handled that must not be merged line by line, because each branch has its
/// own: version numbers, lock files, generated code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The files.
    pub paths: Vec<Glob>,
    /// The side whose version is kept.
    pub keep: KeptSide,
    /// What a person must do afterwards, for example generate the files again. It is printed,
    /// and never run.
    pub then: Option<String>,
}

/// The first recipe that matches a path.
#[must_use]
pub fn recipe<'r>(recipes: &'r [Recipe], path: &str) -> Option<&'r Recipe> {
    recipes.iter().find(|recipe| recipe.paths.iter().any(|glob| glob.matches(path)))
}
