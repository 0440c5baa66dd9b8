//! How much of a pick is Git's own, and how much did somebody add?

use alloc::string::String;
use alloc::vec::Vec;

/// What a pick is, compared with what Git makes of its original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Exactly Git's pick, and what the policy's recipes make of it.
    Exact,
    /// Git had conflicts in these files, and no other differs.
    Resolved {
        /// The files.
        paths: Vec<String>,
    },
    /// It holds what Git would not have made, in these files.
    Edited {
        /// The files.
        paths: Vec<String>,
    },
    /// Conflict marks were committed.
    Marked {
        /// The files.
        paths: Vec<String>,
    },
}

impl Receipt {
    /// Its name in reports.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Resolved { .. } => "resolved",
            Self::Edited { .. } => "edited",
            Self::Marked { .. } => "marked",
        }
    }

    /// The files that it speaks of.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        match self {
            Self::Exact => &[],
            Self::Resolved { paths } | Self::Edited { paths } | Self::Marked { paths } => paths,
        }
    }
}
