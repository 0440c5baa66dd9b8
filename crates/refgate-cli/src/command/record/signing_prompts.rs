//! Asks the signer for a reason and for confirmation.

use std::io::IsTerminal as _;

use refgate_gate::Exit;

use crate::output::{Failure, prompt};

/// Asks for the reason at the terminal. Without a terminal, `--reason` is required.
pub(super) fn ask_for_reason(what: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, "cannot ask for the reason\nhint: use --reason"));
    }
    Ok(prompt(what)?)
}

/// Asks for confirmation. A pipe can answer too; an empty answer means no.
pub(super) fn confirm_signing() -> Result<bool, Failure> {
    Ok(matches!(prompt("Sign this record? [y/N]")?.as_str(), "y" | "Y" | "yes"))
}
