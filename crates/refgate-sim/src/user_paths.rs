//! Reads files and resolves paths that the user names.

use std::fs;
use std::path::{Path, PathBuf};

use refgate_gate::Exit;

use crate::output::Failure;

/// Reads a file that the user named.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(named(path))
}

/// Resolves a path that the user named to an absolute path without links.
pub(crate) fn absolute_path(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(named(path))
}

fn named(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    move |error| wrong(format!("cannot read `{}`: {error}", path.display()))
}

/// An error in what the user named.
pub(crate) fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(Exit::BadInput, message)
}
