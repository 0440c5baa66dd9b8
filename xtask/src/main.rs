//! What does the project do to itself? Benchmarks, long tests, new rules.

mod appends;
mod bench;
mod bench_backport;
mod bench_ledger;
mod bench_sim;
mod differential;
mod peers;
mod rule;
mod stage;

use std::process::ExitCode;

const USAGE: &str = "cargo xtask VERB

  bench gate          what a push costs, beside the same push without refgate,
                      beside gitolite and beside git's own commands
  bench ledger        verdicts, signatures and `status` on small and large
                      ledgers, beside ssh-keygen and git log
  bench backport [REPO]
                      `git backport`, beside git cherry, merge-tree and
                      cherry-pick; and all fixes of a repository
  bench sim           training worlds: begin, tick, undo
  differential [N]    engine against the naive model, N pushes (a million)
  appends [N]         N records (a hundred thousand) by eight writers, under
                      kills, pack-refs and gc: none that was taken is lost
  new-rule NAME       the two files and the line of a new rule";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["bench", "gate"] => bench::gate(),
        ["bench", "ledger"] => bench_ledger::ledger(),
        ["bench", "backport"] => bench_backport::backport(None),
        ["bench", "backport", path] => bench_backport::backport(Some(path)),
        ["bench", "sim"] => bench_sim::sim(),
        ["differential"] => differential::run(1_000_000),
        ["differential", count] => number(count).and_then(differential::run),
        ["appends"] => appends::run_all(100_000),
        ["appends", count] => number(count).and_then(appends::run_all),
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

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

/// The one place that prints.
pub(crate) fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}
