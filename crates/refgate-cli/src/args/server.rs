//! What can be typed about a server's repository?

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
    /// Mend what can be mended
    #[arg(long)]
    pub(crate) fix: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Install {
    /// The repository, bare or not
    pub(crate) repository: PathBuf,
    /// A built-in policy (portal, minimal, strict, release-lines), a file to
    /// copy to the server, or BRANCH:PATH for a file in the repository; without
    /// it an installation keeps its policy, and a new one takes portal
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// Who says who pushes; kept if not given, and os-user at first
    #[arg(long, value_enum)]
    pub(crate) identity: Option<IdentityArg>,
    /// How the gap between decision and move is closed; kept if not given, and
    /// at first strict on plain servers and portable behind other software
    #[arg(long, value_enum)]
    pub(crate) guard: Option<GuardArg>,
    /// The git directory of a repository whose policy, signers and ledger hold
    /// here too
    #[arg(long, value_name = "DIR")]
    pub(crate) control: Option<PathBuf>,
    /// If that is a mirror: how old its last fetch may be, such as "10 minutes"
    #[arg(long, value_name = "LENGTH", requires = "control")]
    pub(crate) control_max_age: Option<String>,
    /// A repository that this one governs; may be given several times
    #[arg(long, value_name = "NAME=DIR")]
    pub(crate) governs: Vec<String>,
    /// What records call this repository; the name of its folder if not given
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A commit; what it reaches is older than the policy and not judged
    #[arg(long, value_name = "REV")]
    pub(crate) baseline: Option<String>,
    /// The hook program, if it does not lie beside `refgate`
    #[arg(long, value_name = "FILE")]
    pub(crate) hook: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum GuardArg {
    /// Ask again when the references are locked (`reference-transaction`)
    Portable,
    /// Move protected references by the hook alone (`proc-receive`)
    Strict,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum IdentityArg {
    /// The operating system's user that runs the hook
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
    /// Nobody is known
    None,
}
