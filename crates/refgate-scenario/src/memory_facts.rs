//! Computes in memory the facts about a push, in the simplest way.

use std::collections::{BTreeMap, BTreeSet};

use refgate_core::{
    Actor, Case, Change, ChangeMode, Commit, Decision, EntryKind, History, Landing, LedgerEdit,
    LedgerFormError, LedgerView, Message, NamedCommits, Oid, Person, Pick, Push, RefChange,
    RefKind, RefName, RefUpdate, Release, TipRelation, UpdateFacts, decide,
};
use refgate_format::{resembles, special_meaning};
use refgate_git::encoding_defect;

use crate::memory_world::{Files, MemoryWorld, delta};
use crate::record_builder::REPOSITORY;
use crate::step::PushItem;

/// A push with its facts.
#[derive(Debug, Clone)]
pub struct PushFacts {
    pub(crate) push: Push,
    pub(crate) history: History,
    pub(crate) ledger: LedgerView,
}

impl MemoryWorld {
    /// The facts about a push as the server would read them. `None` if a ref name
    /// is not valid or a revision does not exist.
    #[must_use]
    pub fn take(&self, who: &str, specs: &[PushItem], options: &[String]) -> Option<PushFacts> {
        let actor = (who != "somebody").then(|| Actor(who.to_string()));
        let mut updates = Vec::new();
        for spec in specs {
            let name = RefName::parse(&spec.to).ok()?;
            let old = self.server.get(&spec.to).copied();
            let new = match &spec.from {
                Some(from) => Some(self.revision(from)?),
                None => None,
            };
            let change = match (old, new) {
                (Some(old), Some(new)) if old == new => continue,
                (Some(old), Some(new)) => RefChange::Move { old, new },
                (None, Some(new)) => RefChange::Create { new },
                (Some(old), None) => RefChange::Delete { old },
                (None, None) => return None,
            };
            updates.push(RefUpdate { name, change });
        }
        let push = Push { actor, at: self.clock, updates, options: options.to_vec() };
        let ledger = LedgerView::assemble(&self.policy, &self.records);
        let history = self.build_history(&push, &ledger);
        Some(PushFacts { push, history, ledger })
    }

    /// The decision of the engine.
    #[must_use]
    pub fn decide(&self, taken: &PushFacts) -> Decision {
        decide(&self.case(taken))
    }

    pub(crate) fn case<'a>(&'a self, taken: &'a PushFacts) -> Case<'a> {
        let PushFacts { push, history, ledger } = taken;
        Case { policy: &self.policy, push, history, ledger }
    }

    /// Moves the refs of an accepted push.
    pub fn land(&mut self, taken: &PushFacts) {
        for update in &taken.push.updates {
            let name = update.name.as_str().to_string();
            match update.change.new_value() {
                Some(new) => {
                    self.moves.push((name.clone(), self.clock, new));
                    if self.server.insert(name.clone(), new).is_none() {
                        self.received.insert(name, self.clock);
                    }
                }
                None => drop(self.server.remove(&name)),
            }
        }
    }

    fn build_history(&self, push: &Push, ledger: &LedgerView) -> History {
        let mut history = History::default();
        history.repositories.push(REPOSITORY.to_string());
        for (place, stage) in self.policy.flow.stages.iter().enumerate() {
            if let Some(tip) = self.server.get(stage.branch.as_str()) {
                history.tips.insert(place, *tip);
            }
        }
        history.releases = self.releases();
        for update in &push.updates {
            let mut facts = self.facts(update, &mut history);
            self.gate(update, ledger, &mut facts);
            history.updates.push(facts);
        }
        history
    }

    pub(crate) fn releases(&self) -> Vec<Release> {
        let mut all = Vec::new();
        for (name, value) in &self.server {
            let Some(tag) = name.strip_prefix("refs/tags/") else { continue };
            let Some(version) = self.policy.release.version(tag) else { continue };
            let commit = self.tags.get(value).map_or(*value, |tag| tag.commit);
            let at = self.received.get(name).copied().unwrap_or(self.clock);
            all.push(Release { tag: tag.to_string(), version, commit, at });
        }
        all.sort_by_key(|release| release.version);
        all
    }

