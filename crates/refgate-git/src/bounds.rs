//! How much is read for one push, at the most?

/// Bounds on what is read for one push (docs/design/threats.md, R16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// New commits.
    pub max_commits: usize,
    /// Bytes of a commit or tag.
    pub max_commit_bytes: usize,
    /// Bytes of a tree.
    pub max_tree_bytes: usize,
    /// Bytes of a policy file.
    pub max_policy_bytes: usize,
    /// Bytes of a file that both sides of a merge changed.
    pub max_merged_bytes: usize,
    /// Changed paths of a landing.
    pub max_changes: usize,
    /// Seconds in all.
    pub max_seconds: u64,
}
