//! What can be typed to put something on record?

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

/// Where a record is made, by whom, and why.
#[derive(Debug, ClapArgs)]
pub(crate) struct RecordArgs {
    /// The clone
    #[arg(short = 'C', long, default_value = ".", value_name = "DIR")]
    pub(crate) repository: PathBuf,
    /// The remote whose ledger it is
    #[arg(long, default_value = "origin")]
    pub(crate) remote: String,
    /// A policy other than the one that the remote's production branch holds
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// Who signs; found by the signing key if not given
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Why; asked for on a terminal if not given
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Where more is to be read: a ticket, a protocol
    #[arg(long)]
    pub(crate) link: Option<String>,
    /// Sign without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Sign and keep it here, for `refgate ledger push`
    #[arg(long)]
    pub(crate) offline: bool,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Approve {
    /// freeze or backport (a landing), policy-change (a commit with the new
    /// policy), or deletion (a reference)
    pub(crate) rule: String,
    /// The commit; for a deletion the branch or tag
    pub(crate) what: String,
    /// The stage or line that it is to land on; the first stage if not given
    #[arg(long, default_value = "", value_name = "BRANCH")]
    pub(crate) onto: String,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeaningArg {
    /// Users have tested it and agree
    Uat,
    /// The validation protocol is done
    Validation,
    /// The change board approves
    ChangeApproval,
    /// A commit is of a class, whatever its diff suggests (with --class)
    Classification,
    /// The freeze after the last major release may end
    FreezeExit,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SignOff {
    /// What it means
    #[arg(long, value_enum)]
    pub(crate) meaning: MeaningArg,
    /// The commit whose tree was looked at; the stage before production as last
    /// fetched if not given
    pub(crate) what: Option<String>,
    /// The class, for a classification
    #[arg(long)]
    pub(crate) class: Option<String>,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Waive {
    /// The rule that is set aside
    pub(crate) rule: String,
    /// The reference that it holds for
    #[arg(long, value_name = "BRANCH")]
    pub(crate) onto: String,
    /// How long, such as "2 days"
    #[arg(long = "for", value_name = "LENGTH")]
    pub(crate) lasts: String,
    /// How many landings it lets through
    #[arg(long, default_value_t = 1)]
    pub(crate) uses: u32,
    /// Only for this class
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// Only for this commit
    #[arg(long, value_name = "REV")]
    pub(crate) commit: Option<String>,
    /// What is owed once it was used, until its end; see `refgate settle`
    #[arg(long, value_name = "WHAT")]
    pub(crate) owes: Option<String>,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Freeze {
    #[command(subcommand)]
    pub(crate) verb: FreezeVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FreezeVerb {
    /// Stop now
    Start {
        /// The stages (or line patterns) that stop
        #[arg(required = true)]
        stages: Vec<String>,
        /// How long at the most, such as "3 days"
        #[arg(long = "for", value_name = "LENGTH")]
        lasts: String,
        /// The classes that pass
        #[arg(long, value_delimiter = ',', value_name = "CLASS,…")]
        lets_through: Vec<String>,
        #[command(flatten)]
        signer: RecordArgs,
    },
    /// Go on
    End {
        /// The record of the freeze, or the beginning of its id
        id: String,
        #[command(flatten)]
        signer: RecordArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Evidence {
    /// production-run, notice or blocker
    pub(crate) what: String,
    /// The release that it follows; the last major one if not given
    #[arg(long, value_name = "TAG")]
    pub(crate) release: Option<String>,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Release {
    #[command(subcommand)]
    pub(crate) verb: ReleaseVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReleaseVerb {
    /// Begin work on a release
    Open {
        /// The tag that it will have
        tag: String,
        #[command(flatten)]
        signer: RecordArgs,
    },
    /// Name a commit the next candidate
    Candidate {
        /// The release's tag
        tag: String,
        /// The commit; the first stage as last fetched if not given
        what: Option<String>,
        #[command(flatten)]
        signer: RecordArgs,
    },
    /// Say that the open candidate failed its user acceptance test
    Fail {
        /// The release's tag
        tag: String,
        #[command(flatten)]
        signer: RecordArgs,
    },
    /// Withdraw the open candidate
    Withdraw {
        /// The release's tag
        tag: String,
        #[command(flatten)]
        signer: RecordArgs,
    },
    /// Say that notes and documentation are done
    Finish {
        /// The release's tag
        tag: String,
        #[command(flatten)]
        signer: RecordArgs,
    },
    /// Tell all that is known of a release: its changes, who agreed, and from what
    /// that follows
    Dossier {
        /// The release's tag
        tag: String,
        /// Markdown, or one page
        #[arg(long, value_enum, default_value_t = DossierForm::Markdown)]
        format: DossierForm,
        /// Compare with a dossier that was written as JSON: is all of it (still) so?
        #[arg(long, value_name = "FILE")]
        verify: Option<PathBuf>,
        #[command(flatten)]
        place: LedgerPlace,
    },
    /// Open the next iteration: the freeze of the last major release ends
    Next {
        #[command(flatten)]
        signer: RecordArgs,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DossierForm {
    /// Markdown
    Markdown,
    /// One page that needs nothing from elsewhere
    Html,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct NotApplicable {
    /// The fix
    pub(crate) fix: String,
    /// The branch that need not have it
    #[arg(long, value_name = "BRANCH")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DeleteRequest {
    /// The branch or tag
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Certify {
    /// Who has passed
    pub(crate) person: String,
    /// The course
    #[arg(long)]
    pub(crate) course: String,
    /// How long it counts, such as "365 days"
    #[arg(long = "for", value_name = "LENGTH")]
    pub(crate) lasts: String,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Withdraw {
    /// The record, or the beginning of its id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Ledger {
    #[command(subcommand)]
    pub(crate) verb: LedgerVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerVerb {
    /// List the records, newest first
    Log {
        #[command(flatten)]
        place: LedgerPlace,
        /// Only this kind
        #[arg(long)]
        kind: Option<String>,
    },
    /// Show one record as it was signed
    Show {
        /// The record, or the beginning of its id
        id: String,
        #[command(flatten)]
        place: LedgerPlace,
    },
    /// Check every record: its form, its place, its signature and its maker
    Verify {
        #[command(flatten)]
        place: LedgerPlace,
    },
    /// Push what was signed offline
    Push {
        #[command(flatten)]
        signer: RecordArgs,
    },
}

/// Where a ledger is read.
#[derive(Debug, ClapArgs)]
pub(crate) struct LedgerPlace {
    /// The clone or server
    #[arg(short = 'C', long, default_value = ".", value_name = "DIR")]
    pub(crate) repository: PathBuf,
    /// The remote whose policy and signers hold
    #[arg(long, default_value = "origin")]
    pub(crate) remote: String,
    /// A policy other than the one that the remote's production branch holds
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}
