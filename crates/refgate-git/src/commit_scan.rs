//! Reads facts about all commits that some branches reach. Each commit is read once and cached.

use std::collections::{BTreeMap, HashMap};

use refgate_core::Oid;
use refgate_core::matrix::{CommitFact, NamedCommits, related_commits};

use crate::commit_cache::{CachedCommit, CommitCache, ReadCommit};
use crate::reader::{EMPTY_TREE, Reader};
use crate::{GitError, ParsedCommit};

impl CommitCache {
    /// The facts about all commits that the tips reach, sorted by id. With `around`, only the
    /// facts about commits that are related to these. Bit `n` of the branches of a commit
    /// stands for tip `n`. Commits that are not cached are read. `tick` gets the number of
    /// commits in the cache after each read.
    ///
    /// # Errors
    /// Returns an error if a commit cannot be read.
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
            if line_numbers(lines, tips).iter().all(Option::is_some) {
                return Ok(facts(lines, tips, around));
            }
            known.extend(lines.iter().map(|line| line.id).zip(0..));
        } else {
            // The file was changed by another program, so the cache starts again.
            *self = Self::default();
        }
        read(reader, tips, known, self, tick)?;
        Ok(self.facts(tips, around))
    }

    /// The same as [`CommitCache::scan`], from cached commits only.
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
        Some(around) => related_commits(&lines, around).into_iter().filter_map(fact).collect(),
        None => (0..lines.len()).filter_map(fact).collect(),
    };
    facts.sort_unstable_by_key(|fact| fact.id);
    facts
}

/// The tips that reach each commit, as bits.
fn colours(lines: &[CachedCommit<'_>], tips: &[Oid]) -> Vec<u128> {
    let mut colours = vec![0_u128; lines.len()];
    for (number, start) in line_numbers(lines, tips).into_iter().enumerate() {
        if let Some(colour) = start.and_then(|place| colours.get_mut(place)) {
            *colour |= 1_u128.checked_shl(u32::try_from(number).unwrap_or(128)).unwrap_or(0);
        }
    }
    // Children come after their parents. In reverse order, the colours of a commit are complete
    // when the loop visits it.
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

/// The line numbers of the tips in the cache; `None` for a tip that is not cached.
fn line_numbers(lines: &[CachedCommit<'_>], tips: &[Oid]) -> Vec<Option<usize>> {
    let mut found: BTreeMap<Oid, Option<usize>> = tips.iter().map(|tip| (*tip, None)).collect();
    for (place, line) in lines.iter().enumerate() {
        if let Some(slot) = found.get_mut(&line.id) {
            *slot = Some(place);
        }
    }
    tips.iter().map(|tip| found.get(tip).copied().flatten()).collect()
}

/// Reads the commits that are not cached, each after its parents.
fn read(
    reader: &Reader,
    tips: &[Oid],
    mut line_numbers: HashMap<Oid, u32>,
    kept: &mut CommitCache,
    tick: &mut dyn FnMut(usize),
) -> Result<(), GitError> {
    let mut trees: HashMap<Oid, Oid> = HashMap::new();
    let mut open: HashMap<Oid, PendingCommit> = HashMap::new();
    let mut stack: Vec<Oid> = tips.to_vec();
    while let Some(id) = stack.last().copied() {
        if line_numbers.contains_key(&id) {
            stack.pop();
        } else if let Some(PendingCommit { read, tree, parents }) = open.remove(&id) {
            let before = match parents.first() {
                Some(parent) => tree_of(reader, &trees, *parent)?,
                None => EMPTY_TREE,
            };
            trees.insert(id, tree);
            let above: Vec<u32> =
                parents.iter().filter_map(|id| line_numbers.get(id).copied()).collect();
            kept.add(id, &above, before == tree, &read);
            line_numbers.insert(id, u32::try_from(line_numbers.len()).unwrap_or(u32::MAX));
            tick(line_numbers.len());
            stack.pop();
        } else {
            let commit = PendingCommit::new(reader.commit(id)?);
            stack.extend(commit.parents.iter().filter(|parent| !line_numbers.contains_key(parent)));
            open.insert(id, commit);
        }
    }
    Ok(())
}

/// The tree of a commit. It is read again if this run has not read it.
fn tree_of(reader: &Reader, known: &HashMap<Oid, Oid>, id: Oid) -> Result<Oid, GitError> {
    match known.get(&id) {
        Some(tree) => Ok(*tree),
        None => Ok(reader.commit(id)?.tree),
    }
}

/// A commit whose parents are not read yet.
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
