//! What does the hook that was there before say?

use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};

use refgate_gate::{Exit, chained};

use crate::say;

/// The hook that was there before has its say too, with the same input.
pub(crate) fn former(stdin: &[u8], arguments: &[&str]) -> ExitCode {
    let Ok(own) = std::env::current_exe() else {
        return say("refgate: refused. The hook cannot find itself.", Exit::BadSetup);
    };
    let path = chained(&own);
    if !path.exists() {
        return ExitCode::SUCCESS;
    }
    let run = || -> std::io::Result<bool> {
        let mut child = Command::new(&path).args(arguments).stdin(Stdio::piped()).spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            // A hook that does not read its input is within its rights.
            let _ = pipe.write_all(stdin);
        }
        Ok(child.wait()?.success())
    };
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(Exit::Rejected.code()),
        Err(error) => say(
            &format!("refgate: refused. The server's own hook cannot be run: {error}"),
            Exit::BadSetup,
        ),
    }
}
