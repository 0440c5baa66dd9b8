//! What do all commits say that some branches reach? Each is read once, ever, and kept.

use std::collections::HashMap;

use refgate_core::Oid;
use refgate_core::matrix::{Fact, Named};

use crate::reader::{EMPTY_TREE, Reader};
use crate::scanned::{Known, Scanned};
use crate::{GitError, ParsedCommit};

/// What the commits say that the tips reach, in the order of their ids. Bit `n`
/// of a commit's branches is the tip `n`. `kept` is what an earlier scan has
/// read; what is new is added to it. `tick` is told how many were read.
///
/// # Errors
/// If a commit cannot be read.
pub fn scan(
    reader: &Reader,
    tips: &[Oid],
    kept: &mut Scanned,
    tick: &mut dyn FnMut(usize),
) -> Result<Vec<Fact>, GitError> {
    let mut starts = places(kept, tips);
    if starts.iter().any(Option::is_none) {
        read(reader, tips, kept, tick)?;
        starts = places(kept, tips);
    }
    let commits = kept.commits();
    let mut colours = vec![0_u128; commits.len()];
    for (number, start) in starts.into_iter().enumerate() {
        if let Some(colour) = start.and_then(|place| colours.get_mut(place)) {
            *colour |= 1_u128.checked_shl(u32::try_from(number).unwrap_or(128)).unwrap_or(0);
        }
    }
    // Children come after their parents, so from the end each is whole when met.
    for (place, known) in commits.iter().enumerate().rev() {
        let colour = colours.get(place).copied().unwrap_or(0);
        for parent in &known.parents {
            if let Some(below) = colours.get_mut(*parent as usize) {
                *below |= colour;
            }
        }
    }
    let reached = commits.iter().zip(colours).filter(|(_, branches)| *branches != 0);
    let mut facts: Vec<Fact> = reached.map(|(known, branches)| fact(known, branches)).collect();
    facts.sort_unstable_by_key(|fact| fact.id);
    Ok(facts)
}

fn fact(known: &Known, branches: u128) -> Fact {
    Fact {
        id: known.id,
        parents: u8::try_from(known.parents.len()).unwrap_or(u8::MAX),
        author: known.author.clone(),
        authored: known.authored,
        committed: known.committed,
        subject: known.subject.clone(),
        named: known.named.clone(),
        empty: known.empty,
        branches,
    }
}

/// Where the tips stand among what is kept.
fn places(kept: &Scanned, tips: &[Oid]) -> Vec<Option<usize>> {
    let mut found = vec![None; tips.len()];
    for (place, known) in kept.commits().iter().enumerate() {
        for (tip, slot) in tips.iter().zip(&mut found) {
            if *tip == known.id {
                *slot = Some(place);
            }
        }
    }
    found
}

/// Reads what is not kept yet: each commit after its parents.
fn read(
    reader: &Reader,
    tips: &[Oid],
    kept: &mut Scanned,
    tick: &mut dyn FnMut(usize),
) -> Result<(), GitError> {
    let mut places: HashMap<Oid, u32> = HashMap::with_capacity(kept.commits().len());
    places.extend(kept.commits().iter().map(|known| known.id).zip(0..));
    let mut trees: HashMap<Oid, Oid> = HashMap::new();
    let mut open: HashMap<Oid, Open> = HashMap::new();
    let mut stack: Vec<Oid> = tips.to_vec();
    while let Some(id) = stack.last().copied() {
        if places.contains_key(&id) {
            stack.pop();
        } else if let Some(Open { mut known, tree, parents }) = open.remove(&id) {
            let before = match parents.first() {
                Some(parent) => tree_of(reader, &trees, *parent)?,
                None => EMPTY_TREE,
            };
            trees.insert(id, tree);
            known.empty = before == tree;
            known.parents = parents.iter().filter_map(|id| places.get(id).copied()).collect();
            places.insert(id, kept.add(known));
            tick(places.len());
            stack.pop();
        } else {
            let commit = Open::new(id, reader.commit(id)?);
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

/// A commit whose parents are still to be read. Its message is not kept: a
/// history can be one long line.
struct Open {
    known: Known,
    tree: Oid,
    parents: Vec<Oid>,
}

impl Open {
    fn new(id: Oid, commit: ParsedCommit) -> Self {
        let known = Known {
            id,
            parents: Vec::new(),
            authored: commit.authored,
            committed: commit.committed,
            empty: false,
            author: commit.author.email.to_lowercase(),
            subject: commit.message.subject().replace(['\t', '\n'], " "),
            named: Named::read(&commit.message),
        };
        Self { known, tree: commit.tree, parents: commit.parents }
    }
}
