//! The one file that prints.

use std::io::Write as _;
use std::process::ExitCode;

pub(crate) use refgate_gate::{Failure, VerbResult, done};

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
