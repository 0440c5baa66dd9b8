//! Runs the hook that existed before refgate was installed.

use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};

use refgate_gate::{Exit, former_hook_path};

use crate::say;

/// Runs the former hook with the same input and arguments, and returns its answer.
pub(crate) fn run_former_hook(stdin: &[u8], arguments: &[&str]) -> ExitCode {
    let Ok(own) = std::env::current_exe() else {
        return say("refgate: cannot find the path of the hook program", Exit::BadSetup);
    };
    let path = former_hook_path(&own);
    if !path.exists() {
        return ExitCode::SUCCESS;
    }
    let run = || -> std::io::Result<bool> {
        let mut child = Command::new(&path).args(arguments).stdin(Stdio::piped()).spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            // An error is ignored, because a hook need not read its input.
            let _ = pipe.write_all(stdin);
        }
        Ok(child.wait()?.success())
    };
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(Exit::Rejected.code()),
        Err(error) => say(
            &format!("refgate: cannot run the hook that existed before refgate: {error}"),
            Exit::BadSetup,
        ),
    }
}
