//! The one file that prints, and the one failure that every verb can end in.

use std::io::Write as _;
use std::process::ExitCode;

use refgate_gate::Exit;

/// Why a verb could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl From<refgate_git::GitError> for Failure {
    fn from(error: refgate_git::GitError) -> Self {
        Self::new(Exit::BadRepository, error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, error.to_string())
    }
}

/// How a verb ends.
pub(crate) type Done = Result<ExitCode, Failure>;

pub(crate) fn done(exit: Exit) -> ExitCode {
    ExitCode::from(exit.code())
}

/// Writes to standard output.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Writes to standard error: during a push that is the learner's terminal.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub(crate) fn fail(failure: &Failure) -> ExitCode {
    tell(&format!("refgate-sim: {}", failure.message));
    done(failure.exit)
}
