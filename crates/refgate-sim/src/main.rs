//! The program `refgate-sim`: parses the arguments and calls the function of the verb.

mod args;
mod catalog;
mod clone_setup;
mod command;
mod condition;
mod free_play;
mod journal;
mod lesson;
mod lint;
mod output;
mod page;
mod progress;
mod serve;
mod snapshot;
mod teammates;
mod user_paths;
mod view;
mod watch;
mod what_if;
mod world;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Verb};
use command::{lesson as lessons, receive, time};

fn main() -> ExitCode {
    let args = Args::parse();
    let at = args.world.as_path();
    let done = match args.verb {
        Verb::Start { lesson, dir, policy, file, seed } => {
            lessons::start(lesson, (at, dir), (policy, file), seed)
        }
        Verb::Lessons => lessons::list(),
        Verb::Goal => lessons::goal(at),
        Verb::Hint => lessons::hint(at),
        Verb::Why => lessons::why(at),
        Verb::Clock => time::clock(at),
        Verb::Tick { length } => time::tick(at, &length.join(" ")),
        Verb::Undo { steps } => time::undo(at, steps),
        Verb::Redo => time::redo(at),
        Verb::Fork { to } => time::fork(at, &to),
        Verb::Reset => time::reset(at),
        Verb::Stop => time::stop(at),
        Verb::Log => time::log(at),
        Verb::Watch => watch::run(at),
        Verb::Serve { repo, policy, port } => serve::run(at, repo.as_deref(), &policy, port),
        Verb::Play { days, seed, dir } => free_play::run(at, days, seed, dir.as_deref()),
        Verb::Certificate { path, name } => progress::certificate(&path, &name),
        Verb::Lint { file } => lint::run(file.as_deref()),
        Verb::New { file } => lint::new(&file),
        Verb::Receive { root, who, server } => receive::run(&root, &who, &server),
    };
    done.unwrap_or_else(|failure| output::fail(&failure))
}
