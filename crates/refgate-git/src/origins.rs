//! Where does a landing come from that was not promoted: a pick, or a squashed promotion?

use refgate_core::{Commit, Landing, Named, Oid, Pick};

use crate::GitError;
use crate::gather::{Photo, spread};
use crate::landings::Waiting;
use crate::reader::{Reader, git};
use crate::receipt::receipt;

/// So many claimed or possible originals of one pick are looked at.
const MOST_CLAIMS: usize = 20;

impl Photo<'_> {
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
        let waiting = Waiting::gather(self.graph, self, old, previous, &tips)?;
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
                    landing.picks.push(Pick { commit: *id, original, receipt: None });
                }
            }
        }
        Ok(())
    }

    /// What picks are, compared with their originals.
    pub(crate) fn receipts(&self, landings: &mut [Landing]) -> Result<(), GitError> {
        for pick in landings.iter_mut().flat_map(|landing| &mut landing.picks) {
            let commit = self.graph.commit(pick.commit)?;
            let (recipes, mine) = (&self.policy.recipes, (pick.commit, &commit));
            pick.receipt = Some(receipt(self.reader, recipes, mine, pick.original.id)?);
        }
        Ok(())
    }

    fn original(
        &self,
        commit: &Commit,
        waiting: &Waiting,
        tips: &[(usize, Oid)],
    ) -> Result<Option<Oid>, GitError> {
        let only: Vec<Oid> = tips.iter().map(|(_, tip)| *tip).collect();
        let held = |id: Oid| -> Result<bool, GitError> {
            let colours = self.graph.reach(&[id], &only)?;
            Ok(spread(colours.get(&id).copied().unwrap_or(0), tips) != 0)
        };
        for name in Named::read(&commit.message).picked.iter().rev().take(MOST_CLAIMS) {
            // A name that leads nowhere is a claim without proof.
            let Some(named) = self.reader.named(name) else { continue };
            if held(named)? {
                return Ok(Some(named));
            }
        }
        if waiting.signs.is_empty() {
            return Ok(None);
        }
        let sign = (commit.author.email.clone(), commit.message.subject().to_string());
        let Some(twins) = waiting.signs.get(&sign) else { return Ok(None) };
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
