//! Runs the `refgate` command: parses the command line and calls the module of the verb.

mod args;
mod command;
mod output;
mod policy_lookup;

use std::process::ExitCode;

use args::{Args, Verb};

fn main() -> ExitCode {
    let words = std::env::args_os().collect();
    let Args { verb } = match args::parse(words, output::ask) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    let done = match verb {
        Verb::Demo(args) => command::demo::run(&args),
        Verb::Install(args) => command::install::run(&args),
        Verb::Uninstall(args) => command::install::undo(&args),
        Verb::Restore(args) => command::restore::run(&args),
        Verb::Doctor(args) => command::doctor::run(&args),
        Verb::Lint(args) => command::lint::run(&args),
        Verb::Explain(args) => command::explain::run(&args),
        Verb::Check(args) => command::check::run(&args),
        Verb::When(args) => command::when::run(&args),
        Verb::Replay(args) => command::replay::run(&args),
        Verb::Test(args) => command::test::run(&args),
        Verb::Approve(args) => command::record::approve(&args),
        Verb::SignOff(args) => command::record::sign_off(&args),
        Verb::Waive(args) => command::record::waive(&args),
        Verb::Freeze(args) => command::record::freeze(&args),
        Verb::Absence(args) => command::record::absence(&args),
        Verb::Evidence(args) => command::record::evidence(&args),
        Verb::Release(args) => command::record::release(&args),
        Verb::NotApplicable(args) => command::record::not_applicable(&args),
        Verb::DeleteRequest(args) => command::record::delete_request(&args),
        Verb::Certify(args) => command::record::certify(&args),
        Verb::Settle(args) => command::record::settle(&args),
        Verb::Withdraw(args) => command::record::withdraw(&args),
        Verb::Ledger(args) => command::ledger::run(&args),
        Verb::Status(args) => command::status::run(&args),
        Verb::Log(args) => command::audit::log(&args),
        Verb::Audit(args) => command::audit::run(&args),
        Verb::Prove(args) => command::prove::run(&args),
        Verb::Completions(args) => command::shell::completions(&args),
        Verb::Man(args) => command::shell::man(&args),
    };
    done.unwrap_or_else(|failure| output::fail(&failure))
}
