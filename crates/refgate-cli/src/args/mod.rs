//! What can be typed? Verbs and flags; their help texts are their doc comments.

mod missing_args;
mod record;
mod server;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use missing_args::parse;
pub(crate) use record::*;
pub(crate) use server::*;

/// Branch policy for Git: refuses what the process forbids, and says how to go on.
#[derive(Debug, Parser)]
#[command(name = "refgate", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show refgate at work on a throwaway server
    Demo(Demo),
    /// Put refgate into a repository on a server
    Install(Install),
    /// Take refgate out of a repository again
    Uninstall(RepositoryArg),
    /// Bring back a branch or tag that was deleted
    Restore(Restore),
    /// Find out whether a repository is really protected
    Doctor(Doctor),
    /// Check a policy file, and say everything that is wrong with it
    Lint(Lint),
    /// Explain a rule, or list all of them
    Explain(Explain),
    /// Give the server's answer before you push
    Check(Check),
    /// Say when a class, or a branch, may land at the earliest
    When(When),
    /// Judge a repository's own history under a policy
    Replay(Replay),
    /// Run scenarios against a policy
    Test(Test),
    /// Approve a landing, a policy or a deletion
    Approve(Approve),
    /// Sign a tree off, a class, or the end of a freeze
    SignOff(SignOff),
    /// Grant a bounded exception
    Waive(Waive),
    /// Order a freeze, or end one
    Freeze(Freeze),
    /// Record what was observed after a release
    Evidence(Evidence),
    /// Open releases, name candidates, begin the next iteration
    Release(Release),
    /// Say that a fix need not go somewhere
    NotApplicable(NotApplicable),
    /// Ask for a branch or tag to be deleted
    DeleteRequest(DeleteRequest),
    /// Issue a certificate of a course
    Certify(Certify),
    /// Withdraw a record
    Withdraw(Withdraw),
    /// Record that what a waiver owed is done
    Settle(Withdraw),
    /// Read and check what is on record
    Ledger(Ledger),
    /// Say how things stand, and what is to be done next
    Status(Question),
    /// Read and check the log of decisions
    Log(AuditLog),
    /// Find what came in by another door
    Audit(Question),
    /// Prove what a policy can never do, and what a change of it means
    Prove(Prove),
    /// Write a completion script for a shell
    Completions(Completions),
    /// Write the manual pages into a folder
    Man(Man),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Demo {
    /// Keep the demonstration's folder, and say where it is
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Lint {
    /// Policy files, or names of built-in policies
    #[arg(required = true)]
    pub(crate) policies: Vec<String>,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// The rule; without one, all are listed
    pub(crate) rule: Option<String>,
    /// The page as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
}

/// Where a policy is taken from, and who asks when.
#[derive(Debug, ClapArgs)]
pub(crate) struct Question {
    /// The repository
    #[arg(short = 'C', long, default_value = ".", value_name = "DIR")]
    pub(crate) repository: PathBuf,
    /// A built-in policy, a file, or REV:PATH; without it the one that the
    /// remote's production branch holds, or that this server uses
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// The remote whose last fetched branches stand for the server; none on
    /// the server itself
    #[arg(long, default_value = "origin")]
    pub(crate) remote: String,
    /// Ask for another moment, such as "2027-01-11 10:00 Europe/Paris"
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Ask for another person
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Prove {
    /// A built-in policy, a file, or REV:PATH
    pub(crate) policy: String,
    /// The policy before, to see what the change means
    #[arg(long, value_name = "POLICY")]
    pub(crate) against: Option<String>,
    /// The repository, for REV:PATH
    #[arg(short = 'C', long, default_value = ".", value_name = "DIR")]
    pub(crate) repository: PathBuf,
    /// From which moment on
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
    /// List the newest decisions, or show one
    Show {
        /// An entry, or the beginning of its id
        id: Option<String>,
        /// How many to list
        #[arg(short = 'n', long, default_value_t = 20)]
        count: usize,
        #[command(flatten)]
        question: Question,
    },
    /// Judge again what was accepted, from what the log says it rested on
    Verify {
        #[command(flatten)]
        question: Question,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    /// What to push, as for `git push`: BRANCH, REV:BRANCH, :BRANCH or a tag;
    /// without any, the current branch
    #[arg(value_name = "REFSPEC")]
    pub(crate) wishes: Vec<String>,
    #[command(flatten)]
    pub(crate) question: Question,
    /// How to write the answer
    #[arg(long, value_enum, default_value_t = Form::Text)]
    pub(crate) format: Form,
    /// A push option, as for `git push -o`
    #[arg(short = 'o', long = "push-option")]
    pub(crate) options: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// As the server says it
    Text,
    /// One JSON object
    Json,
    /// Annotations of GitHub Actions
    Github,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct When {
    /// A class of the policy, or a branch or revision that descends from ONTO
    pub(crate) what: String,
    /// The stage or line
    #[arg(long, default_value = "", value_name = "BRANCH")]
    pub(crate) onto: String,
    #[command(flatten)]
    pub(crate) question: Question,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Replay {
    /// The repository
    pub(crate) repository: PathBuf,
    /// A built-in policy, a file, or REV:PATH
    #[arg(long, default_value = "portal")]
    pub(crate) policy: String,
    /// Only this stage
    #[arg(long, value_name = "BRANCH")]
    pub(crate) stage: Option<String>,
    /// Only landings from this moment on
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Another policy, to see what it would change
    #[arg(long, value_name = "POLICY")]
    pub(crate) against: Option<String>,
    /// How to stand in for the evidence that a history without a ledger lacks
    #[arg(long, value_enum, default_value_t = EvidenceArg::Assume)]
    pub(crate) evidence: EvidenceArg,
    /// One JSON object per landing, oldest first
    #[arg(long)]
    pub(crate) json: bool,
    /// List every landing, not only the refused ones
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvidenceArg {
    /// Each freeze ended when its minimum was over
    Assume,
    /// No freeze ended, since nothing shows that it did
    None,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Test {
    /// Scenario files, or Markdown files with `scenario` blocks
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The policy for scenarios that name none
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// Run them on real repositories through the real hook as well
    #[arg(long)]
    pub(crate) real: bool,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Restore {
    /// The branch or tag
    pub(crate) what: String,
    /// The clone
    #[arg(short = 'C', long, default_value = ".")]
    pub(crate) repository: PathBuf,
    /// The remote that it is brought back to
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
    /// The folder
    pub(crate) folder: PathBuf,
}
