//! Prints to standard output and standard error, and reads answers from the terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

pub(crate) use refgate_gate::{Failure, VerbResult, done};

/// Prints a JSON document on one line, with every invisible character as an escape.
pub(crate) fn say_json(value: &impl std::fmt::Display) {
    say(&refgate_report::clean_json(value));
}

/// Writes a line to standard output. If the reader closed the pipe, the program
/// ends without an error, as other filters do.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        quit();
    }
}

#[expect(clippy::exit, reason = "the reader closed the pipe, so no more output is possible")]
fn quit() -> ! {
    std::process::exit(0)
}

/// Writes a line to standard error.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub(crate) fn fail(failure: &Failure) -> ExitCode {
    tell(&refgate_report::clean_block(&format!("refgate: {}", failure.message)));
    done(failure.exit)
}

/// Asks a question if standard input and standard error are terminals.
pub(crate) fn ask(question: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() || !stderr_is_terminal() {
        return None;
    }
    prompt(question).ok()
}

/// Prints a question and reads one line from standard input, which can be a pipe.
pub(crate) fn prompt(question: &str) -> std::io::Result<String> {
    let mut out = std::io::stderr();
    write!(out, "{question} ")?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_string())
}

/// Whether standard error is a terminal.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
