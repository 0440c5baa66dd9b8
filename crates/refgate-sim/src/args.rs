//! The command line of `refgate-sim`. The doc comments are the texts of `--help`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Practise the release process in a real repository, with the real hook and a
/// clock that you control.
#[derive(Debug, Parser)]
#[command(name = "refgate-sim", version)]
pub(crate) struct Args {
    /// A folder inside the training world
    #[arg(short = 'C', long, default_value = ".", global = true)]
    pub(crate) world: PathBuf,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create a training world
    Start {
        /// Name of the lesson [default: the first lesson that you have not finished]
        lesson: Option<String>,
        /// Folder of the new world [default: refgate-training/LESSON, or a folder
        /// beside the current world]
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Policy file that replaces the policy of the lesson
        #[arg(long)]
        policy: Option<PathBuf>,
        /// File with your own lesson
        #[arg(long, conflicts_with = "lesson")]
        file: Option<PathBuf>,
        /// Selects the day of each event that has a range of days
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// List the lessons, and show which ones you have finished
    Lessons,
    /// Show the story, the task, and what is still missing
    Goal,
    /// Show the next hint of the lesson, and how to fix the last rejection
    Hint,
    /// Explain the last decision, and list tested changes that make the push pass
    Why,
    /// Show the time in the world
    Clock,
    /// Let time pass, for example 3d, 12h or 2 weeks
    Tick {
        /// Length of time
        #[arg(required = true)]
        length: Vec<String>,
    },
    /// Undo the last step in the whole world, including the clock
    Undo {
        /// Number of steps
        #[arg(default_value_t = 1)]
        steps: usize,
    },
    /// Redo the last undone step
    Redo,
    /// Copy the world to another folder, for experiments
    Fork {
        /// Folder of the copy
        to: PathBuf,
    },
    /// Restart the lesson from the beginning
    Reset,
    /// Remove the world
    Stop,
    /// List the events of the world
    Log,
    /// Show the world live in the terminal: branches, calendar, verdict, goal
    Watch,
    /// Show the world as a web page, on this machine only
    Serve {
        /// Show this real repository instead, read-only
        #[arg(long)]
        repo: Option<PathBuf>,
        /// Policy for --repo: a built-in name or a file
        #[arg(long, default_value = "portal")]
        policy: String,
        /// Port; 0 selects a free port
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Play without a lesson: teammates work and make mistakes
    Play {
        /// Number of days, at most 366
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
        /// Seed of the events; the same seed gives the same events
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Folder of the world [default: the current free-play world, or free-play
        /// beside the current world or in refgate-training]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Request a certificate for a path whose lessons you have all finished
    Certificate {
        /// Name of the path
        #[arg(default_value = "60-minutes")]
        path: String,
        /// Your name, as the server knows it
        #[arg(long)]
        name: String,
    },
    /// Check the built-in lessons, or a lesson file
    Lint {
        /// File with your own lesson
        file: Option<PathBuf>,
    },
    /// Write a template for your own lesson
    New {
        /// The new file
        file: PathBuf,
    },
    /// Receive a push; Git runs this
    #[command(hide = true)]
    Receive {
        /// Folder of the world
        root: PathBuf,
        /// Name of the pusher
        who: String,
        /// Repository of the server
        server: PathBuf,
    },
}
