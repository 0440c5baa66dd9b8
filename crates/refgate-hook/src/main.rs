//! Runs the hook on the server: reads input, environment and clock once, and accepts or rejects.

mod chain;
mod protocol;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chain::run_former_hook;
use refgate_gate::{
    Environment, Exit, Inputs, Outcome, mark, receive, transaction, wait_for_older_landings,
};

/// The maximum number of bytes of input. A push within the limits never has a longer list of refs.
const MAX_INPUT_BYTES: u64 = 64 << 20;

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let name =
        Path::new(&name).file_name().and_then(|name| name.to_str()).unwrap_or("").to_string();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match (name.as_str(), words.as_slice()) {
        ("pre-receive", []) | (_, ["pre-receive"]) => pre_receive(),
        ("reference-transaction", [state]) | (_, ["reference-transaction", state]) => {
            reference_transaction(state)
        }
        ("post-receive", []) | (_, ["post-receive"]) => post_receive(),
        ("proc-receive", []) | (_, ["proc-receive"]) => protocol::proc_receive(),
        (_, ["--version"]) => {
            say(&format!("refgate-hook {}", env!("CARGO_PKG_VERSION")), Exit::Accepted)
        }
        _ => {
            say(&format!("{}\nhint: Git starts this program as a server hook", mark()), Exit::Usage)
        }
    }
}

/// Reads standard input. Returns `None` if the read fails or the input is too long.
fn input() -> Option<Vec<u8>> {
    let mut stdin = Vec::new();
    let read = std::io::stdin().lock().take(MAX_INPUT_BYTES + 1).read_to_end(&mut stdin);
    (read.is_ok() && stdin.len() as u64 <= MAX_INPUT_BYTES).then_some(stdin)
}

fn pre_receive() -> ExitCode {
    let Some(stdin) = input() else {
        return say("refgate: cannot read the input of the hook", Exit::BadInput);
    };
    let variables = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let user = || whoami::username().ok();
    let environment = Environment { variables: variables.collect(), user };
    let inputs = Inputs { stdin, environment, now: chrono::Utc::now() };
    let Outcome { exit, text } = receive(&inputs);
    say(&text, exit);
    if exit == Exit::Accepted {
        run_former_hook(&inputs.stdin, &[])
    } else {
        ExitCode::from(exit.code())
    }
}

fn reference_transaction(state: &str) -> ExitCode {
    let Some(stdin) = input() else {
        return say("refgate: cannot read the input of the hook", Exit::BadInput);
    };
    let text = String::from_utf8_lossy(&stdin);
    let now = chrono::Utc::now();
    let Outcome { exit, text } = transaction(&git_dir(), state, &text, now, is_quarantined());
    say(&text, exit);
    if exit == Exit::Accepted {
        run_former_hook(&stdin, &[state])
    } else {
        ExitCode::from(exit.code())
    }
}

fn post_receive() -> ExitCode {
    let Some(stdin) = input() else { return ExitCode::SUCCESS };
    let text = String::from_utf8_lossy(&stdin).into_owned();
    wait_for_older_landings(&git_dir(), &text, chrono::Utc::now());
    run_former_hook(&stdin, &[])
}

/// The Git directory of the server's repository, as Git names it to a hook.
fn git_dir() -> PathBuf {
    std::env::var_os("GIT_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// Whether a push is in quarantine. refgate then writes no ref (docs/design/threats.md, R7).
fn is_quarantined() -> bool {
    std::env::var_os("GIT_QUARANTINE_PATH").is_some()
}

/// Prints a text to standard error, which Git shows to the pusher. Nothing else prints.
fn say(text: &str, exit: Exit) -> ExitCode {
    if !text.is_empty() {
        let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
    }
    ExitCode::from(exit.code())
}
