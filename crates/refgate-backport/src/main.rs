//! The program `git-backport`: shows which branches contain a fix, and backports fixes.

mod args;
mod branches;
mod command;
mod conflict;
mod conflict_remedies;
mod fix_index;
mod git_command;
mod merge_tree;
mod output;
mod partial_merge;
mod pick_writer;
mod plan;
mod policy_answer;
mod prompts;
mod receipt_report;
mod recipes;
mod recovery;
mod resolution;
mod run_loop;
mod run_state;
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
