//! Defines receipts: the comparison of a backport with Git's own pick of its original.

use alloc::string::String;
use alloc::vec::Vec;

/// How a pick differs from Git's own pick of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It equals Git's pick, after the recipes of the policy.
    Exact,
    /// Git had conflicts in these files, and no other file differs.
    Resolved {
        /// The files.
        paths: Vec<String>,
    },
    /// It has content in these files that Git would not produce.
    Edited {
        /// The files.
        paths: Vec<String>,
    },
    /// It contains conflict markers in these files.
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

    /// The files that it names.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        match self {
            Self::Exact => &[],
            Self::Resolved { paths } | Self::Edited { paths } | Self::Marked { paths } => paths,
        }
    }
}