    fn facts(&self, update: &RefUpdate, history: &mut History) -> UpdateFacts {
        let mut facts = UpdateFacts::default();
        let Some(new) = update.change.new_value() else {
            facts.created = self.received.get(update.name.as_str()).copied();
            return facts;
        };
        match self.policy.kind(&update.name) {
            RefKind::Governed(target) => {
                if !self.nodes.contains_key(&new) {
                    facts.not_a_commit = true;
                    return facts;
                }
                self.governed(update, target.place(), new, history, &mut facts);
            }
            RefKind::Release(_) => facts.tag = Some(self.tag_facts(update, new)),
            RefKind::Topic if matches!(update.change, RefChange::Create { .. }) => {
                let stages: Vec<RefName> =
                    self.policy.flow.stages.iter().map(|stage| stage.branch.clone()).collect();
                let is_release = |text: &str| self.policy.release.version(text).is_some();
                facts.resembles = resembles(&update.name, &stages)
                    .map(|name| format!("`{}`", name.short()))
                    .or_else(|| special_meaning(&update.name, is_release).map(ToString::to_string));
            }
            RefKind::Ledger => {
                // No commit of this world is a signed record.
                let broken = Some(LedgerFormError::NotOneFile { commit: new });
                facts.ledger_edit = Some(LedgerEdit { broken, ..LedgerEdit::default() });
            }
            _ => {}
        }
        facts
    }

    fn governed(
        &self,
        update: &RefUpdate,
        place: Option<usize>,
        new: Oid,
        history: &mut History,
        facts: &mut UpdateFacts,
    ) {
        let old = update.change.old_value();
        let hidden: BTreeSet<Oid> = match old {
            Some(old) => self.ancestors(old),
            None if history.tips.is_empty() => return,
            None => history.tips.values().flat_map(|tip| self.ancestors(*tip)).collect(),
        };
        if old.is_none() {
            facts.former_tip_of = self.former_tip_of(new, history);
        }
        let chain = self.chain(new, |id| hidden.contains(&id));
        if let Some(old) = old {
            let base = chain.last().map_or(new, |id| *id);
            let below = self.node(base).and_then(|node| node.parents.first().copied());
            let onward = if chain.is_empty() { new == old } else { below == Some(old) };
            let tip_relation = if onward {
                TipRelation::Onward
            } else if self.ancestors(new).contains(&old) {
                TipRelation::Foxtrot
            } else {
                TipRelation::Rewrite
            };
            facts.tip_relation = Some(tip_relation);
            if tip_relation != TipRelation::Onward {
                return;
            }
        }
        let mut taken: BTreeSet<Oid> = chain.iter().copied().collect();
        for id in chain.into_iter().rev() {
            let side: Vec<Oid> = self
                .ancestors(id)
                .into_iter()
                .filter(|other| !hidden.contains(other) && taken.insert(*other))
                .collect();
            for one in side.iter().chain([&id]) {
                self.add_commit(*one, place, history);
            }
            let landing = self.landing(id, side, old, place, history);
            facts.landings.push(landing);
        }
    }

    /// The first-parent chain of `new`, newest first, up to and without the first
    /// commit for which `stop` is true.
    pub(crate) fn chain(&self, new: Oid, stop: impl Fn(Oid) -> bool) -> Vec<Oid> {
        let mut chain = Vec::new();
        let mut at = Some(new);
        while let Some(id) = at.filter(|id| !stop(*id)) {
            chain.push(id);
            at = self.node(id).and_then(|node| node.parents.first().copied());
        }
        chain
    }

    /// A commit of the core, without the bits that state which stages reach it.
    pub(crate) fn commit(&self, id: Oid) -> Option<Commit> {
        let node = self.node(id)?;
        let author = Person { name: node.author.clone(), email: format!("{}@x", node.author) };
        Some(Commit {
            id,
            tree: tree_id(&node.files),
            parents: node.parents.clone(),
            message: Message::new(&node.message),
            author,
            reach: 0,
            landed: 0,
            defect: node.encoding.as_deref().and_then(encoding_defect),
        })
    }

    fn add_commit(&self, id: Oid, place: Option<usize>, history: &mut History) {
        let Some(commit) = self.commit(id) else { return };
        let (mut reach, mut landed) = (0, 0);
        for (stage, tip) in &history.tips {
            if Some(*stage) != place && self.ancestors(*tip).contains(&id) {
                reach |= 1 << stage;
                landed |= u32::from(self.chain(*tip, |_| false).contains(&id)) << stage;
            }
        }
        history.commits.insert(id, Commit { reach, landed, ..commit });
    }

