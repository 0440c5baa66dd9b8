//! The command line of `refgate`: verbs and options. The doc comments are the help texts.

mod missing_args;
mod record;
mod server;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use missing_args::parse;
pub(crate) use record::*;
pub(crate) use server::*;

/// Branch policy for Git: rejects pushes that break the process, and prints the fix.
#[derive(Debug, Parser)]
#[command(name = "refgate", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Demonstrate refgate on a temporary server
    Demo(Demo),
    /// Install refgate in a repository on a server
    Install(Install),
    /// Remove refgate from a repository
    Uninstall(RepositoryArg),
    /// Restore a deleted branch or tag
    Restore(Restore),
    /// Test whether refgate protects a repository
    Doctor(Doctor),
    /// Check a policy and list all errors
    Lint(Lint),
    /// Explain a rule, or list all rules
    Explain(Explain),
    /// Show the server's verdict before you push
    Check(Check),
    /// Show the earliest time at which a class or a branch can land
    When(When),
    /// Apply a policy to the history of a repository
    Replay(Replay),
    /// Run scenarios against a policy
    Test(Test),
    /// Record a signed approval of a landing, a policy change or a deletion
    Approve(Approve),
    /// Record a sign-off of a tree, a classification or the end of a freeze
    SignOff(SignOff),
    /// Record a waiver: set a rule aside within bounds
    Waive(Waive),
    /// Start or end a freeze
    Freeze(Freeze),
    /// Record evidence: a production run, a notice or a blocker
    Evidence(Evidence),
    /// Record that a person is absent, so that sign-offs of everybody do not wait
    Absence(Absence),
    /// Manage releases, candidates, dossiers and iterations
    Release(Release),
    /// Record that a branch does not need a fix
    NotApplicable(NotApplicable),
    /// Request the deletion of a branch or tag
    DeleteRequest(DeleteRequest),
    /// Record that a person passed a training course
    Certify(Certify),
    /// Withdraw a record
    Withdraw(Withdraw),
    /// Record that the follow-up of a waiver is done
    Settle(Withdraw),
    /// List, show, verify or push records
    Ledger(Ledger),
    /// Show stages, freezes, debts, waivers and the next steps
    Status(Question),
    /// Show or verify the audit log
    Log(AuditLog),
    /// Find ref updates that bypassed refgate
    Audit(Question),
    /// Find lockouts and unused settings of a policy, or compare two policies
    Prove(Prove),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Write the manual pages to a directory
    Man(Man),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Demo {
    /// Keep the directory of the demonstration and print its path
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Lint {
    /// A policy file or the name of a built-in policy (can be repeated)
    #[arg(required = true)]
    pub(crate) policies: Vec<String>,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// The rule to explain (default: list all rules)
    pub(crate) rule: Option<String>,
    /// Print the page as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
}

/// The repository, policy, person and time that a query is about.
#[derive(Debug, ClapArgs)]
pub(crate) struct Question {
    /// The repository
    #[arg(short = 'C', long, default_value = ".", value_name = "DIR")]
    pub(crate) repository: PathBuf,
    /// A built-in policy, a file or REV:PATH (default: the policy on the
    /// production branch of the remote, or on a server the installed policy)
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// The remote whose remote-tracking branches show the state of the server;
    /// not used on the server itself
    #[arg(long, default_value = "origin")]
    pub(crate) remote: String,
    /// Answer for this time, for example "2027-01-11 10:00 Europe/Paris" (default: now)
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Answer for this pusher (default: refgate.name, or the current user)
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Prove {
    /// A built-in policy, a file or REV:PATH
    pub(crate) policy: String,
    /// Compare with this older policy and show what the change allows or blocks
    #[arg(long, value_name = "POLICY")]
    pub(crate) against: Option<String>,
    /// The repository that REV:PATH is read from
    #[arg(short = 'C', long, default_value = ".", value_name = "DIR")]
    pub(crate) repository: PathBuf,
    /// Examine the policy from this time on (default: now)
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AuditLog {
    #[command(subcommand)]
    pub(crate) verb: LogVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogVerb {
    /// List the newest decisions, or show one decision
    Show {
        /// The id of an entry, or the beginning of its id
        id: Option<String>,
        /// The number of decisions to list
        #[arg(short = 'n', long, default_value_t = 20)]
        count: usize,
        #[command(flatten)]
        question: Question,
    },
    /// Recompute each verdict from the facts that the log names
    Verify {
        #[command(flatten)]
        question: Question,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    /// What to push, as for `git push`: BRANCH, REV:BRANCH, :BRANCH or a tag
    /// (can be repeated; default: the current branch)
    #[arg(value_name = "REFSPEC")]
    pub(crate) refspecs: Vec<String>,
    #[command(flatten)]
    pub(crate) question: Question,
    /// The output format
    #[arg(long, value_enum, default_value_t = Form::Text)]
    pub(crate) format: Form,
    /// A push option, as for `git push -o` (can be repeated)
    #[arg(short = 'o', long = "push-option")]
    pub(crate) options: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// The message that the server prints
    Text,
    /// One JSON object
    Json,
    /// Annotations for GitHub Actions
    Github,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct When {
    /// A class of the policy, or a branch or revision that contains the tip of ONTO
    pub(crate) what: String,
    /// The stage or line that it lands on (default: the first stage)
    #[arg(long, default_value = "", hide_default_value = true, value_name = "BRANCH")]
    pub(crate) onto: String,
    #[command(flatten)]
    pub(crate) question: Question,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Replay {
    /// The repository
    pub(crate) repository: PathBuf,
    /// A built-in policy, a file or REV:PATH
    #[arg(long, default_value = "portal")]
    pub(crate) policy: String,
    /// Replay only this stage
    #[arg(long, value_name = "BRANCH")]
    pub(crate) stage: Option<String>,
    /// Replay only landings from this time on
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Compare with another policy and list the landings with different verdicts
    #[arg(long, value_name = "POLICY")]
    pub(crate) against: Option<String>,
    /// How freezes end; a history without a ledger contains no evidence
    #[arg(long, value_enum, default_value_t = EvidenceArg::Assume)]
    pub(crate) evidence: EvidenceArg,
    /// Write one JSON object for each landing, oldest first
    #[arg(long)]
    pub(crate) json: bool,
    /// List all landings, not only the rejected ones
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvidenceArg {
    /// Each freeze ended after its minimum duration
    Assume,
    /// No freeze ended, because there is no evidence
    None,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Test {
    /// A scenario file, or a Markdown file with `scenario` blocks (can be repeated)
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The policy for scenarios that do not name one
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// Run the scenarios also in real repositories with the real hook
    #[arg(long)]
    pub(crate) real: bool,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Restore {
    /// The branch or tag to restore
    pub(crate) what: String,
    /// The clone
    #[arg(short = 'C', long, default_value = ".")]
    pub(crate) repository: PathBuf,
    /// The remote on which it is restored
    #[arg(long, default_value = "origin")]
    pub(crate) remote: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Man {
    /// The directory, created if it does not exist
    pub(crate) folder: PathBuf,
}
