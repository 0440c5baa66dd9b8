//! What can go wrong while reading a repository? Each of these refuses.

use refgate_core::Oid;

/// Why a fact could not be had.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The folder is no repository that can be opened.
    #[error("the repository cannot be opened: {0}")]
    Open(String),
    /// The object format or reference storage is not supported.
    #[error(
        "the {what} `{name}` is not supported by this refgate; it reads SHA-1 repositories with the files reference format"
    )]
    Format {
        /// `object format` or `reference format`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Something in the repository makes Git show another history than there is.
    #[error("the repository has {0}, so its history cannot be trusted")]
    Untrusted(&'static str),
    /// An object cannot be read.
    #[error("object {id} cannot be read: {why}")]
    Object {
        /// Which.
        id: Oid,
        /// Why.
        why: String,
    },
    /// An object is larger than the server's limit.
    #[error("object {id} has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Which.
        id: Oid,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// More commits than the server's limit.
    #[error("the push brings more than {0} new commits")]
    TooMany(usize),
    /// More changed paths than the server's limit.
    #[error("landing {0} changes more paths than the limit")]
    TooManyChanges(Oid),
    /// More bytes of something than can be kept in mind.
    #[error("the push brings more than {limit} bytes of {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// A path is longer than any system could check out.
    #[error("landing {0} has a path of more than 4,096 bytes")]
    TooLong(Oid),
    /// A tree is nested too deeply.
    #[error("the folders of {0} are nested deeper than 2,000 levels")]
    TooDeep(Oid),
    /// Git could not make a plain merge of two commits.
    #[error("a plain merge of {ours} and {theirs} could not be made: {why}")]
    Merge {
        /// The first parent.
        ours: Oid,
        /// The second.
        theirs: Oid,
        /// Why.
        why: String,
    },
    /// The hook's own deadline has passed.
    #[error("it could not be decided within {0} seconds")]
    Deadline(u64),
    /// A reference stays locked.
    #[error("`{0}` stays locked; `refgate doctor --fix` removes locks that nobody holds")]
    Busy(&'static str),
    /// A reference cannot be read.
    #[error("the reference `{name}` cannot be read: {why}")]
    Reference {
        /// Which.
        name: String,
        /// Why.
        why: String,
    },
    /// What the client claims is not what is at rest.
    #[error(
        "`{name}` is at {actual} on the server, not at {claimed} as the push says; fetch and try again"
    )]
    Stale {
        /// The reference.
        name: String,
        /// At rest.
        actual: String,
        /// Claimed.
        claimed: String,
    },
    /// A file in a tree cannot be used.
    #[error("the file `{path}` cannot be read from `{reference}`: {why}")]
    File {
        /// Its path.
        path: String,
        /// From where.
        reference: String,
        /// Why.
        why: String,
    },
    /// Writing is forbidden while Git holds a push in quarantine (docs/design/threats.md, R7).
    #[error("nothing is written while a push is being judged")]
    Quarantine,
    /// Something else that the library complains of.
    #[error("{0}")]
    Library(String),
}

impl From<git2::Error> for GitError {
    fn from(error: git2::Error) -> Self {
        Self::Library(error.message().to_string())
    }
}
