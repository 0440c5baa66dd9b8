//! Prints lines to standard output and standard error.

use std::io::Write as _;
use std::process::ExitCode;

pub(crate) use refgate_gate::{Failure, VerbResult, done};

/// Writes a line to standard output.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Writes a line to standard error. During a push, the learner's terminal shows it.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints an error, and returns its exit code.
pub(crate) fn fail(failure: &Failure) -> ExitCode {
    tell(&format!("refgate-sim: {}", failure.message));
    done(failure.exit)
}
