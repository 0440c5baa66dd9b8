//! `git backport`: one verb, one file.

mod args;
mod branches;
mod command;
mod known;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Verb};

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.verb {
        Verb::Status(verb) => command::status::run(&args.place, verb),
    };
    done.unwrap_or_else(|failure| output::fail(&failure))
}
