//! Which landings does an update bring, and what are the facts about each?

use std::collections::{HashMap, HashSet};

use refgate_core::{Landing, Oid, TipRelation};

use crate::history_builder::HistoryBuilder;
use crate::{GitError, Graph};

/// The first-parent chain of an update, newest first, and its shape.
pub(crate) struct Chain {
    pub(crate) shape: TipRelation,
    pub(crate) commits: Vec<Oid>,
}

/// Follows first parents from `new` down to `old`.
///
/// # Errors
/// If a commit cannot be read, or the chain is longer than the limit.
pub(crate) fn chain(
    graph: &Graph<'_>,
    photo: &mut HistoryBuilder<'_>,
    old: Oid,
    new: Oid,
) -> Result<Chain, GitError> {
    let floor = graph.generation(old)?;
    let mut commits = Vec::new();
    let mut at = new;
    let found = loop {
        if at == old {
            break true;
        }
        // Below the old tip's generation it cannot come any more.
        let generation = graph.generation(at)?;
        if generation.zip(floor).is_some_and(|(now, floor)| now <= floor) {
            break false;
        }
        commits.push(at);
        photo.within_limit(commits.len())?;
        match graph.parents(at)?.first() {
            Some(parent) => at = *parent,
            None => break false,
        }
    };
    let shape = if found {
        TipRelation::Onward
    } else if graph.is_ancestor(old, new)? {
        TipRelation::Foxtrot
    } else {
        TipRelation::Rewrite
    };
    Ok(Chain { shape, commits: if found { commits } else { Vec::new() } })
}

/// Cuts what is new into landings, oldest first. `fresh` is everything that
/// the update brings; each commit belongs to the first landing that reaches it.
///
/// # Errors
/// If a commit cannot be read.
pub(crate) fn cut(
    graph: &Graph<'_>,
    chain: &[Oid],
    fresh: &HashSet<Oid>,
) -> Result<Vec<Landing>, GitError> {
    let mut taken: HashSet<Oid> = chain.iter().copied().collect();
    let mut landings = Vec::with_capacity(chain.len());
    for commit in chain.iter().rev().filter(|commit| fresh.contains(commit)) {
        let mut side = Vec::new();
        let mut queue: Vec<Oid> = graph.parents(*commit)?.into_iter().skip(1).collect();
        while let Some(id) = queue.pop() {
            if fresh.contains(&id) && taken.insert(id) {
                side.push(id);
                queue.extend(graph.parents(id)?);
            }
        }
        side.sort_unstable();
        landings.push(Landing { commit: *commit, side, ..Landing::default() });
    }
    Ok(landings)
}

/// Commits of other stages that this one does not have yet: where promotions
/// and picks come from.
pub(crate) struct UnpromotedCommits {
    /// Tree to commit, of the previous stage.
    pub(crate) trees: HashMap<Oid, Oid>,
    /// Author with title, and author with date, to commits of all other stages.
    pub(crate) signs: HashMap<(String, String), Vec<Oid>>,
}

/// Looks through what other stages have and this one lacks; at most this many
/// commits of each stage, the nearest to its tip by no particular order. Past
/// it a squashed promotion counts as what it then looks like: a hotfix of an
/// unclassified kind.
const MOST_WAITING: usize = 20_000;

impl UnpromotedCommits {
    /// By what a commit is looked for: its author, with the title, and with the
    /// date, which a pick keeps under another title.
    pub(crate) fn signs(author: &str, title: &str, authored: i64) -> [(String, String); 2] {
        // No title begins with a line's end.
        [title.to_string(), format!("\n{authored}")].map(|sign| (author.to_string(), sign))
    }

    pub(crate) fn gather(
        graph: &Graph<'_>,
        photo: &HistoryBuilder<'_>,
        old: Oid,
        previous: Option<usize>,
        tips: &[(usize, Oid)],
    ) -> Result<Self, GitError> {
        let mut waiting = Self { trees: HashMap::new(), signs: HashMap::new() };
        for (stage, tip) in tips {
            let fresh = graph.fresh(*tip, &[old], &HashSet::new())?;
            for id in fresh.into_iter().take(MOST_WAITING) {
                let commit = photo.reader.commit(id)?;
                if Some(*stage) == previous {
                    waiting.trees.insert(commit.tree, id);
                }
                if commit.parents.len() == 1 {
                    let title = commit.message.subject();
                    for sign in Self::signs(&commit.author.email, title, commit.authored) {
                        waiting.signs.entry(sign).or_default().push(id);
                    }
                }
            }
        }
        Ok(waiting)
    }
}
