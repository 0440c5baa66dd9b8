//! What do all commits say that some branches reach? Each is read once, ever, and kept.

use std::collections::{BTreeMap, HashMap};

use refgate_core::Oid;
use refgate_core::matrix::{CommitFact, NamedCommits, focus};

use crate::commit_cache::{CachedCommit, CommitCache, ReadCommit};
use crate::reader::{EMPTY_TREE, Reader};
use crate::{GitError, ParsedCommit};

impl CommitCache {
    /// What the commits say that the tips reach, or those of them that have to do
    /// with `around`, in the order of their ids. Bit `n` of a commit's branches
    /// is the tip `n`. What is not kept yet is read, and `tick` told how many are
    /// known.
    ///
    /// # Errors
    /// If a commit cannot be read.
    pub fn scan(
        &mut self,
        reader: &Reader,
        tips: &[Oid],
        around: Option<&[Oid]>,
        tick: &mut dyn FnMut(usize),
    ) -> Result<Vec<CommitFact>, GitError> {
        let mut known = HashMap::new();
        let lines = self.lines();
        if let Some(lines) = &lines {
            if places(lines, tips).iter().all(Option::is_some) {
                return Ok(facts(lines, tips, around));
            }
            known.extend(lines.iter().map(|line| line.id).zip(0..));
        } else {
            // Somebody wrote into it.
            *self = Self::default();
        }
        read(reader, tips, known, self, tick)?;
        Ok(self.facts(tips, around))
    }

    /// The same of what is kept.
    #[must_use]
    pub fn facts(&self, tips: &[Oid], around: Option<&[Oid]>) -> Vec<CommitFact> {
        facts(&self.lines().unwrap_or_default(), tips, around)
    }
}

fn facts(lines: &[CachedCommit<'_>], tips: &[Oid], around: Option<&[Oid]>) -> Vec<CommitFact> {
    let colours = colours(lines, tips);
    let all = lines.iter().copied().zip(colours);
    let (lines, colours): (Vec<CachedCommit<'_>>, Vec<u128>) = all.filter(|(_, c)| *c != 0).unzip();
    let fact = |place: usize| Some(lines.get(place)?.fact(*colours.get(place)?));
    let mut facts: Vec<CommitFact> = match around {
        Some(around) => focus(&lines, around).into_iter().filter_map(fact).collect(),
        None => (0..lines.len()).filter_map(fact).collect(),
    };
    facts.sort_unstable_by_key(|fact| fact.id);
    facts
}

/// Which tips reach each commit.
fn colours(lines: &[CachedCommit<'_>], tips: &[Oid]) -> Vec<u128> {
    let mut colours = vec![0_u128; lines.len()];
    for (number, start) in places(lines, tips).into_iter().enumerate() {
        if let Some(colour) = start.and_then(|place| colours.get_mut(place)) {
            *colour |= 1_u128.checked_shl(u32::try_from(number).unwrap_or(128)).unwrap_or(0);
        }
    }
    // Children come after their parents, so from the end each is whole when met.
    for (place, line) in lines.iter().enumerate().rev() {
        let colour = colours.get(place).copied().unwrap_or(0);
        for parent in line.parents().flatten() {
            if let Some(below) = colours.get_mut(parent) {
                *below |= colour;
            }
        }
    }
    colours
}

/// Where the tips stand among what is kept.
fn places(lines: &[CachedCommit<'_>], tips: &[Oid]) -> Vec<Option<usize>> {
    let mut found: BTreeMap<Oid, Option<usize>> = tips.iter().map(|tip| (*tip, None)).collect();
    for (place, line) in lines.iter().enumerate() {
        if let Some(slot) = found.get_mut(&line.id) {
            *slot = Some(place);
        }
    }
    tips.iter().map(|tip| found.get(tip).copied().flatten()).collect()
}

/// Reads what is not kept yet: each commit after its parents.
fn read(
    reader: &Reader,
    tips: &[Oid],
    mut places: HashMap<Oid, u32>,
    kept: &mut CommitCache,
    tick: &mut dyn FnMut(usize),
) -> Result<(), GitError> {
    let mut trees: HashMap<Oid, Oid> = HashMap::new();
    let mut open: HashMap<Oid, PendingCommit> = HashMap::new();
    let mut stack: Vec<Oid> = tips.to_vec();
    while let Some(id) = stack.last().copied() {
        if places.contains_key(&id) {
            stack.pop();
        } else if let Some(PendingCommit { read, tree, parents }) = open.remove(&id) {
            let before = match parents.first() {
                Some(parent) => tree_of(reader, &trees, *parent)?,
                None => EMPTY_TREE,
            };
            trees.insert(id, tree);
            let above: Vec<u32> = parents.iter().filter_map(|id| places.get(id).copied()).collect();
            kept.add(id, &above, before == tree, &read);
            places.insert(id, u32::try_from(places.len()).unwrap_or(u32::MAX));
            tick(places.len());
            stack.pop();
        } else {
            let commit = PendingCommit::new(reader.commit(id)?);
            stack.extend(commit.parents.iter().filter(|parent| !places.contains_key(parent)));
            open.insert(id, commit);
        }
    }
    Ok(())
}

/// The tree of a commit, which need not have been read in this run.
fn tree_of(reader: &Reader, known: &HashMap<Oid, Oid>, id: Oid) -> Result<Oid, GitError> {
    match known.get(&id) {
        Some(tree) => Ok(*tree),
        None => Ok(reader.commit(id)?.tree),
    }
}

/// A commit whose parents are still to be read.
struct PendingCommit {
    read: ReadCommit,
    tree: Oid,
    parents: Vec<Oid>,
}

impl PendingCommit {
    fn new(commit: ParsedCommit) -> Self {
        let read = ReadCommit {
            authored: commit.authored,
            committed: commit.committed,
            author: commit.author.email.to_lowercase(),
            subject: commit.message.subject().to_string(),
            named: NamedCommits::read(&commit.message),
        };
        Self { read, tree: commit.tree, parents: commit.parents }
    }
}
