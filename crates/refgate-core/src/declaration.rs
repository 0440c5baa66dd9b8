//! Defines the kinds of class declarations and the patterns that a policy reads them with.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{ClassId, WordPattern};

/// A kind of class declaration (docs/design/model.md, "Class").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeclarationSource {
    /// A trailer in the commit message.
    Trailer,
    /// The push option `class=`.
    Option,
    /// The author, for bots. Authors are text, so this is a claim like any other.
    Author,
    /// The name of the merged topic branch.
    Branch,
    /// The Conventional-Commits type.
    Conventional,
    /// The words of the subject.
    Subject,
}

impl DeclarationSource {
    /// All kinds, in the default order of precedence. The author is last, because anybody can
    /// write the name of a bot.
    pub const ALL: [Self; 6] = [
        Self::Trailer,
        Self::Option,
        Self::Branch,
        Self::Conventional,
        Self::Subject,
        Self::Author,
    ];

    /// Its name in policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trailer => "trailer",
            Self::Option => "option",
            Self::Author => "author",
            Self::Branch => "branch",
            Self::Conventional => "conventional",
            Self::Subject => "subject",
        }
    }
}

/// The declarations that a policy reads.
#[derive(Debug, Clone, Default)]
pub struct Declarations {
    /// The order of precedence.
    pub order: Vec<DeclarationSource>,
    /// The key of the trailer, by default `Change-Class`.
    pub trailer: String,
    /// Author names and addresses in lower case. The whole text must match.
    pub authors: Vec<(String, ClassId)>,
    /// Word patterns for the branch name.
    pub branches: Vec<(WordPattern, ClassId)>,
    /// Conventional-Commits types in lower case.
    pub conventional: Vec<(String, ClassId)>,
    /// Word patterns for the subject.
    pub subjects: Vec<(WordPattern, ClassId)>,
}
