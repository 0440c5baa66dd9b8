//! `git backport`: one verb, one file.

mod apply;
mod args;
mod branches;
mod choose;
mod command;
mod conflict;
mod cure;
mod git;
mod halfway;
mod journal;
mod known;
mod merge;
mod output;
mod plan;
mod receipt;
mod recipes;
mod resolution;
mod rules;
mod run;
mod trial;
mod worktree;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Hotfix, Verb};

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.verb {
        Verb::Status(verb) => command::status::run(&args.place, verb),
        Verb::Plan(verb) => command::plan::run(&args.place, verb),
        Verb::Apply(verb) => command::apply::run(&args.place, verb),
        Verb::Continue => command::resume::go_on(&args.place),
        Verb::Skip { branch, fix } => command::resume::skip(&args.place, branch, fix.as_deref()),
        Verb::Abort => command::resume::undo(&args.place, true),
        Verb::Undo => command::resume::undo(&args.place, false),
        Verb::Hotfix { step: Hotfix::Start { name } } => command::hotfix::start(&args.place, name),
        Verb::Hotfix { step: Hotfix::Finish(verb) } => command::finish::run(&args.place, verb),
        Verb::Debts => command::debts::run(&args.place),
        Verb::Completions { shell } => command::shell::completions(*shell),
        Verb::Man { folder } => command::shell::man(folder),
        Verb::Receipt { commit, of } => command::receipt::run(&args.place, commit, of.as_deref()),
    };
    done.unwrap_or_else(|failure| output::fail(&failure))
}
