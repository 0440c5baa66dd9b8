//! What can be asked of `git backport`?

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Know where every fix has landed, forecast, pick, and carry it through.
#[derive(Debug, Parser)]
#[command(name = "git-backport", bin_name = "git backport", version)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Which repository, and which of its branches.
#[derive(Debug, ClapArgs)]
pub(crate) struct Place {
    /// The repository
    #[arg(short = 'C', long, default_value = ".", global = true)]
    pub(crate) repository: PathBuf,
    /// The remote whose branches are meant; in a bare repository its own are
    #[arg(long, default_value = "origin", global = true)]
    pub(crate) remote: String,
    /// A branch (or a pattern such as 'release/*') that fixes are carried to, as
    /// often as there are some; if not given, those of the policy, or those
    /// whose names look like versions
    #[arg(long = "line", global = true)]
    pub(crate) lines: Vec<String>,
    /// The branch where changes come from; the default branch if not given
    #[arg(long, global = true)]
    pub(crate) upstream: Option<String>,
    /// Write JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Where has each fix landed, by which evidence, and where is it missing?
    Status(Status),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Status {
    /// Fixes: commits; if none is given, every fix that was ever carried to
    /// another branch and wants attention
    pub(crate) fixes: Vec<String>,
    /// Those too that want no attention
    #[arg(long)]
    pub(crate) all: bool,
    /// Instead, one line for each copy: the copy, its original, why, how sure
    #[arg(long, conflicts_with = "json")]
    pub(crate) pairs: bool,
    /// Do not believe what messages say about picks: find them by author, date
    /// and content alone
    #[arg(long)]
    pub(crate) ignore_trailers: bool,
    /// End with 1 if a fix is missing where an older line has it, or lacks its
    /// follow-up
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Read everything anew, and keep nothing
    #[arg(long)]
    pub(crate) no_cache: bool,
}
