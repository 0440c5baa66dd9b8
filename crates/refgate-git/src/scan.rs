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
    let order = walk(reader, tips, kept, tick)?;
    let mut places: HashMap<Oid, usize> = HashMap::with_capacity(order.len());
    places.extend(order.iter().enumerate().map(|(place, id)| (*id, place)));
    let mut colours = vec![0_u128; order.len()];
    for (number, tip) in tips.iter().enumerate() {
        if let Some(colour) = places.get(tip).and_then(|place| colours.get_mut(*place)) {
            *colour |= 1_u128.checked_shl(u32::try_from(number).unwrap_or(128)).unwrap_or(0);
        }
    }
    // Children come after their parents, so from the end each is whole when met.
    for (place, id) in order.iter().enumerate().rev() {
        let colour = colours.get(place).copied().unwrap_or(0);
        for parent in kept.get(*id).map_or(&[][..], |known| &known.parents) {
            if let Some(below) = places.get(parent).and_then(|place| colours.get_mut(*place)) {
                *below |= colour;
            }
        }
    }
    let mut facts: Vec<Fact> = Vec::with_capacity(order.len());
    for (id, branches) in order.into_iter().zip(colours) {
        let Some(known) = kept.get(id) else { continue };
        let before = match known.parents.first() {
            Some(parent) => kept.get(*parent).map(|parent| parent.tree),
            None => Some(EMPTY_TREE),
        };
        facts.push(Fact {
            id,
            parents: u8::try_from(known.parents.len()).unwrap_or(u8::MAX),
            author: known.author.clone(),
            authored: known.authored,
            committed: known.committed,
            subject: known.subject.clone(),
            named: known.named.clone(),
            empty: before == Some(known.tree),
            branches,
        });
    }
    facts.sort_unstable_by_key(|fact| fact.id);
    Ok(facts)
}

/// All commits, parents before children.
fn walk(
    reader: &Reader,
    tips: &[Oid],
    kept: &mut Scanned,
    tick: &mut dyn FnMut(usize),
) -> Result<Vec<Oid>, GitError> {
    let mut order = Vec::new();
    let mut state: HashMap<Oid, bool> = HashMap::new();
    let mut stack: Vec<Oid> = tips.to_vec();
    while let Some(id) = stack.last().copied() {
        match state.get(&id) {
            Some(true) => {
                stack.pop();
            }
            Some(false) => {
                state.insert(id, true);
                order.push(id);
                stack.pop();
            }
            None => {
                state.insert(id, false);
                if kept.get(id).is_none() {
                    kept.add(id, known(reader.commit(id)?));
                }
                let parents = kept.get(id).map_or(&[][..], |known| &known.parents);
                stack.extend(parents.iter().filter(|parent| !state.contains_key(parent)));
                tick(state.len());
            }
        }
    }
    Ok(order)
}

fn known(commit: ParsedCommit) -> Known {
    Known {
        tree: commit.tree,
        author: commit.author.email.to_lowercase(),
        authored: commit.authored,
        committed: commit.committed,
        subject: commit.message.subject().replace(['\t', '\n'], " "),
        named: Named::read(&commit.message),
        parents: commit.parents,
    }
}
