//! What is asked of the person at the desk?

use std::io::IsTerminal as _;

use refgate_gate::Exit;

use crate::output::{Failure, prompt};

/// A reason, if somebody is there to give it.
pub(super) fn asked_for(what: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, "--reason is missing: say why"));
    }
    Ok(prompt(what)?)
}

/// Whether whoever is there says yes; a pipe may say it, silence does not.
pub(super) fn agreed() -> Result<bool, Failure> {
    Ok(matches!(prompt("Sign it? [y/N]")?.as_str(), "y" | "Y" | "yes"))
}
