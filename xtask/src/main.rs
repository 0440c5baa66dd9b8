//! The automation of the project: it makes the files of a new rule itself, and starts the
//! benchmarks and long tests of `xtask-bench`. It links nothing of refgate, so that a new
//! rule takes seconds.

mod rule;

use std::process::{Command, ExitCode};

const USAGE: &str = "cargo xtask VERB

  new-rule NAME       create the two files and the line of a new rule
  bench gate          measure the cost of a push, compared with the same push
                      without refgate, with gitolite and with Git commands
  bench ledger        measure verdicts, signatures and `status` on small and
                      large ledgers, compared with ssh-keygen and git log
  bench backport [REPO]
                      measure `git backport`, compared with git cherry,
                      merge-tree and cherry-pick; with REPO: all of its fixes
  bench sim           measure training worlds: start, tick, undo
  differential [N]    judge N pushes (default 1000000) with the engine and with
                      the reference model, and compare the verdicts
  appends [N]         push N records (default 100000) from eight writers, during
                      kills, pack-refs and gc, and check that none is lost
  judge LABELS REPOSITORIES
                      compare verdicts with labelled landings of repositories
  landed [N]          make N random histories (default 100000), and check that each
                      fix is found where its lines are
  attack [N [SEED]]   send N hostile pushes (default 10000) to eight
                      installations, and check that no protected ref moves";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["new-rule", name] => match rule::create(name) {
            Ok(text) => {
                print_line(&text);
                ExitCode::SUCCESS
            }
            Err(why) => {
                print_line(&why);
                ExitCode::FAILURE
            }
        },
        ["judge", ..] => {
            let build = &mut cargo(&["build", "--quiet", "--release", "--bin", "refgate"]);
            if exit_code(build) != ExitCode::SUCCESS {
                return ExitCode::FAILURE;
            }
            let mut run = cargo(&["run", "--quiet", "--release", "--package", "xtask-bench", "--"]);
            exit_code(run.args(&words))
        }
        ["bench" | "differential" | "appends", ..] => {
            let mut run = cargo(&["run", "--quiet", "--release", "--package", "xtask-bench", "--"]);
            exit_code(run.args(&words))
        }
        ["landed", rest @ ..] => {
            let mut test = cargo(&["test", "--release", "--package", "refgate-git"]);
            test.args(["--test", "it", "--", "--nocapture"]);
            test.env("REFGATE_LANDED", rest.first().unwrap_or(&"100000"));
            exit_code(&mut test)
        }
        ["attack", rest @ ..] => {
            let mut test = cargo(&["test", "--release", "--package", "refgate-hook"]);
            test.args(["--test", "attack", "--", "--nocapture"]);
            test.env("REFGATE_ATTACKS", rest.first().unwrap_or(&"10000"));
            test.env("REFGATE_ATTACK_SEED", rest.get(1).unwrap_or(&"1"));
            exit_code(&mut test)
        }
        _ => {
            print_line(USAGE);
            ExitCode::FAILURE
        }
    }
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    cargo
}

fn exit_code(command: &mut Command) -> ExitCode {
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            print_line(&format!("cannot run cargo: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line. Only this function prints.
fn print_line(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}
