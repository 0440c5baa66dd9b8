//! Computes the state of each fix on each branch, and its gaps and missing follow-ups.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::named_commits::{follows, quoted, resolve, title};
use super::{CommitFact, Evidence, Families, OriginLink};

/// The state of a fix on a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixState {
    /// The branch where it was made first.
    Original,
    /// The branch reaches the original.
    Ancestor,
    /// The branch has a copy.
    Copy(Evidence),
    /// The branch had it, and it was reverted.
    Reverted,
    /// The branch does not have it.
    Missing,
}

impl FixState {
    /// Whether the fix is in effect on the branch.
    #[must_use]
    pub const fn landed(self) -> bool {
        matches!(self, Self::Original | Self::Ancestor | Self::Copy(_))
    }
}

/// The state of a fix on one branch, and the commit that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixLocation {
    /// The state.
    pub cell: FixState,
    /// The commit on that branch, by its index in the facts.
    pub by: Option<usize>,
}

/// One fix over all branches.
#[derive(Debug, Clone)]
pub struct Fix {
    /// The original.
    pub root: OriginLink,
    /// Its state on each branch.
    pub cells: Vec<FixLocation>,
    /// The branches that are missing it although an older line has it.
    pub gaps: Vec<usize>,
    /// Fixes of this fix, and its reverts, that are missing on branches that have it: the
    /// follow-up, and these branches.
    pub follow_ups: Vec<(OriginLink, Vec<usize>)>,
}

/// The state of all fixes on all branches. It is computed for each fix on request.
#[derive(Debug)]
pub struct Matrix<'f> {
    facts: &'f [CommitFact],
    families: &'f Families,
    branches: usize,
    /// The branches on which a newer one must have the fixes of an older one, oldest first.
    lines: Vec<usize>,
    reverts: BTreeMap<OriginLink, BTreeSet<OriginLink>>,
    follows: BTreeMap<OriginLink, BTreeSet<OriginLink>>,
}

/// Builds the matrix of the families over `branches` branches. `lines` are the branches from
/// the oldest line to the newest.
#[must_use]
pub fn matrix<'f>(
    facts: &'f [CommitFact],
    families: &'f Families,
    branches: usize,
    lines: Vec<usize>,
) -> Matrix<'f> {
    let ids: Vec<_> = facts.iter().map(|fact| fact.id).collect();
    let mut by_title: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let wanted: BTreeSet<&str> = facts
        .iter()
        .filter_map(|fact| quoted(&fact.subject).or_else(|| follows(&fact.subject)))
        .collect();
    for (place, fact) in facts.iter().enumerate() {
        if wanted.contains(title(&fact.subject)) {
            by_title.entry(title(&fact.subject)).or_default().push(place);
        }
    }
    let roots =
        |place: usize| families.roots.get(place).into_iter().flatten().map(|(root, _)| *root);
    let (mut reverts, mut fixups) = (BTreeMap::new(), BTreeMap::new());
    for (place, fact) in facts.iter().enumerate() {
        let link = |map: &mut BTreeMap<OriginLink, BTreeSet<OriginLink>>, of: usize| {
            for root in roots(of) {
                map.entry(root).or_default().extend(roots(place).filter(|own| *own != root));
            }
        };
        let named = |names: &[alloc::string::String]| -> Vec<usize> {
            names.iter().filter_map(|name| resolve(&ids, name)).collect()
        };
        let mut undone = named(&fact.named.reverts);
        if undone.is_empty()
            && let Some(subject) = quoted(&fact.subject)
        {
            // A revert that names no known commit is matched by title, on a common branch.
            let same = by_title.get(subject).into_iter().flatten().copied();
            undone.extend(same.filter(|of| {
                facts.get(*of).is_some_and(|other| {
                    other.branches & fact.branches != 0 && other.committed <= fact.committed
                })
            }));
        }
        undone.into_iter().for_each(|of| link(&mut reverts, of));
        let mut after = named(&fact.named.fixes);
        if let Some(subject) = follows(&fact.subject) {
            after.extend(by_title.get(subject).into_iter().flatten());
        }
        after.into_iter().for_each(|of| link(&mut fixups, of));
    }
    Matrix { facts, families, branches, lines, reverts, follows: fixups }
}

/// The maximum depth of reverts of reverts.
const DEEPEST: u32 = 20;

