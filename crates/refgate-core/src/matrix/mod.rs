//! Where has each fix landed, by which evidence, and where is it missing?
//!
//! Pure: what the commits say comes in as [`CommitFact`]s, what comparing diffs has
//! shown as [`DiffSimilarity`]; which diffs need comparing, [`doubts`] says.

mod fix_family;
mod fix_search;
mod fix_state;
mod named_commits;

use alloc::string::String;

use crate::Oid;

pub use fix_family::{Families, OriginLink, doubts, families};
pub use fix_search::{CommitSummary, focus};
pub use fix_state::{Fix, FixLocation, FixState, Matrix, matrix};
pub use named_commits::{NamedCommits, title};

/// The most branches that are looked at together.
pub const MAX_BRANCHES: usize = 127;

/// What is known of a commit without looking at its diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFact {
    /// The commit.
    pub id: Oid,
    /// How many parents it has.
    pub parents: u8,
    /// Its author's address, in lower case.
    pub author: String,
    /// When it was written, in seconds since 1970, as it claims.
    pub authored: i64,
    /// When it was committed, in seconds since 1970, as it claims.
    pub committed: i64,
    /// Its first line.
    pub subject: String,
    /// The commits that its message names.
    pub named: NamedCommits,
    /// It has its first parent's tree: it changes nothing.
    pub empty: bool,
    /// The branches that reach it: bit `n` is branch `n`; branch 0 is where
    /// changes come from.
    pub branches: u128,
}

/// What two commits' diffs have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiffSimilarity {
    /// So many of a hundred changed lines.
    Percent(u8),
    /// The same patch id.
    Same,
}

/// Why a commit is said to be a copy of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// It is the original.
    Original,
    /// Its message names it, or names a pick of it.
    Trailer {
        /// By the beginning of its id only.
        short: bool,
    },
    /// Its message names an id that is no longer here.
    Dangling,
    /// The diffs are the same.
    PatchId,
    /// Author, author's date and title are the same.
    Author,
    /// The diffs have so many of a hundred lines in common, under the same
    /// title or author's date.
    Content {
        /// How many.
        percent: u8,
    },
}

impl Evidence {
    /// How sure that makes, of a hundred. Measured on public repositories whose
    /// picks name their originals (docs/backport.md).
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
