//! What is asked of the person at the desk?

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use refgate_gate::Exit;

use crate::output::Failure;

/// A reason, if somebody is there to give it.
pub(super) fn asked_for(what: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, "--reason is missing: say why"));
    }
    prompt(what)
}

/// Whether whoever is there says yes; a pipe may say it, silence does not.
pub(super) fn agreed() -> Result<bool, Failure> {
    Ok(matches!(prompt("Sign it? [y/N]")?.as_str(), "y" | "Y" | "yes"))
}

fn prompt(what: &str) -> Result<String, Failure> {
    let mut out = std::io::stderr();
    write!(out, "{what} ")?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_string())
}
