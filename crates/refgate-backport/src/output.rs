//! Prints to standard output and standard error. No other file prints.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use refgate_gate::Exit;
pub(crate) use refgate_gate::{Failure, VerbResult, done};

/// Prints a JSON document on one line, with every invisible character as an escape.
pub(crate) fn say_json(value: &impl std::fmt::Display) {
    say(&refgate_report::clean_json(value));
}

/// Writes to standard output. If the reader has closed the pipe, the program ends without
/// an error, as other filters do. Other errors, such as a full disk, are reported.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        quit(&error);
    }
}

#[expect(clippy::exit, reason = "the output cannot be written, so nothing is left to do")]
fn quit(error: &std::io::Error) -> ! {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        std::process::exit(0)
    }
    tell(&format!("git backport: cannot write the output: {error}"));
    std::process::exit(i32::from(Exit::Failed.code()))
}

/// Writes to standard error.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub(crate) fn fail(failure: &Failure) -> ExitCode {
    tell(&format!("git backport: {}", failure.message));
    done(failure.exit)
}

/// A progress counter. It is shown only on a terminal.
pub(crate) fn progress(what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {pos}");
    let bar = ProgressBar::new_spinner().with_message(what.to_string());
    bar.enable_steady_tick(Duration::from_millis(120));
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}