    fn landing(
        &self,
        id: Oid,
        side: Vec<Oid>,
        old: Option<Oid>,
        place: Option<usize>,
        history: &History,
    ) -> Landing {
        let parents = self.node(id).map(|node| node.parents.clone()).unwrap_or_default();
        let files = self.files(id);
        let changes = self.delta(id).into_iter().map(|(path, (before, after))| {
            let mode = match (before, after) {
                (None, _) => ChangeMode::Added,
                (_, None) => ChangeMode::Deleted,
                _ => ChangeMode::Modified,
            };
            // The size of every content of a scenario.
            let growth = match mode {
                ChangeMode::Added => 28,
                ChangeMode::Modified => 0,
                ChangeMode::Deleted => -28,
            };
            Change { path, mode, kind: EntryKind::File, growth: Some(growth) }
        });
        let second = parents.get(1).map(|id| self.files(*id));
        let (evil, resolved) = match parents.as_slice() {
            [ours, theirs] => {
                let (evil, resolved) = self.mixed(&files, *ours, *theirs);
                (Some(evil), resolved)
            }
            _ => (None, false),
        };
        let previous = place.and_then(|place| place.checked_sub(1));
        let here = old.map(|old| self.ancestors(old)).unwrap_or_default();
        let own: BTreeSet<Oid> = self.ancestors(id);
        let waiting = previous.and_then(|stage| history.tips.get(&stage)).map(|tip| {
            let all = self.ancestors(*tip).into_iter();
            all.filter(|other| !here.contains(other) && !own.contains(other)).collect::<Vec<_>>()
        });
        let squash_of = waiting
            .into_iter()
            .flatten()
            .filter(|other| self.files(*other) == files && old.is_some())
            .max();
        let here = |id: &Oid| history.commit(*id).is_some_and(|commit| commit.reach == 0);
        let new: Vec<Oid> = side.iter().copied().chain([id]).filter(here).collect();
        let picked = |one: &Oid| self.picked(*one, place, history);
        let picks: Vec<Pick> = new.iter().filter_map(picked).collect();
        let exact = self.are_exact_backports(&new, &picks);
        let mixed = side.iter().filter(|id| here(id) && self.is_mixed(**id)).copied().collect();
        Landing {
            commit: id,
            unchanged: parents.first().is_some_and(|parent| self.files(*parent) == files),
            changes: Some(changes.collect()),
            evil,
            resolved,
            same_as_side: second.as_ref() == Some(&files),
            squash_of: squash_of.filter(|_| !exact),
            picks,
            mixed,
            marked: Vec::new(),
            side,
        }
    }

    /// The commits that a message names as originals of the cherry-pick.
    pub(crate) fn named(&self, message: &str) -> Vec<Oid> {
        let names = NamedCommits::read(&Message::new(message)).picked.into_iter();
        let only = |name: &String| {
            let mut all = self.nodes.keys().filter(|id| id.to_string().starts_with(name));
            all.next().copied().filter(|_| all.next().is_none())
        };
        names.filter_map(|name| only(&name)).collect()
    }

    /// Paths without a conflict that differ from a plain merge of the parents, and
    /// whether the plain merge has conflicts.
    pub(crate) fn mixed(&self, files: &Files, ours: Oid, theirs: Oid) -> (Vec<String>, bool) {
        let (plain, conflicts) = (self.merged(ours, theirs), self.conflicts(ours, theirs));
        let differing = delta(&plain, files).into_keys();
        (differing.filter(|path| !conflicts.contains(path)).collect(), !conflicts.is_empty())
    }
}

/// An id for a tree. Equal trees have equal ids; it is not the id of Git.
pub(crate) fn tree_id(files: &Files) -> Oid {
    let mut numbers: BTreeMap<usize, u64> = BTreeMap::new();
    for (place, (path, content)) in files.iter().enumerate() {
        let name = path.bytes().fold(7_u64, |sum, b| sum.wrapping_mul(131).wrapping_add(b.into()));
        numbers.insert(
            place % 2,
            numbers.get(&(place % 2)).unwrap_or(&0).wrapping_mul(31).wrapping_add(name ^ content),
        );
    }
    let mut bytes = [0; 20];
    let all = numbers.values().flat_map(|n| n.to_be_bytes());
    for (to, from) in bytes.iter_mut().zip(all) {
        *to = from;
    }
    Oid::new(bytes)
}
