//! Finds where each fix has landed, by which evidence, and where it is missing.
//!
//! It reads no repository. The input is [`CommitFact`]s and, for the pairs that [`pairs_to_compare`]
//! lists, the [`DiffSimilarity`].

mod fix_family;
mod fix_search;
mod fix_state;
mod named_commits;

use alloc::string::String;

use crate::Oid;

pub use fix_family::{Families, OriginLink, families, pairs_to_compare};
pub use fix_search::{CommitSummary, related_commits};
pub use fix_state::{Fix, FixLocation, FixState, Matrix, matrix};
pub use named_commits::{NamedCommits, title};

/// The largest number of branches in one matrix.
pub const MAX_BRANCHES: usize = 127;

/// The facts about a commit that need no diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFact {
    /// The commit.
    pub id: Oid,
    /// The number of its parents.
    pub parents: u8,
    /// The address of its author, in lower case.
    pub author: String,
    /// The author date that it claims, in seconds since 1970.
    pub authored: i64,
    /// The committer date that it claims, in seconds since 1970.
    pub committed: i64,
    /// The first line of its message.
    pub subject: String,
    /// The commits that its message names.
    pub named: NamedCommits,
    /// Its tree equals the tree of its first parent: it changes nothing.
    pub empty: bool,
    /// The branches that reach it: bit `n` is branch `n`. Branch 0 is the branch on which
    /// changes are made.
    pub branches: u128,
}

/// The similarity of the diffs of two commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiffSimilarity {
    /// The percentage of changed lines that they have in common.
    Percent(u8),
    /// The patch ids are equal.
    Same,
}

/// Why a commit counts as a copy of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// It is the original.
    Original,
    /// Its message names the original, or a pick of it.
    Trailer {
        /// The message contains only a prefix of the id.
        short: bool,
    },
    /// Its message names an id that was not found.
    Dangling,
    /// The patch ids are equal.
    PatchId,
    /// Author, author date and title are equal.
    Author,
    /// The diffs are similar, and title or author date are equal.
    Content {
        /// The percentage of changed lines that they have in common.
        percent: u8,
    },
}

impl Evidence {
    /// The confidence in percent. It was measured on public repositories whose picks name their
    /// originals (docs/backport.md).
    #[must_use]
    pub const fn confidence(self) -> u8 {
        match self {
            Self::Original | Self::PatchId => 100,
            Self::Trailer { short: false } | Self::Author => 99,
            Self::Trailer { short: true } => 98,
            Self::Dangling => 90,
            Self::Content { percent } => percent,
        }
    }
}
