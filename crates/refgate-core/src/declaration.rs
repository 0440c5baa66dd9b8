//! By which signs may a change declare its class, and which sign counts first?

use alloc::string::String;
use alloc::vec::Vec;

use crate::{ClassId, WordPattern};

/// A sign by which a class is declared (docs/design/model.md, "Class").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeclarationSource {
    /// A trailer in the commit message.
    Trailer,
    /// The push option `class=`.
    Option,
    /// The author, for bots; a claim like the others, since authors are text.
    Author,
    /// The name of the merged topic branch.
    Branch,
    /// The Conventional-Commits type.
    Conventional,
    /// The words of the subject.
    Subject,
}

impl DeclarationSource {
    /// All of them, in the order that counts unless a policy says otherwise.
    /// An author counts last: anybody can write a bot's name.
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
    /// Which sign counts first.
    pub order: Vec<DeclarationSource>,
    /// The trailer's key, `Change-Class` by default.
    pub trailer: String,
    /// Author names and addresses, lower case, compared whole.
    pub authors: Vec<(String, ClassId)>,
    /// Word patterns over the branch name.
    pub branches: Vec<(WordPattern, ClassId)>,
    /// Conventional-Commits types, lower case.
    pub conventional: Vec<(String, ClassId)>,
    /// Word patterns over the subject.
    pub subjects: Vec<(WordPattern, ClassId)>,
}
