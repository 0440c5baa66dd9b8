//! What can be asked of `git backport`?

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Know where every fix has landed, forecast, pick, and carry it through.
#[derive(Debug, Parser)]
#[command(name = "git-backport", bin_name = "git backport", version)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) place: RepositoryArgs,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Which repository, and which of its branches.
#[derive(Debug, ClapArgs)]
pub(crate) struct RepositoryArgs {
    /// The repository
    #[arg(short = 'C', long, default_value = ".", global = true, env = "GIT_DIR")]
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
    /// The policy: built in, a file, or REV:PATH; the one that the remote's
    /// production branch holds if not given
    #[arg(long, global = true)]
    pub(crate) policy: Option<String>,
    /// Write JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Where has each fix landed, by which evidence, and where is it missing?
    Status(Status),
    /// What would each pick come to on each branch? Nothing is changed
    Plan(Plan),
    /// Carry a plan out: clean picks at once, conflicts in worktrees of their own
    Apply(Apply),
    /// Go on after a conflict was resolved, or after a kill
    Continue,
    /// Give a branch up, or one fix on it, and go on with the others
    Skip {
        /// The branch
        branch: String,
        /// The fix that conflicts there; if not given, the whole branch is left out
        fix: Option<String>,
    },
    /// Take an unfinished backport back
    Abort,
    /// Take the last backport back, finished or not
    Undo,
    /// A fix straight to production, and back to all other branches
    Hotfix {
        #[command(subcommand)]
        step: Hotfix,
    },
    /// What does an earlier stage owe to a later one, by when, and what pays it?
    Debts,
    /// Print a script that completes the command in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    Man {
        /// The folder
        folder: PathBuf,
    },
    /// Is a backport exactly what git makes of its original, or was it edited?
    Receipt {
        /// The backport
        commit: String,
        /// Its original, where its message names none
        #[arg(long)]
        of: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hotfix {
    /// Begin a branch where production stands
    Start {
        /// What it mends; the branch is hotfix/NAME
        name: String,
    },
    /// Carry it to production, to every earlier stage and to the lines; done only
    /// when all of them have it
    Finish(Finish),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Finish {
    /// The branch; the one that is checked out if not given
    pub(crate) branch: Option<String>,
    /// Pick the fix to the earlier stages, instead of merging it
    #[arg(long)]
    pub(crate) pick: bool,
    /// Move the branches themselves, instead of making backport/HOTFIX/BRANCH
    #[arg(long)]
    pub(crate) straight: bool,
    /// Push what is done
    #[arg(long)]
    pub(crate) push: bool,
    /// Where the branch began; what `hotfix start` noted if not given
    #[arg(long)]
    pub(crate) base: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) plan: Plan,
    /// Move the branches themselves, instead of making backport/FIX/BRANCH
    #[arg(long)]
    pub(crate) straight: bool,
    /// Carry along the earlier changes without which a fix does not apply
    #[arg(long)]
    pub(crate) prerequisites: bool,
    /// Where a fix applies only after earlier changes, resolve it without them,
    /// as any other conflict
    #[arg(long, conflicts_with = "prerequisites")]
    pub(crate) by_hand: bool,
    /// Leave a newer line without what an older one gets
    #[arg(long)]
    pub(crate) gap: bool,
    /// Push what is done
    #[arg(long)]
    pub(crate) push: bool,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Plan {
    /// Fixes, in the order in which they are to be picked: commits, or ranges
    /// such as A..B; on a terminal, chosen from a list if not given
    pub(crate) fixes: Vec<String>,
    /// A branch to carry them to, as often as there are some; all lines if not
    /// given
    #[arg(long)]
    pub(crate) to: Vec<String>,
    /// Everything that is owed, to whoever owes it; see `git backport debts`
    #[arg(long, conflicts_with_all = ["fixes", "to"])]
    pub(crate) owed: bool,
    /// Pick again what a branch has reverted
    #[arg(long)]
    pub(crate) again: bool,
    /// Of a merge, the parent (1, 2, ...) whose other side is the change
    #[arg(short, long)]
    pub(crate) mainline: Option<usize>,
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
    #[arg(long, conflicts_with = "fixes")]
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
