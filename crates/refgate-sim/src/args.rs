//! What can be asked of the simulator?

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Practise the release process in a real repository, with the real hook, on a
/// calendar that you move.
#[derive(Debug, Parser)]
#[command(name = "refgate-sim", version)]
pub(crate) struct Args {
    /// Somewhere in the training world
    #[arg(short = 'C', long, default_value = ".", global = true)]
    pub(crate) world: PathBuf,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a training world
    Start {
        /// The lesson; the first that you have not finished if not given
        lesson: Option<String>,
        /// The folder that it is made in; beside the world around if not given, or
        /// in refgate-training
        #[arg(long)]
        dir: Option<PathBuf>,
        /// A policy of your own, instead of the lesson's
        #[arg(long)]
        policy: Option<PathBuf>,
        /// A lesson of your own
        #[arg(long, conflicts_with = "lesson")]
        file: Option<PathBuf>,
        /// Decides where a lesson leaves days open
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// The lessons, and which of them you have finished
    Lessons,
    /// The story and the task, and what the goal still lacks
    Goal,
    /// A hint: the next of the lesson's, and the page of the rule that refused last
    Hint,
    /// Why the last push was refused, and what would pass
    Why,
    /// What time it is in the world
    Clock,
    /// Let time pass: 3d, 12h, 2 weeks
    Tick {
        /// How long
        #[arg(required = true)]
        length: Vec<String>,
    },
    /// Take the last step back: the whole world, and the clock too
    Undo {
        /// So many steps
        #[arg(default_value_t = 1)]
        steps: usize,
    },
    /// Take an undo back
    Redo,
    /// Copy the world, to try something there
    Fork {
        /// The new folder
        to: PathBuf,
    },
    /// Begin the lesson anew
    Reset,
    /// Remove the world
    Stop,
    /// What has happened
    Log,
    /// See the world live in the terminal: branches, calendar, verdict, goal
    Watch,
    /// See it as a page, on this machine only
    Serve {
        /// A real repository instead, only to be looked at
        #[arg(long)]
        repo: Option<PathBuf>,
        /// Its policy: built in, or a file
        #[arg(long, default_value = "portal")]
        policy: String,
        /// The port; any that is free if not given
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// A world without a lesson: teammates work, and things go wrong
    Play {
        /// How many days, a year at most
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
        /// The same seed, the same events
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The folder that it is played in; the world around if not given, or a new
        /// one beside it or in refgate-training
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Ask for a certificate of a path whose lessons you have all finished
    Certificate {
        /// The path
        #[arg(default_value = "60-minutes")]
        path: String,
        /// Your name, as the server knows you
        #[arg(long)]
        name: String,
    },
    /// Check lessons: the built-in ones, or a file
    Lint {
        /// A lesson of your own
        file: Option<PathBuf>,
    },
    /// Begin a lesson of your own
    New {
        /// The file
        file: PathBuf,
    },
    /// What git asks for when you push (not for people)
    #[command(hide = true)]
    Receive {
        /// The world
        root: PathBuf,
        /// Who pushes
        who: String,
        /// The server
        server: PathBuf,
    },
}
