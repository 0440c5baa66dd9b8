//! The options of the commands that work on a server's repository.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

#[derive(Debug, ClapArgs)]
pub(crate) struct RepositoryArg {
    /// The repository, bare or not
    pub(crate) repository: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Doctor {
    /// The repository, bare or not
    pub(crate) repository: PathBuf,
    /// Fix settings and remove stale locks
    #[arg(long)]
    pub(crate) fix: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Install {
    /// The repository, bare or not
    pub(crate) repository: PathBuf,
    /// A built-in policy (portal, minimal, strict, release-lines), a file to
    /// copy to the server, or BRANCH:PATH for a file in the repository (default:
    /// the policy of the existing installation, or portal)
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// The source of the pusher's identity (default: the existing setting, or os-user)
    #[arg(long, value_enum)]
    pub(crate) identity: Option<IdentityArg>,
    /// What prevents changes between the decision and the ref update (default: the
    /// existing setting, or portable for gitolite, gitlab, gitea and github, else strict)
    #[arg(long, value_enum)]
    pub(crate) guard: Option<GuardArg>,
    /// The Git directory of the control repository, whose policy, signers and
    /// ledger are used
    #[arg(long, value_name = "DIR")]
    pub(crate) control: Option<PathBuf>,
    /// The maximum age of the last fetch if DIR is a mirror, for example "10 minutes"
    #[arg(long, value_name = "LENGTH", requires = "control")]
    pub(crate) control_max_age: Option<String>,
    /// A repository that this control repository governs (can be repeated)
    #[arg(long, value_name = "NAME=DIR")]
    pub(crate) governs: Vec<String>,
    /// The id of this repository in records (default: the name of its directory and eight
    /// random digits; with --control only the name of its directory)
    #[arg(long, conflicts_with_all = ["restored", "new_id"])]
    pub(crate) name: Option<String>,
    /// The repository replaces the one it was copied from: keep its id, so that its records
    /// count
    #[arg(long, conflicts_with = "new_id")]
    pub(crate) restored: bool,
    /// The repository is a copy beside the one it was copied from: make a new id, so that the
    /// records of that one do not count
    #[arg(long)]
    pub(crate) new_id: bool,
    /// The baseline commit; history that it reaches is not judged
    #[arg(long, value_name = "REV")]
    pub(crate) baseline: Option<String>,
    /// The hook program (default: refgate-hook in the directory of `refgate`)
    #[arg(long, value_name = "FILE")]
    pub(crate) hook: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum GuardArg {
    /// Check again when the refs are locked (`reference-transaction`)
    Portable,
    /// Let only the hook update protected refs (`proc-receive`)
    Strict,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum IdentityArg {
    /// The operating system user that runs the hook
    OsUser,
    /// gitolite (`GL_USER`)
    Gitolite,
    /// GitLab (`GL_USERNAME`)
    Gitlab,
    /// Gitea or Forgejo (`GITEA_PUSHER_NAME`)
    Gitea,
    /// GitHub Enterprise Server (`GITHUB_USER_LOGIN`)
    Github,
    /// A web server that authenticates (`REMOTE_USER`)
    Http,
    /// A forced command in `authorized_keys` (`REFGATE_USER`)
    SshKey,
    /// A signed push certificate
    PushCertificate,
    /// The pusher is not identified
    None,
}
