//! Computes in memory the debts of the stages and the soak time of a tree.

use std::collections::{BTreeMap, BTreeSet};

use refgate_core::{
    Change, ChangeMode, Debt, EntryKind, Instant, LedgerView, Message, Oid, RefUpdate, UpdateFacts,
    last_major,
};

use crate::memory_facts::tree_id;
use crate::memory_world::{Files, MemoryWorld, delta};
use crate::record_builder::RecordContext;

impl MemoryWorld {
    /// Adds the facts that the release gate needs: soak time, debts, signed trees.
    pub(crate) fn gate(&self, update: &RefUpdate, ledger: &LedgerView, facts: &mut UpdateFacts) {
        let place = self.policy.flow.target(&update.name).and_then(|target| target.place());
        let (Some(place), Some(last)) = (place, facts.landings.last()) else { return };
        let Some(before) = self.policy.flow.previous(place) else { return };
        let files = self.files(last.commit);
        let mut since = None;
        let moves = self.moves.iter().rev().filter(|(name, ..)| *name == before.branch.as_str());
        for (_, at, id) in moves.take_while(|(.., id)| self.files(*id) == files) {
            let _ = id;
            since = Some(*at);
        }
        facts.soaking_since = since;
        facts.debts = self.debts(place, last.commit);
        let failed = ledger.candidates.iter().filter(|one| one.failed.is_some());
        let trees = ledger.sign_offs.iter().map(|one| one.tree);
        for tree in trees.chain(failed.map(|one| one.tree)) {
            let signed = self.nodes.values().find(|node| tree_id(&node.files) == tree);
            if let Some(node) = signed.filter(|node| node.files != files) {
                facts.changes_since_sign_off.insert(tree, changes(&node.files, &files));
            }
        }
    }

    /// The debts of all stages after stage `place` moves to `new`.
    pub(crate) fn debts(&self, place: usize, new: Oid) -> Vec<Debt> {
        let mut tips: BTreeMap<usize, Oid> = BTreeMap::new();
        for (at, stage) in self.policy.flow.stages.iter().enumerate() {
            tips.extend(self.server.get(stage.branch.as_str()).map(|tip| (at, *tip)));
        }
        tips.insert(place, new);
        let mut all = Vec::new();
        for (from, later) in &tips {
            for (to, earlier) in tips.range(..from) {
                let (ahead, behind) = (self.apart(*later, *earlier), self.apart(*earlier, *later));
                for fix in ahead.iter().filter(|fix| !self.is_paid(**fix, (*earlier, &behind))) {
                    let since =
                        Some(self.landing_time(*from, *fix).unwrap_or(self.clock).min(self.clock));
                    let message = self.node(*fix).map(|node| Message::new(&node.message));
                    let subject = message.map(|m| m.subject().to_string()).unwrap_or_default();
                    all.push(Debt { fix: *fix, subject, from: *from, to: *to, since });
                }
            }
        }
        all.sort();
        all
    }

    /// Commits with one parent and a change that `tip` reaches and `other` does not.
    fn apart(&self, tip: Oid, other: Oid) -> Vec<Oid> {
        let known = self.ancestors(other);
        let fresh = self.ancestors(tip).into_iter().filter(|id| !known.contains(id));
        let single = |id: &Oid| self.node(*id).is_some_and(|node| node.parents.len() == 1);
        fresh.filter(single).filter(|id| !self.delta(*id).is_empty()).collect()
    }

    /// Whether a branch has a fix that it does not reach: it reaches an original that the fix
    /// names, it has another copy, or a pick of the fix onto its tip would change nothing.
    fn is_paid(&self, fix: Oid, (tip, behind): (Oid, &[Oid])) -> bool {
        let changed = self.delta(fix);
        let shares = |other: Oid| self.delta(other).keys().any(|path| changed.contains_key(path));
        let origins = self.origins(fix);
        let known = self.ancestors(tip);
        let original = |id: &Oid| *id != fix && known.contains(id) && shares(*id);
        let copied = |other: &Oid| {
            self.delta(*other) == changed
                || shares(*other) && self.origins(*other).iter().any(|id| origins.contains(id))
        };
        let files = self.files(tip);
        let nothing = changed.iter().all(|(path, (_, after))| files.get(path) == after.as_ref());
        origins.iter().any(original) || behind.iter().any(copied) || nothing
    }

    /// The commit and all commits that it names as its originals, and their originals.
    fn origins(&self, id: Oid) -> BTreeSet<Oid> {
        let (mut found, mut next) = (BTreeSet::new(), vec![id]);
        while let Some(one) = next.pop() {
            if found.insert(one) {
                next.extend(
                    self.node(one).map(|node| self.named(&node.message)).into_iter().flatten(),
                );
            }
        }
        found
    }

    fn landing_time(&self, stage: usize, id: Oid) -> Option<Instant> {
        let branch = self.policy.flow.stages.get(stage)?.branch.as_str().to_string();
        let own = self.moves.iter().filter(|(name, ..)| *name == branch);
        own.filter(|(.., tip)| self.ancestors(*tip).contains(&id)).map(|(_, at, _)| *at).next()
    }
}

fn changes(before: &Files, after: &Files) -> Vec<Change> {
    let all = delta(before, after).into_iter().map(|(path, sides)| {
        let mode = match sides {
            (None, _) => ChangeMode::Added,
            (_, None) => ChangeMode::Deleted,
            _ => ChangeMode::Modified,
        };
        Change { path, mode, kind: EntryKind::File, growth: None }
    });
    all.collect()
}

impl RecordContext for MemoryWorld {
    fn commit(&self, name: &str) -> Option<(Oid, Oid)> {
        let id = self.revision(name)?;
        Some((id, tree_id(&self.files(id))))
    }

    fn rules(&self) -> &refgate_core::Policy {
        &self.policy
    }

    fn value(&self, name: &str) -> Option<Oid> {
        self.server.get(name).copied()
    }

    fn major(&self) -> Option<String> {
        last_major(&self.releases(), self.clock).map(|release| release.tag.clone())
    }

    fn records(&self) -> &[refgate_core::Record] {
        &self.records
    }
}
