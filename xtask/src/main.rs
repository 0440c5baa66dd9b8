//! Runs the automation of the project: benchmarks, long tests and the files of a new rule.

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
  new-rule NAME       create the two files and the line of a new rule";

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
    text.parse().map_err(|_| format!("cannot read `{text}`: it is not a number"))
}

/// Prints a line. Only this function prints.
pub(crate) fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}
