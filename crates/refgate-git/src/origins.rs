//! Finds the originals of landings that are no promotions: cherry-picks and squashed promotions.

use std::collections::{BTreeSet, HashSet};

use refgate_core::{Commit, Landing, NamedCommits, Oid, Pick, Receipt};

use crate::GitError;
use crate::history_builder::HistoryBuilder;
use crate::landings::UnpromotedCommits;
use crate::merge_content::mixed;
use crate::receipt::{marked, receipt};

/// The maximum number of claimed or possible originals of one cherry-pick that are examined.
const MAX_ORIGINALS: usize = 20;

impl HistoryBuilder<'_> {
    /// Finds the origin of each landing that is no promotion. A squashed promotion has the
    /// tree of an unpromoted commit of the previous stage. A cherry-pick names its
    /// original, or has the patch id of its original.
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
        let unpromoted = UnpromotedCommits::gather(self.graph, self, old, previous, &tips)?;
        for landing in landings {
            let Some(commit) = self.history.commit(landing.commit) else { continue };
            landing.squash_of = unpromoted
                .trees
                .get(&commit.tree)
                .copied()
                .filter(|of| *of != landing.commit && !landing.side.contains(of));
            // The side commits of a merge can be cherry-picks, too.
            for id in landing.side.iter().chain([&landing.commit]) {
                let Some(commit) = self.history.commit(*id).filter(|_| here(*id)) else { continue };
                if commit.parents.len() == 1
                    && let Some(of) = self.original(commit, &unpromoted, &tips)?
                {
                    let original = self.graph.commit(of)?.commit(of);
                    let brought = self.brought(&original)?;
                    landing.picks.push(Pick { commit: *id, original, brought, receipt: None });
                }
            }
        }
        Ok(())
    }

    /// The commits that a merge brought: those that its first parent does not reach.
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

    /// Compares each cherry-pick with its original, and finds merge content and conflict
    /// markers that belong to no cherry-pick.
    pub(crate) fn receipts(&self, landings: &mut [Landing]) -> Result<(), GitError> {
        let here = |id: &Oid| self.history.commit(*id).filter(|commit| commit.reach == 0);
        for landing in landings {
            for pick in &mut landing.picks {
                let commit = self.graph.commit(pick.commit)?;
                let (recipes, mine) = (&self.policy.recipes, (pick.commit, &commit));
                pick.receipt = Some(receipt(self.reader, recipes, mine, pick.original.id)?);
            }
            let Some(tip) = here(&landing.commit) else { continue };
            // Commits that another stage holds were judged on that stage.
            let brings = landing.side.iter().any(|id| here(id).is_some());
            // The receipt of a cherry-pick has already looked for conflict markers.
            let single = tip.parents.len() < 2 && landing.pick(tip.id).is_none();
            if single || brings || landing.has_own_content() {
                landing.marked = self.marks(tip)?;
            }
            // A landing of exact cherry-picks only is not a squashed promotion, also if its
            // tree is that of an unpromoted commit.
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

    /// The merges among the side commits that no other stage has and that have content of their
    /// own.
    pub(crate) fn mixed_merges(&self, landing: &Landing) -> Result<Vec<Oid>, GitError> {
        let side = landing.side.iter().filter_map(|id| self.history.commit(*id));
        let mut found = Vec::new();
        for merge in side.filter(|commit| commit.reach == 0 && commit.parents.len() > 1) {
            self.reader.check_deadline()?;
            if self.is_mixed(merge)? {
                found.push(merge.id);
            }
        }
        Ok(found)
    }

    /// Whether a merge has content that Git's own merge of its parents does not have.
    fn is_mixed(&self, merge: &Commit) -> Result<bool, GitError> {
        // `git merge-tree` merges two commits only. A merge with more parents therefore counts
        // as a merge with its own content.
        let [ours, theirs] = merge.parents.as_slice() else { return Ok(true) };
        let trees = [merge.tree, self.tree_of(*ours)?, self.tree_of(*theirs)?];
        let found = mixed(self.reader, self.graph, merge.id, trees, [*ours, *theirs])?;
        Ok(found.resolved || !found.evil.is_empty())
    }

    /// The files in which a commit adds conflict markers, against its first parent.
    fn marks(&self, tip: &Commit) -> Result<Vec<String>, GitError> {
        let Some(parent) = tip.parents.first() else { return Ok(Vec::new()) };
        let before = self.tree_of(*parent)?;
        let changes = self.reader.changes(tip.id, Some(before), Some(tip.tree))?;
        marked(self.reader, tip.tree, before, &changes)
    }

    /// The commit of another stage of which a commit is a cherry-pick.
    fn original(
        &self,
        commit: &Commit,
        unpromoted: &UnpromotedCommits,
        tips: &[(usize, Oid)],
    ) -> Result<Option<Oid>, GitError> {
        let only: Vec<Oid> = tips.iter().map(|(_, tip)| *tip).collect();
        let held = |id: Oid| -> Result<bool, GitError> {
            let colours = self.graph.reach(&[id], &only)?;
            Ok(colours.get(&id).is_some_and(|colour| *colour != 0))
        };
        for name in NamedCommits::read(&commit.message).picked.iter().rev().take(MAX_ORIGINALS) {
            // A name of no commit in this repository proves nothing.
            let Some(named) = self.reader.named(name) else { continue };
            if held(named)? {
                return Ok(Some(named));
            }
        }
        if unpromoted.match_keys.is_empty() {
            return Ok(None);
        }
        let authored = self.graph.commit(commit.id)?.authored;
        let title = commit.message.subject();
        let twins = UnpromotedCommits::match_keys(&commit.author.email, title, authored);
        let twins = twins.iter().filter_map(|sign| unpromoted.match_keys.get(sign));
        let twins: BTreeSet<Oid> = twins.flatten().copied().collect();
        if twins.is_empty() {
            return Ok(None);
        }
        let mine = self.reader.patch_id(commit.id)?;
        for twin in twins.iter().take(MAX_ORIGINALS) {
            self.reader.check_deadline()?;
            if mine.is_some() && self.reader.patch_id(*twin)? == mine {
                return Ok(Some(*twin));
            }
        }
        Ok(None)
    }
}
