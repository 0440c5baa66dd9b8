//! The one file that prints, and the one failure that every verb can end in.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
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

impl From<refgate_gate::SetupError> for Failure {
    fn from(error: refgate_gate::SetupError) -> Self {
        Self::new(Exit::BadSetup, error.to_string())
    }
}

impl From<refgate_gate::InstallError> for Failure {
    fn from(error: refgate_gate::InstallError) -> Self {
        Self::new(Exit::BadSetup, error.to_string())
    }
}

impl From<refgate_gate::CheckError> for Failure {
    fn from(error: refgate_gate::CheckError) -> Self {
        Self::new(Exit::BadInput, error.to_string())
    }
}

impl From<refgate_gate::BookError> for Failure {
    fn from(error: refgate_gate::BookError) -> Self {
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

/// Writes to standard output. A reader that has gone away ends the program
/// quietly, as it does for other filters.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        quit();
    }
}

#[expect(clippy::exit, reason = "nobody reads any more; there is nothing left to do")]
fn quit() -> ! {
    std::process::exit(0)
}

/// Writes to standard error.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub(crate) fn fail(failure: &Failure) -> ExitCode {
    tell(&format!("refgate: {}", failure.message));
    done(failure.exit)
}

/// Asks whoever sits at a terminal; nobody else.
pub(crate) fn ask(question: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() || !watched() {
        return None;
    }
    prompt(question).ok()
}

/// Asks, and reads a line of whatever is there to answer.
pub(crate) fn prompt(question: &str) -> std::io::Result<String> {
    let mut out = std::io::stderr();
    write!(out, "{question} ")?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_string())
}

/// Whether a person is watching standard error.
pub(crate) fn watched() -> bool {
    std::io::stderr().is_terminal()
}
