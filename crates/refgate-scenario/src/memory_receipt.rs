//! Computes in memory what Git makes of a cherry-pick.

use std::collections::BTreeSet;

use refgate_core::{History, Oid, Pick, Receipt, RuleId};

use crate::memory_world::{MemoryWorld, delta};

impl MemoryWorld {
    /// Compares a commit with the cherry-pick of `of` onto its parent. A path
    /// conflicts if the branch has neither the old nor the new content of `of`.
    pub(crate) fn receipt(&self, id: Oid, of: Oid) -> Option<Receipt> {
        let parent = self.node(id)?.parents.first().copied()?;
        let mut files = self.files(parent);
        let mut conflicts = Vec::new();
        for (path, (before, after)) in self.delta(of) {
            let here = files.get(&path).copied();
            if here != before && here != after {
                conflicts.push(path);
                continue;
            }
            match after {
                Some(content) => drop(files.insert(path, content)),
                None => drop(files.remove(&path)),
            }
        }
        let differing = delta(&files, &self.files(id)).into_keys();
        let edited: Vec<String> = differing.filter(|path| !conflicts.contains(path)).collect();
        let settled = conflicts;
        Some(match (settled.is_empty(), edited.is_empty()) {
            (true, true) => Receipt::Exact,
            (false, true) => Receipt::Resolved { paths: settled },
            (_, false) => Receipt::Edited { paths: edited },
        })
    }

    /// The original of a cherry-pick, if another stage reaches it.
    pub(crate) fn picked(&self, id: Oid, place: Option<usize>, history: &History) -> Option<Pick> {
        let node = self.node(id).filter(|node| node.parents.len() == 1)?;
        let held = |other: &Oid| {
            let mut stages = history.tips.iter().filter(|(stage, _)| Some(**stage) != place);
            stages.any(|(_, tip)| self.ancestors(*tip).contains(other))
        };
        let by_name = self.named(&node.message).into_iter().rev();
        let same = |other: &&Oid| {
            **other != id
                && self.delta(**other) == self.delta(id)
                && self.node(**other).is_some_and(|twin| twin.message == node.message)
        };
        let twins = self.nodes.keys().filter(same).copied();
        let of = by_name.chain(twins).find(held)?;
        let (original, receipt) = (self.commit(of)?, self.receipt(id, of));
        let mut brought = BTreeSet::new();
        if let [first, others @ ..] = original.parents.as_slice() {
            let known = self.ancestors(*first);
            let all = others.iter().flat_map(|parent| self.ancestors(*parent));
            brought.extend(all.filter(|other| !known.contains(other)));
        }
        let brought = brought.into_iter().filter_map(|id| self.commit(id)).collect();
        Some(Pick { commit: id, original, brought, receipt })
    }

    /// Whether a merge differs from a plain merge of its parents.
    pub(crate) fn is_mixed(&self, id: Oid) -> bool {
        let parents = self.node(id).map(|node| node.parents.clone()).unwrap_or_default();
        match parents.as_slice() {
            [] | [_] => false,
            [ours, theirs] => {
                let (evil, resolved) = self.mixed(&self.files(id), *ours, *theirs);
                resolved || !evil.is_empty()
            }
            _ => true,
        }
    }

    /// Whether all new commits are exact backports and the policy asks for these.
    pub(crate) fn are_exact_backports(&self, new: &[Oid], picks: &[Pick]) -> bool {
        let single = |one: &&Oid| self.node(**one).is_some_and(|node| node.parents.len() < 2);
        let exact = |one: &Oid| {
            let pick = picks.iter().find(|pick| pick.commit == *one);
            pick.is_some_and(|pick| pick.receipt == Some(Receipt::Exact))
        };
        let mut all = new.iter().filter(single).peekable();
        let wanted = self.policy.backport.exact && self.policy.on(RuleId::Backport);
        wanted && all.peek().is_some() && all.all(exact)
    }
}
