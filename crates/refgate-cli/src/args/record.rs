//! The options of the commands that make, read and push records.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

/// The options of every command that makes a record: where, by whom and why.
#[derive(Debug, ClapArgs)]
pub(crate) struct RecordArgs {
    /// The clone
    #[arg(short = 'C', long, default_value = ".", value_name = "DIR")]
    pub(crate) repository: PathBuf,
    /// The remote whose ledger gets the record
    #[arg(long, default_value = "origin")]
    pub(crate) remote: String,
    /// The policy to use (default: the policy on the remote's production branch)
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// The name of the signer (default: refgate.name, or the owner of the key)
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The reason; a terminal asks for it if not given
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// A link to more information, for example a ticket or a protocol
    #[arg(long)]
    pub(crate) link: Option<String>,
    /// Sign without confirmation
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Sign and save the record in the clone, for `refgate ledger push`
    #[arg(long)]
    pub(crate) offline: bool,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Approve {
    /// The rule: freeze or backport (for a landing), policy-change (for a commit
    /// with the new policy) or deletion (for a ref)
    pub(crate) rule: String,
    /// The commit, or the branch or tag for a deletion
    pub(crate) what: String,
    /// The stage or line that it lands on (default: the first stage)
    #[arg(long, default_value = "", hide_default_value = true, value_name = "BRANCH")]
    pub(crate) onto: String,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeaningArg {
    /// Users tested the tree and accept it
    Uat,
    /// The validation protocol is complete
    Validation,
    /// The change advisory board approves
    ChangeApproval,
    /// A commit has the class that --class states, whatever its diff suggests
    Classification,
    /// The freeze after the last major release can end
    FreezeExit,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SignOff {
    /// What the sign-off states
    #[arg(long, value_enum)]
    pub(crate) meaning: MeaningArg,
    /// The commit whose tree is signed off (default: the stage before production,
    /// as last fetched)
    pub(crate) what: Option<String>,
    /// The class (only for a classification)
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// Sign off although something is unexpected, for example another tip of the stage
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Waive {
    /// The rule to set aside
    pub(crate) rule: String,
    /// The branch that the waiver is valid for
    #[arg(long, value_name = "BRANCH")]
    pub(crate) onto: String,
    /// How long the waiver is valid, for example "2 days"
    #[arg(long = "for", value_name = "LENGTH")]
    pub(crate) lasts: String,
    /// How many landings can use the waiver
    #[arg(long, default_value_t = 1)]
    pub(crate) uses: u32,
    /// Limit the waiver to this class
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// Limit the waiver to this commit
    #[arg(long, value_name = "REV")]
    pub(crate) commit: Option<String>,
    /// A follow-up that is due when the waiver ends, if it was used; see `refgate settle`
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
    /// Start a freeze now
    Start {
        /// A stage or a pattern of lines to freeze (can be repeated)
        #[arg(required = true)]
        stages: Vec<String>,
        /// How long the freeze lasts at most, for example "3 days"
        #[arg(long = "for", value_name = "LENGTH")]
        lasts: String,
        /// The classes that the freeze accepts
        #[arg(long, value_delimiter = ',', value_name = "CLASS,…")]
        lets_through: Vec<String>,
        #[command(flatten)]
        signer: RecordArgs,
    },
    /// End a freeze that a record started
    End {
        /// The id of the freeze record, or the beginning of its id
        id: String,
        #[command(flatten)]
        signer: RecordArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Evidence {
    /// The kind of evidence: production-run, notice or blocker
    pub(crate) what: String,
    /// The id of the production run. Two records of one run count once
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// The release that it belongs to (default: the last major release)
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
    /// Open a release
    Open {
        /// The tag that the release will have
        tag: String,
        #[command(flatten)]
        signer: RecordArgs,
    },
    /// Name a commit as the next release candidate
    Candidate {
        /// The release's tag
        tag: String,
        /// The commit (default: the first stage, as last fetched)
        what: Option<String>,
        #[command(flatten)]
        signer: RecordArgs,
    },
    /// Record that the open candidate failed the user acceptance test
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
    /// Record that release notes and documentation are complete
    Finish {
        /// The release's tag
        tag: String,
        #[command(flatten)]
        signer: RecordArgs,
    },
    /// Print the dossier of a release: changes, approvals, evidence and how to
    /// verify them
    Dossier {
        /// The release's tag
        tag: String,
        /// The output format
        #[arg(long, value_enum, default_value_t = DossierForm::Markdown)]
        format: DossierForm,
        /// Verify a dossier that was written with --json against this repository
        #[arg(long, value_name = "FILE")]
        verify: Option<PathBuf>,
        #[command(flatten)]
        place: LedgerArgs,
    },
    /// Open the next iteration, which ends the freeze of the last major release
    Next {
        #[command(flatten)]
        signer: RecordArgs,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DossierForm {
    /// Markdown
    Markdown,
    /// A self-contained HTML page
    Html,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct NotApplicable {
    /// The commit of the fix
    pub(crate) fix: String,
    /// The branch that does not need the fix
    #[arg(long, value_name = "BRANCH")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DeleteRequest {
    /// The branch or tag to delete
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Certify {
    /// The person who passed the course
    pub(crate) person: String,
    /// The name of the course
    #[arg(long)]
    pub(crate) course: String,
    /// How long the certificate is valid, for example "365 days"
    #[arg(long = "for", value_name = "LENGTH")]
    pub(crate) lasts: String,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Absence {
    /// The person who is absent and cannot sign off
    pub(crate) person: String,
    /// How long the person is absent, for example "14 days"
    #[arg(long = "for", value_name = "LENGTH")]
    pub(crate) lasts: String,
    #[command(flatten)]
    pub(crate) signer: RecordArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Withdraw {
    /// The id of the record, or the beginning of its id
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
        place: LedgerArgs,
        /// List only records of this kind
        #[arg(long)]
        kind: Option<String>,
    },
    /// Show one record as it was signed
    Show {
        /// The id of the record, or the beginning of its id
        id: String,
        #[command(flatten)]
        place: LedgerArgs,
    },
    /// Verify the format, path, signature and signer of every record
    Verify {
        #[command(flatten)]
        place: LedgerArgs,
    },
    /// Push the records that were signed offline
    Push {
        #[command(flatten)]
        signer: RecordArgs,
    },
}

/// The options of every command that reads a ledger.
#[derive(Debug, ClapArgs)]
pub(crate) struct LedgerArgs {
    /// The clone, or the repository on the server
    #[arg(short = 'C', long, default_value = ".", value_name = "DIR")]
    pub(crate) repository: PathBuf,
    /// The remote whose policy and signers are used
    #[arg(long, default_value = "origin")]
    pub(crate) remote: String,
    /// The policy to use (default: the policy on the remote's production branch)
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}
