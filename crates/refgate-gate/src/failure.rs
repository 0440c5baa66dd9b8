//! Defines the error of a command: its exit code and its message.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use refgate_git::GitError;

use crate::{CheckError, Exit, InstallError, LedgerError, SetupError};

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    /// The exit code of the program.
    pub exit: Exit,
    /// The message for the user.
    pub message: String,
}

impl Failure {
    /// A failure with this exit code and message.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        Self::new(Exit::BadRepository, error.to_string())
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::new(Exit::BadSetup, error.to_string())
    }
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        Self::new(Exit::BadSetup, error.to_string())
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        Self::new(Exit::BadInput, error.to_string())
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::new(Exit::BadRepository, error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, error.to_string())
    }
}

/// The result of a command.
pub type VerbResult = Result<ExitCode, Failure>;

/// An exit code as the result of `main`.
#[must_use]
pub fn done(exit: Exit) -> ExitCode {
    ExitCode::from(exit.code())
}

/// The path of the hook program, which must be in the same directory as the program `own`.
///
/// # Errors
/// Returns an error if the hook program is not there.
pub fn find_hook_program(own: &Path) -> Result<PathBuf, Failure> {
    let beside = own.with_file_name("refgate-hook");
    if beside.is_file() {
        return Ok(beside);
    }
    let message = format!(
        "cannot find the hook program `refgate-hook` in the directory of {}\nhint: build it with \
         `cargo build --release --workspace`",
        own.display()
    );
    Err(Failure::new(Exit::BadSetup, message))
}
