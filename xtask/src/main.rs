//! What does the project do to itself? Benchmarks, long tests, new rules.

mod bench;
mod bench_ledger;
mod differential;
mod rule;
mod stage;

use std::process::ExitCode;

const USAGE: &str = "cargo xtask VERB

  bench gate          what a push costs, beside the same push without refgate,
                      beside gitolite and beside git's own commands
  bench ledger        verdicts, signatures and `status` on small and large
                      ledgers, beside ssh-keygen and git log
  differential [N]    engine against the naive model, N pushes (a million)
  new-rule NAME       the two files and the line of a new rule";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["bench", "gate"] => bench::gate(),
        ["bench", "ledger"] => bench_ledger::ledger(),
        ["differential"] => differential::run(1_000_000),
        ["differential", count] => match count.parse() {
            Ok(count) => differential::run(count),
            Err(_) => Err(format!("`{count}` is no number")),
        },
        ["new-rule", name] => rule::make(name),
        _ => Err(USAGE.to_string()),
    };
    match done {
        Ok(said) => {
            say(&said);
            ExitCode::SUCCESS
        }
        Err(why) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

/// The one place that prints.
pub(crate) fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}
