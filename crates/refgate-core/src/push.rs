//! Defines a push: its pusher, its receipt time and its ref updates.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Instant, Oid, RefName};

/// The pusher, as the transport identifies it (docs/design/model.md, "Identity"). It is never
/// the author of a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(pub String);

/// A push. One violation in one ref update rejects the whole push.
#[derive(Debug, Clone)]
pub struct Push {
    /// The pusher, if the transport identifies one.
    pub actor: Option<Actor>,
    /// The receipt time. It is the only clock of a decision.
    pub at: Instant,
    /// The ref updates, in the order of the push.
    pub updates: Vec<RefUpdate>,
    /// The texts of `git push -o`. They are claims of the pusher, not permissions.
    pub options: Vec<String>,
}

/// The update of one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// The ref.
    pub name: RefName,
    /// The change.
    pub change: RefChange,
}

/// The change of a ref. The old value comes from the server, never from the claim of the
/// client (docs/design/threats.md, R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefChange {
    /// The ref does not exist and is created.
    Create {
        /// The new value.
        new: Oid,
    },
    /// The ref exists and gets a new value.
    Move {
        /// The value at rest.
        old: Oid,
        /// The new value.
        new: Oid,
    },
    /// The ref exists and is deleted.
    Delete {
        /// The value at rest.
        old: Oid,
    },
}

impl RefChange {
    /// The new value; `None` for a deletion.
    #[must_use]
    pub const fn new_value(&self) -> Option<Oid> {
        match self {
            Self::Create { new } | Self::Move { new, .. } => Some(*new),
            Self::Delete { .. } => None,
        }
    }

    /// The value at rest; `None` for a creation.
    #[must_use]
    pub const fn old_value(&self) -> Option<Oid> {
        match self {
            Self::Create { .. } => None,
            Self::Move { old, .. } | Self::Delete { old } => Some(*old),
        }
    }
}
