//! Errors of reading and writing a repository. On a server, each of them rejects the push.

use refgate_core::Oid;

/// Why a repository could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The directory is not a repository, or the repository cannot be opened.
    #[error("cannot open the repository: {0}")]
    Open(String),
    /// The object format or the ref format is not supported.
    #[error(
        "the {what} `{name}` is not supported\nhint: refgate reads SHA-1 repositories with the ref \
         format `files`"
    )]
    Format {
        /// `object format` or `ref format`.
        what: &'static str,
        /// The name of the format.
        name: String,
    },
    /// Something in the repository makes Git show a history that the objects do not contain.
    #[error("cannot trust the history of this repository: it has {0}")]
    Untrusted(&'static str),
    /// An object cannot be read.
    #[error("cannot read object {id}: {why}")]
    Object {
        /// The object.
        id: Oid,
        /// The cause.
        why: String,
    },
    /// An object is larger than the limit of the server.
    #[error("cannot read object {id}: it has {size} bytes, more than the limit of {limit} bytes")]
    TooLarge {
        /// The object.
        id: Oid,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// There are more new commits than the limit.
    #[error("cannot read the new commits: there are more than the limit of {0}")]
    TooMany(usize),
    /// A commit changes more paths than the limit of the server.
    #[error("cannot read commit {0}: it changes more paths than the limit")]
    TooManyChanges(Oid),
    /// Something has more bytes than refgate keeps in memory.
    #[error("cannot read the {what}: together they have more than {limit} bytes")]
    TooMuch {
        /// The things that have too many bytes, in the plural.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// A path is longer than any operating system can check out.
    #[error("cannot read commit {0}: it has a path of more than 4,096 bytes")]
    TooLong(Oid),
    /// The directories of a commit are nested too deeply.
    #[error("cannot read commit {0}: it has more than 2,000 levels of directories")]
    TooDeep(Oid),
    /// `git merge-tree` could not merge two commits.
    #[error("cannot merge {ours} and {theirs}: {why}")]
    Merge {
        /// The first parent.
        ours: Oid,
        /// The second parent.
        theirs: Oid,
        /// The cause.
        why: String,
    },
    /// The time limit of the server for one push has passed.
    #[error("cannot finish within the time limit of {0} seconds")]
    Deadline(u64),
    /// A ref stays locked.
    #[error("cannot update `{0}`: it is locked\nhint: `refgate doctor --fix` removes stale locks")]
    Busy(&'static str),
    /// A ref cannot be read.
    #[error("cannot read the ref `{name}`: {why}")]
    Reference {
        /// The full name of the ref.
        name: String,
        /// The cause.
        why: String,
    },
    /// The old value that the push claims is not the value of the ref at rest.
    #[error(
        "cannot update `{name}`: the server has {actual}, the push expects {claimed}\nhint: fetch, \
         then push again"
    )]
    Stale {
        /// The full name of the ref.
        name: String,
        /// The value at rest, shortened, or `nothing`.
        actual: String,
        /// The value that the push claims, shortened, or `nothing`.
        claimed: String,
    },
    /// A file in a tree cannot be read as text.
    #[error("cannot read the file `{path}` from `{reference}`: {why}")]
    File {
        /// The path of the file.
        path: String,
        /// The ref or commit whose tree has the file.
        reference: String,
        /// The cause.
        why: String,
    },
    /// refgate writes nothing while Git holds a push in quarantine (docs/design/threats.md, R7).
    #[error("cannot write to the repository: a push is in quarantine")]
    Quarantine,
    /// Another error of the Git library.
    #[error("{0}")]
    Library(String),
}

impl From<git2::Error> for GitError {
    fn from(error: git2::Error) -> Self {
        Self::Library(error.message().to_string())
    }
}
