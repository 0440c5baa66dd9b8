//! The one file that prints.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

pub(crate) use refgate_gate::{Failure, VerbResult, done};

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
    tell(&refgate_report::clean_block(&format!("refgate: {}", failure.message)));
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
