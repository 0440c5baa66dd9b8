//! What does the pusher ask for? Reference updates, by whom, received when.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Instant, Oid, RefName};

/// Who pushes, as the transport vouches for it (docs/design/model.md, "Identity"); never a commit's author.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(pub String);

/// A whole push. It is judged whole: one forbidden update refuses all.
#[derive(Debug, Clone)]
pub struct Push {
    /// The transport's identity, if it has one.
    pub actor: Option<Actor>,
    /// When the server received it; the only clock of a decision.
    pub at: Instant,
    /// What is to move, in the order of the push.
    pub updates: Vec<RefUpdate>,
    /// `git push -o` texts: claims of the pusher, never authority.
    pub options: Vec<String>,
}

/// One reference that is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// Which one.
    pub name: RefName,
    /// How.
    pub change: RefChange,
}

/// The change of a reference, from the value that the server itself read
/// (docs/design/threats.md, R3: the old value that a client claims is not believed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefChange {
    /// It does not exist yet.
    Create {
        /// The value asked for.
        new: Oid,
    },
    /// It exists and shall point elsewhere.
    Move {
        /// The value at rest.
        old: Oid,
        /// The value asked for.
        new: Oid,
    },
    /// It exists and shall go.
    Delete {
        /// The value at rest.
        old: Oid,
    },
}

impl RefChange {
    /// The value asked for, unless it is a deletion.
    #[must_use]
    pub const fn new_value(&self) -> Option<Oid> {
        match self {
            Self::Create { new } | Self::Move { new, .. } => Some(*new),
            Self::Delete { .. } => None,
        }
    }

    /// The value at rest, unless it is a creation.
    #[must_use]
    pub const fn old_value(&self) -> Option<Oid> {
        match self {
            Self::Create { .. } => None,
            Self::Move { old, .. } | Self::Delete { old } => Some(*old),
        }
    }
}
