//! Defines the limits on what is read for one push.

/// Limits on what is read for one push (docs/design/threats.md, R16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The maximum number of new commits.
    pub max_commits: usize,
    /// The maximum size in bytes of a commit or tag.
    pub max_commit_bytes: usize,
    /// The maximum size in bytes of a tree.
    pub max_tree_bytes: usize,
    /// The maximum size in bytes of a policy file.
    pub max_policy_bytes: usize,
    /// The maximum size in bytes of a file that both sides of a merge changed.
    pub max_merged_bytes: usize,
    /// The maximum number of changed paths of a commit.
    pub max_changes: usize,
    /// The maximum time in seconds for the whole push.
    pub max_seconds: u64,
}
