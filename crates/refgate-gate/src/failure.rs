//! Why could a verb not do its work, and with which exit code does it end? For the programs that people run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use refgate_git::GitError;

use crate::{CheckError, Exit, InstallError, LedgerError, SetupError};

/// Why a verb could not do its work.
#[derive(Debug)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What is said, to the person who meets it.
    pub message: String,
}

impl Failure {
    /// A failure in words.
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

/// How a verb ends.
pub type VerbResult = Result<ExitCode, Failure>;

/// An exit code as the operating system takes it.
#[must_use]
pub fn done(exit: Exit) -> ExitCode {
    ExitCode::from(exit.code())
}

/// The hook program, which lies beside the program `own`.
///
/// # Errors
/// If it does not.
pub fn hook_beside(own: &Path) -> Result<PathBuf, Failure> {
    let beside = own.with_file_name("refgate-hook");
    if beside.is_file() {
        return Ok(beside);
    }
    let message = format!(
        "the hook program `refgate-hook` is not beside {}; build it with `cargo build --release \
         --workspace`",
        own.display()
    );
    Err(Failure::new(Exit::BadSetup, message))
}
