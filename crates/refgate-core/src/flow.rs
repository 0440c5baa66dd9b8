//! Defines the stages and release lines, and what each ref is to the process.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Glob, Policy, RefName, Version};

/// The ref of the ledger (docs/design/model.md, "Records and the ledger").
pub const LEDGER: &str = "refs/refgate/ledger";

/// The largest number of stages. [`crate::Commit::reach`] has one bit for each stage.
pub const MAX_STAGES: usize = 32;

/// One stage of the flow.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its branch.
    pub branch: RefName,
    /// The environment that is deployed from it.
    pub environment: String,
    /// It is a production stage: releases are tagged on it, and hotfixes start from it.
    pub production: bool,
    /// The roles that may push to it; empty: everybody with push access.
    pub pushers: Vec<String>,
}

/// Branches that are kept alive for older releases. They are additional production stages.
#[derive(Debug, Clone)]
pub struct LinePattern {
    /// The pattern for the branch name, for example `release/*`.
    pub branches: Glob,
    /// The roles that may push to them; empty: everybody.
    pub pushers: Vec<String>,
}

/// The ordered stages, and the release lines.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// From the first (development) to the last (production); at most 32.
    pub stages: Vec<Stage>,
    /// Release lines.
    pub lines: Vec<LinePattern>,
}

/// A governed branch.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A stage of the flow, with its index.
    Stage(usize, &'a Stage),
    /// A release line.
    Line(&'a LinePattern),
}

impl Target<'_> {
    /// The index in the flow, if it is a stage.
    #[must_use]
    pub const fn place(&self) -> Option<usize> {
        match self {
            Self::Stage(place, _) => Some(*place),
            Self::Line(_) => None,
        }
    }

    /// The roles that may push to it.
    #[must_use]
    pub fn pushers(&self) -> &[String] {
        match self {
            Self::Stage(_, stage) => &stage.pushers,
            Self::Line(line) => &line.pushers,
        }
    }

    /// Whether it is the first stage, where new work lands.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        matches!(self, Self::Stage(0, _))
    }
}

/// What a ref is to the process (docs/design/model.md, "Flow").
#[derive(Debug, Clone)]
pub enum RefKind<'a> {
    /// A stage or a line.
    Governed(Target<'a>),
    /// A release tag, with its version.
    Release(Version),
    /// The ledger of records.
    Ledger,
    /// Another ref below `refs/refgate/`. It cannot be pushed to.
    Records,
    /// A name that would block a governed name. Git stores refs like files, so `dev/x` and
    /// `dev` cannot both exist.
    Blocks,
    /// A namespace that changes or imitates what Git shows. It cannot be pushed to.
    Forbidden,
    /// Any other ref. It is not governed.
    Topic,
}

impl Flow {
    /// The stage or line with this name.
    #[must_use]
    pub fn target(&self, name: &RefName) -> Option<Target<'_>> {
        if let Some(place) = self.stages.iter().position(|stage| stage.branch == *name) {
            return self.stages.get(place).map(|stage| Target::Stage(place, stage));
        }
        let branch = name.branch_name()?;
        self.lines.iter().find(|line| line.branches.matches(branch)).map(Target::Line)
    }

    /// Whether a branch with this name would block a stage or line.
    fn blocks_governed_branch(&self, branch: &str) -> bool {
        let mut above = branch.match_indices('/').filter_map(|(at, _)| branch.get(..at));
        let governed = |name: &str| RefName::branch(name).is_ok_and(|n| self.target(&n).is_some());
        let below = |name: &str| {
            let rest = name.strip_prefix(branch);
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        above.any(governed)
            || self.stages.iter().any(|stage| below(stage.branch.short()))
            || self.lines.iter().any(|line| below(line.branches.as_str()))
    }

    /// The previous stage.
    #[must_use]
    pub fn previous(&self, place: usize) -> Option<&Stage> {
        self.stages.get(place.checked_sub(1)?)
    }

    /// The last production stage. Releases are tagged on it, and a tracked policy is
    /// read from it.
    #[must_use]
    pub fn production(&self) -> Option<(usize, &Stage)> {
        self.stages.iter().enumerate().rev().find(|(_, stage)| stage.production)
    }
}

/// Whether a ref changes what Git believes about objects, or imitates the state of a remote.
fn is_forbidden(lower: &str) -> bool {
    ["refs/replace/", "refs/remotes/"].iter().any(|prefix| lower.starts_with(prefix))
}

impl Policy {
    /// What a ref is to this policy.
    #[must_use]
    pub fn kind(&self, name: &RefName) -> RefKind<'_> {
        if let Some(target) = self.flow.target(name) {
            return RefKind::Governed(target);
        }
        if name.branch_name().is_some_and(|branch| self.flow.blocks_governed_branch(branch)) {
            return RefKind::Blocks;
        }
        if let Some(tag) = name.tag_name() {
            if let Some(version) = self.release.version(tag) {
                return RefKind::Release(version);
            }
            // A tag below the name of a release would block the tag of that release.
            let mut above = tag.match_indices('/').filter_map(|(at, _)| tag.get(..at));
            if above.any(|name| self.release.version(name).is_some()) {
                return RefKind::Blocks;
            }
        }
        match name.as_str() {
            LEDGER => RefKind::Ledger,
            full if full.to_lowercase().starts_with("refs/refgate/") => RefKind::Records,
            full if is_forbidden(&full.to_lowercase()) => RefKind::Forbidden,
            _ => RefKind::Topic,
        }
    }
}
