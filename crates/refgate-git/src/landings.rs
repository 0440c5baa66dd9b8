//! Splits the new commits of a ref update into landings, and finds unpromoted commits.

use std::collections::{HashMap, HashSet};

use refgate_core::{Landing, Oid, TipRelation};

use crate::history_builder::HistoryBuilder;
use crate::{GitError, Graph};

/// The first-parent chain of a ref update, newest first, and its shape.
pub(crate) struct Chain {
    pub(crate) tip_relation: TipRelation,
    pub(crate) commits: Vec<Oid>,
}

/// Follows first parents from `new` down to `old`.
///
/// # Errors
/// Returns an error if a commit cannot be read, or the chain is longer than the limit.
pub(crate) fn chain(
    graph: &Graph<'_>,
    builder: &mut HistoryBuilder<'_>,
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
        // Commits below the generation of the old tip cannot have it as an ancestor.
        let generation = graph.generation(at)?;
        if generation.zip(floor).is_some_and(|(now, floor)| now <= floor) {
            break false;
        }
        commits.push(at);
        builder.within_limit(commits.len())?;
        match graph.parents(at)?.first() {
            Some(parent) => at = *parent,
            None => break false,
        }
    };
    let tip_relation = if found {
        TipRelation::Onward
    } else if graph.is_ancestor(old, new)? {
        TipRelation::Foxtrot
    } else {
        TipRelation::Rewrite
    };
    Ok(Chain { tip_relation, commits: if found { commits } else { Vec::new() } })
}

/// Splits the new commits into landings, oldest first. `fresh` has all commits that
/// the update brings. Each commit belongs to the first landing that reaches it.
///
/// # Errors
/// Returns an error if a commit cannot be read.
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

/// The commits of other stages that this stage does not have. They are the possible
/// originals of squashed promotions and of cherry-picks.
pub(crate) struct UnpromotedCommits {
    /// From a tree to its commit, for commits of the previous stage.
    pub(crate) trees: HashMap<Oid, Oid>,
    /// From author and title, and from author and date, to commits of all other stages.
    pub(crate) match_keys: HashMap<(String, String), Vec<Oid>>,
}

/// The maximum number of commits of each other stage that are read, in no particular order.
/// A squashed promotion of commits that are not read is not found. It then counts as an
/// unclassified hotfix.
const MAX_UNPROMOTED: usize = 20_000;

impl UnpromotedCommits {
    /// The keys under which a commit is found: author and title, and author and date. A
    /// cherry-pick keeps the author date when its title changes.
    pub(crate) fn match_keys(author: &str, title: &str, authored: i64) -> [(String, String); 2] {
        // A title cannot begin with a line break, so the two kinds of key differ.
        [title.to_string(), format!("\n{authored}")].map(|sign| (author.to_string(), sign))
    }

    /// Reads the unpromoted commits.
    ///
    /// # Errors
    /// Returns an error if a commit cannot be read.
    pub(crate) fn gather(
        graph: &Graph<'_>,
        builder: &HistoryBuilder<'_>,
        old: Oid,
        previous: Option<usize>,
        tips: &[(usize, Oid)],
    ) -> Result<Self, GitError> {
        let mut unpromoted = Self { trees: HashMap::new(), match_keys: HashMap::new() };
        for (stage, tip) in tips {
            let fresh = graph.fresh(*tip, &[old], &HashSet::new())?;
            for id in fresh.into_iter().take(MAX_UNPROMOTED) {
                let commit = builder.reader.commit(id)?;
                if Some(*stage) == previous {
                    unpromoted.trees.insert(commit.tree, id);
                }
                if commit.parents.len() == 1 {
                    let title = commit.message.subject();
                    for sign in Self::match_keys(&commit.author.email, title, commit.authored) {
                        unpromoted.match_keys.entry(sign).or_default().push(id);
                    }
                }
            }
        }
        Ok(unpromoted)
    }
}