impl Matrix<'_> {
    /// The number of times that a fix is in effect on a branch: its landings minus its reverts
    /// that are in effect.
    fn count_in_effect(&self, root: OriginLink, branch: usize, depth: u32) -> usize {
        let landed = self.on(root, branch).count();
        let undone: usize = match self.reverts.get(&root).filter(|_| depth < DEEPEST) {
            Some(by) => by.iter().map(|by| self.count_in_effect(*by, branch, depth + 1)).sum(),
            None => 0,
        };
        landed.saturating_sub(undone)
    }

    /// The commits of a family on a branch that change something.
    fn on(&self, root: OriginLink, branch: usize) -> impl Iterator<Item = usize> + '_ {
        let members = self.families.members.get(&root).into_iter().flatten().copied();
        members.filter(move |place| {
            self.facts
                .get(*place)
                .is_some_and(|fact| fact.branches >> branch & 1 != 0 && !fact.empty)
        })
    }

    fn found(&self, root: OriginLink, branch: usize) -> FixLocation {
        let evidence = |place: usize| {
            let roots = self.families.roots.get(place).into_iter().flatten();
            roots.filter(|(of, _)| *of == root).map(|(_, evidence)| *evidence).next()
        };
        let best = self
            .on(root, branch)
            .max_by_key(|place| evidence(*place).map_or(0, Evidence::confidence));
        let Some(by) = best else { return FixLocation { cell: FixState::Missing, by: None } };
        let itself = self.on(root, branch).find(|place| root == OriginLink::Here(*place));
        let cell = if self.count_in_effect(root, branch, 0) == 0 {
            FixState::Reverted
        } else if let Some(place) = itself {
            let all = self.facts.get(place).map_or(0, |fact| fact.branches);
            let home = all.trailing_zeros() == u32::try_from(branch).unwrap_or(u32::MAX);
            if home { FixState::Original } else { FixState::Ancestor }
        } else {
            FixState::Copy(evidence(by).unwrap_or(Evidence::Dangling))
        };
        FixLocation { cell, by: itself.or(Some(by)) }
    }

    /// The state of one fix on all branches.
    #[must_use]
    pub fn fix(&self, root: OriginLink) -> Fix {
        let cells: Vec<FixLocation> =
            (0..self.branches).map(|branch| self.found(root, branch)).collect();
        let cell = |branch: usize| cells.get(branch).map_or(FixState::Missing, |found| found.cell);
        let older = |branch: &usize| {
            self.lines.iter().take_while(|line| *line != branch).any(|line| cell(*line).landed())
        };
        let missing_branches = self.lines.iter().filter(|line| cell(**line) == FixState::Missing);
        let gaps = missing_branches.filter(|line| older(line)).copied().collect();
        let mut follow_ups = Vec::new();
        for (follow, undoes) in self.after(root) {
            // The fix is in effect on this branch, so a revert on the branch was itself
            // reverted.
            let lack = |branch: &usize| {
                cell(*branch).landed() && (undoes || self.on(follow, *branch).next().is_none())
            };
            let missing_branches: Vec<usize> = (0..self.branches).filter(lack).collect();
            if !missing_branches.is_empty() {
                follow_ups.push((follow, missing_branches));
            }
        }
        Fix { root, cells, gaps, follow_ups }
    }

    /// The follow-ups of a fix: its fixes, and the reverts that are in effect on branch 0
    /// (`true`).
    #[must_use]
    pub fn after(&self, root: OriginLink) -> Vec<(OriginLink, bool)> {
        let after = self.follows.get(&root).into_iter().flatten().map(|follow| (*follow, false));
        // A revert on one line only does not concern the other branches.
        let undone = self.found(root, 0).cell == FixState::Reverted;
        let reverts = self.reverts.get(&root).filter(|_| undone).into_iter().flatten();
        let reverts = reverts.filter(|revert| self.count_in_effect(**revert, 0, 0) > 0);
        after.chain(reverts.map(|revert| (*revert, true))).collect()
    }

    /// Whether a change is on several branches, and a line that is newer than one of them does
    /// not have it.
    fn misses_newer_line(&self, place: usize) -> bool {
        let Some(fact) = self.facts.get(place).filter(|fact| fact.parents == 1) else {
            return false;
        };
        let has = |line: &&usize| fact.branches >> **line & 1 != 0;
        let mut after = self.lines.iter().skip_while(|line| !has(line));
        fact.branches.count_ones() > 1 && after.any(|line| !has(&line))
    }

    /// The fixes that a branch has as a copy, and the fixes that merges carried to some
    /// branches but not to a newer line. Reverts are not fixes.
    #[must_use]
    pub fn carried(&self) -> Vec<OriginLink> {
        let undoes = |place: &usize| {
            let fact = self.facts.get(*place);
            fact.is_some_and(|fact| {
                quoted(&fact.subject).is_some() || !fact.named.reverts.is_empty()
            })
        };
        let copies = |(root, members): (&OriginLink, &Vec<usize>)| {
            let copied = members.iter().any(|place| *root != OriginLink::Here(*place));
            let passed_over = || members.iter().any(|place| self.misses_newer_line(*place));
            ((copied || passed_over()) && !members.iter().any(undoes)).then_some(*root)
        };
        self.families.members.iter().filter_map(copies).collect()
    }
}
