//! Defines the command line of `git backport`. Its doc comments are the help texts.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Show which branches contain each fix, and backport fixes to other branches.
#[derive(Debug, Parser)]
#[command(name = "git-backport", bin_name = "git backport", version)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) place: RepositoryArgs,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The repository, its branches and its policy.
#[derive(Debug, ClapArgs)]
pub(crate) struct RepositoryArgs {
    /// Path of the repository
    #[arg(short = 'C', long, default_value = ".", global = true, env = "GIT_DIR")]
    pub(crate) repository: PathBuf,
    /// Remote whose branches are used; a bare repository uses its own branches
    #[arg(long, default_value = "origin", global = true)]
    pub(crate) remote: String,
    /// Release line to backport to: a branch, or a pattern such as 'release/*'
    /// (can be repeated); default: the lines of the policy, or without a policy
    /// the branches whose names are versions
    #[arg(long = "line", global = true)]
    pub(crate) lines: Vec<String>,
    /// Branch where new changes land; default: the first stage of the policy, or
    /// without a policy the default branch
    #[arg(long, global = true)]
    pub(crate) upstream: Option<String>,
    /// Policy: the name of a built-in policy, a file, or REV:PATH; default: the
    /// policy on the remote's production branch
    #[arg(long, global = true)]
    pub(crate) policy: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show which branches contain each fix, with the evidence, and which are missing it
    Status(Status),
    /// Forecast the cherry-pick of each fix to each branch; changes nothing
    Plan(Plan),
    /// Cherry-pick fixes to branches; each branch with a conflict gets its own worktree
    Apply(Apply),
    /// Continue after a conflict was resolved, or after the program was killed
    Continue,
    /// Leave out a branch, or one fix on a branch, and continue with the others
    Skip {
        /// Branch to leave out
        branch: String,
        /// Fix to leave out on this branch; default: leave out the whole branch
        fix: Option<String>,
    },
    /// Undo an unfinished backport
    Abort,
    /// Undo the last backport, finished or not
    Undo,
    /// Bring a fix directly to production, and then to all other branches
    Hotfix {
        #[command(subcommand)]
        step: Hotfix,
    },
    /// List the fixes that earlier stages are missing, with due dates and commands
    Debts,
    /// Print a completion script for a shell
    Completions {
        /// Name of the shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages to a directory
    Man {
        /// Directory for the manual pages
        folder: PathBuf,
    },
    /// Compare a backport with the cherry-pick that Git itself makes of its original
    Receipt {
        /// Backport to compare
        commit: String,
        /// Original commit; default: the commit that the backport's message names
        #[arg(long)]
        of: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hotfix {
    /// Create a hotfix branch at the tip of production
    Start {
        /// Name of the hotfix; the branch is hotfix/NAME
        name: String,
    },
    /// Bring the hotfix to production, to every earlier stage and to the lines; it is
    /// finished only when all of them contain it
    Finish(Finish),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Finish {
    /// Hotfix branch; default: the branch that is checked out
    pub(crate) branch: Option<String>,
    /// Cherry-pick the fix to the earlier stages instead of merging it
    #[arg(long)]
    pub(crate) pick: bool,
    /// Update the branches themselves instead of creating backport/hotfix/NAME/BRANCH
    #[arg(long)]
    pub(crate) straight: bool,
    /// Push the finished branches
    #[arg(long)]
    pub(crate) push: bool,
    /// Commit where the hotfix branch began; default: the commit that `hotfix start`
    /// recorded
    #[arg(long)]
    pub(crate) base: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) plan: Plan,
    /// Update the branches themselves instead of creating backport/FIX/BRANCH
    #[arg(long)]
    pub(crate) straight: bool,
    /// Also cherry-pick the prerequisites of a fix: the earlier changes that it needs
    #[arg(long)]
    pub(crate) prerequisites: bool,
    /// Do not pick prerequisites: stop at the conflict, so that it can be resolved
    /// without them
    #[arg(long, conflicts_with = "prerequisites")]
    pub(crate) by_hand: bool,
    /// Allow a gap: an older line gets a fix that a newer line does not get
    #[arg(long)]
    pub(crate) gap: bool,
    /// Push the finished branches
    #[arg(long)]
    pub(crate) push: bool,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Plan {
    /// Fixes in the order of the cherry-picks: commits, or ranges such as A..B;
    /// default: choose from a list, on a terminal
    pub(crate) fixes: Vec<String>,
    /// Branch to backport to (can be repeated); default: all lines, or the later
    /// stages if there is no line
    #[arg(long)]
    pub(crate) to: Vec<String>,
    /// All open debts, to the stages that are missing the fixes; see
    /// `git backport debts`
    #[arg(long, conflicts_with_all = ["fixes", "to"])]
    pub(crate) debts: bool,
    /// Also cherry-pick fixes that a branch has reverted
    #[arg(long)]
    pub(crate) again: bool,
    /// For a merge commit, the number (1, 2, ...) of the parent to compare it with
    #[arg(short, long)]
    pub(crate) mainline: Option<usize>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Status {
    /// Fixes: commits; default: every fix that was brought to another branch and
    /// needs attention
    pub(crate) fixes: Vec<String>,
    /// Also show the fixes that need no attention
    #[arg(long)]
    pub(crate) all: bool,
    /// Print instead one line for each copy: copy, original, confidence, evidence
    #[arg(long, conflicts_with = "fixes")]
    pub(crate) pairs: bool,
    /// Ignore the originals that messages name: find copies by author, date and
    /// content only
    #[arg(long)]
    pub(crate) ignore_trailers: bool,
    /// Exit with 1 if a fix has a gap, or if a branch that contains it is missing a follow-up
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Do not use the cache, and do not write it
    #[arg(long)]
    pub(crate) no_cache: bool,
}
