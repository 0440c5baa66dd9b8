//! Runs the benchmarks and the long tests. `cargo xtask` starts it.

mod appends;
mod bench;
mod bench_backport;
mod bench_ledger;
mod bench_sim;
mod differential;
mod judge;
mod peers;
mod stage;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["bench", "gate"] => bench::gate(),
        ["bench", "ledger"] => bench_ledger::ledger(),
        ["bench", "backport"] => bench_backport::backport(None),
        ["bench", "backport", path] => bench_backport::backport(Some(path)),
        ["bench", "sim"] => bench_sim::sim(),
        ["differential"] => differential::run(1_000_000),
        ["differential", count] => number(count).and_then(differential::run),
        ["judge", labels, repositories] => judge::run(labels, repositories),
        ["appends"] => appends::run_all(100_000),
        ["appends", count] => number(count).and_then(appends::run_all),
        _ => Err("unknown verb\nhint: `cargo xtask` lists the verbs".to_string()),
    };
    match result {
        Ok(text) => {
            print_line(&text);
            ExitCode::SUCCESS
        }
        Err(why) => {
            print_line(&why);
            ExitCode::FAILURE
        }
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("cannot read `{text}`: it is not a number"))
}

/// Prints a line. Only this function prints.
pub(crate) fn print_line(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}
