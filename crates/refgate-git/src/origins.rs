//! Where does a landing come from that was not promoted: a pick, or a squashed promotion?

use std::collections::{BTreeSet, HashSet};

use refgate_core::{Commit, Landing, NamedCommits, Oid, Pick, Receipt};

use crate::GitError;
use crate::history_builder::HistoryBuilder;
use crate::landings::UnpromotedCommits;
use crate::merge_content::mixed;
use crate::reader::{Reader, git};
use crate::receipt::{marked, receipt};

/// So many claimed or possible originals of one pick are looked at.
const MOST_CLAIMS: usize = 20;

impl HistoryBuilder<'_> {
    /// Where a landing that was not promoted comes from: a squashed promotion
    /// has the tree of a commit that waits in the previous stage, a pick names
    /// its original or equals it.
    pub(crate) fn origins(
        &mut self,
        landings: &mut [Landing],
        old: Oid,
        place: Option<usize>,
    ) -> Result<(), GitError> {
        let here = |id: Oid| self.history.commit(id).is_some_and(|commit| commit.reach == 0);
        let elsewhere = |landing: &Landing| !here(landing.commit);
        if landings.iter().all(elsewhere) {
            return Ok(());
        }
        let tips = self.other_tips(place);
        let previous = place.and_then(|place| place.checked_sub(1));
        let waiting = UnpromotedCommits::gather(self.graph, self, old, previous, &tips)?;
        for landing in landings {
            let Some(commit) = self.history.commit(landing.commit) else { continue };
            landing.squash_of = waiting
                .trees
                .get(&commit.tree)
                .copied()
                .filter(|of| *of != landing.commit && !landing.side.contains(of));
            // What a merge brings can be picked, too.
            for id in landing.side.iter().chain([&landing.commit]) {
                let Some(commit) = self.history.commit(*id).filter(|_| here(*id)) else { continue };
                if commit.parents.len() == 1
                    && let Some(of) = self.original(commit, &waiting, &tips)?
                {
                    let original = self.graph.commit(of)?.commit(of);
                    let brought = self.brought(&original)?;
                    landing.picks.push(Pick { commit: *id, original, brought, receipt: None });
                }
            }
        }
        Ok(())
    }

    /// What a merge brought: what its first parent had not.
    fn brought(&self, merge: &Commit) -> Result<Vec<Commit>, GitError> {
        let Some((first, others)) = merge.parents.split_first() else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for parent in others {
            for id in self.graph.fresh(*parent, &[*first], &HashSet::new())? {
                self.within_limit(all.len())?;
                all.push(self.graph.commit(id)?.commit(id));
            }
        }
        Ok(all)
    }

    /// What picks are, compared with their originals, and what in a landing
    /// is nobody's pick.
    pub(crate) fn receipts(&self, landings: &mut [Landing]) -> Result<(), GitError> {
        let here = |id: &Oid| self.history.commit(*id).filter(|commit| commit.reach == 0);
        for landing in landings {
            for pick in &mut landing.picks {
                let commit = self.graph.commit(pick.commit)?;
                let (recipes, mine) = (&self.policy.recipes, (pick.commit, &commit));
                pick.receipt = Some(receipt(self.reader, recipes, mine, pick.original.id)?);
            }
            for merge in landing.side.iter().filter_map(here) {
                if merge.parents.len() > 1 && self.is_mixed(merge)? {
                    landing.mixed.push(merge.id);
                }
            }
            let Some(tip) = here(&landing.commit) else { continue };
            // What other stages hold was judged there.
            let brings = landing.side.iter().any(|id| here(id).is_some());
            // A pick's receipt has looked for marks.
            let single = tip.parents.len() < 2 && landing.pick(tip.id).is_none();
            if single || brings || landing.holds_its_own() {
                landing.marked = self.marks(tip)?;
            }
            // Exact picks are no squashed promotion, though they can come to
            // the same content.
            let new = landing.side.iter().chain([&landing.commit]).filter_map(here);
            let exact =
                |id: Oid| landing.pick(id).is_some_and(|pick| pick.receipt == Some(Receipt::Exact));
            let mut plain = new.filter(|commit| commit.parents.len() < 2).peekable();
            if plain.peek().is_some() && plain.all(|commit| exact(commit.id)) {
                landing.squash_of = None;
            }
        }
        Ok(())
    }

    /// Whether a merge holds what a plain merge of its parents does not give.
    fn is_mixed(&self, merge: &Commit) -> Result<bool, GitError> {
        // Git merges more than two only where nothing conflicts; who knows
        // what somebody made of it.
        let [ours, theirs] = merge.parents.as_slice() else { return Ok(true) };
        let trees = [merge.tree, self.tree_of(*ours)?, self.tree_of(*theirs)?];
        let found = mixed(self.reader, self.graph, merge.id, trees, [*ours, *theirs])?;
        Ok(found.resolved || !found.evil.is_empty())
    }

    fn marks(&self, tip: &Commit) -> Result<Vec<String>, GitError> {
        let Some(parent) = tip.parents.first() else { return Ok(Vec::new()) };
        let before = self.tree_of(*parent)?;
        let changes = self.reader.changes(tip.id, Some(before), Some(tip.tree))?;
        marked(self.reader, tip.tree, before, &changes)
    }

    fn original(
        &self,
        commit: &Commit,
        waiting: &UnpromotedCommits,
        tips: &[(usize, Oid)],
    ) -> Result<Option<Oid>, GitError> {
        let only: Vec<Oid> = tips.iter().map(|(_, tip)| *tip).collect();
        let held = |id: Oid| -> Result<bool, GitError> {
            let colours = self.graph.reach(&[id], &only)?;
            Ok(colours.get(&id).is_some_and(|colour| *colour != 0))
        };
        for name in NamedCommits::read(&commit.message).picked.iter().rev().take(MOST_CLAIMS) {
            // A name that leads nowhere is a claim without proof.
            let Some(named) = self.reader.named(name) else { continue };
            if held(named)? {
                return Ok(Some(named));
            }
        }
        if waiting.signs.is_empty() {
            return Ok(None);
        }
        let authored = self.graph.commit(commit.id)?.authored;
        let title = commit.message.subject();
        let twins = UnpromotedCommits::signs(&commit.author.email, title, authored);
        let twins = twins.iter().filter_map(|sign| waiting.signs.get(sign));
        let twins: BTreeSet<Oid> = twins.flatten().copied().collect();
        if twins.is_empty() {
            return Ok(None);
        }
        let mine = self.reader.patch_id(commit.id)?;
        for twin in twins.iter().take(MOST_CLAIMS) {
            self.reader.in_time()?;
            if mine.is_some() && self.reader.patch_id(*twin)? == mine {
                return Ok(Some(*twin));
            }
        }
        Ok(None)
    }
}

impl Reader {
    /// The patch id of a commit with one parent, as `git patch-id --stable` counts.
    pub(crate) fn patch_id(&self, id: Oid) -> Result<Option<git2::Oid>, GitError> {
        let repo = self.repository();
        let commit = repo.find_commit(git(id))?;
        let Ok(parent) = commit.parent(0) else { return Ok(None) };
        let (before, after) = (parent.tree()?, commit.tree()?);
        let diff = repo.diff_tree_to_tree(Some(&before), Some(&after), None)?;
        Ok(Some(diff.patchid(None)?))
    }
}
