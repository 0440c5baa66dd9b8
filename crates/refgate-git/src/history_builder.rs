//! Reads the facts about a push that the rules need. Each fact is read once.

use std::collections::HashSet;

use git2::ObjectType;
use refgate_core::{
    History, Landing, LedgerView, Needs, Oid, Policy, Push, RefChange, RefKind, RefUpdate,
    TipRelation, UpdateFacts, needs,
};

use crate::landings::{chain, cut};
use crate::merge_content::mixed;
use crate::reader::{Reader, git};
use crate::{GitError, Graph, ServerSurvey, diff};

/// Reads the facts about a push (docs/design/model.md, "Flow"). Each update is judged only against
/// the state at rest and its own objects (docs/design/threats.md, R1).
///
/// # Errors
/// Returns an error if a fact that the decision needs cannot be read.
pub fn gather(
    reader: &Reader,
    policy: &Policy,
    push: &Push,
    survey: ServerSurvey,
    ledger: &LedgerView,
    baseline: Option<Oid>,
) -> Result<History, GitError> {
    let graph = Graph::new(reader);
    let ServerSurvey { releases, tips } = survey;
    let history = History { releases, tips, ..History::default() };
    let mut builder =
        HistoryBuilder { reader, graph: &graph, policy, history, baseline, commits: 0, bytes: 0 };
    for update in &push.updates {
        let wants = needs(policy, &builder.history.releases, ledger, push.at, update);
        let mut facts = builder.facts(update, &policy.kind(&update.name), wants)?;
        if wants.gate {
            builder.gate(update, push.at, &mut facts)?;
        }
        builder.history.updates.push(facts);
    }
    Ok(builder.history)
}

/// Builds the [`History`] of a push.
pub(crate) struct HistoryBuilder<'r> {
    pub(crate) reader: &'r Reader,
    pub(crate) graph: &'r Graph<'r>,
    pub(crate) policy: &'r Policy,
    pub(crate) history: History,
    pub(crate) baseline: Option<Oid>,
    commits: usize,
    bytes: usize,
}

/// The maximum number of bytes of commit messages in one push. All of them are in memory
/// while the push is judged (docs/design/threats.md, C4).
const MAX_MESSAGE_BYTES: usize = 128 << 20;

impl HistoryBuilder<'_> {
    /// Returns an error if `more` commits exceed the limit, or the time limit has passed.
    pub(crate) fn within_limit(&self, more: usize) -> Result<(), GitError> {
        let limit = self.reader.bounds().max_commits;
        if self.commits + more > limit {
            return Err(GitError::TooMany(limit));
        }
        self.reader.check_deadline()
    }

    fn facts(
        &mut self,
        update: &RefUpdate,
        kind: &RefKind<'_>,
        wants: Needs,
    ) -> Result<UpdateFacts, GitError> {
        let mut facts = UpdateFacts::default();
        let Some(new) = update.change.new_value() else {
            let moves = self.reader.moves(&update.name);
            let created = moves.iter().rev().find(|moved| moved.old.is_none());
            facts.created = created.map(|moved| moved.at);
            return Ok(facts);
        };
        // Every new value must be readable, also on a topic branch (docs/design/threats.md, R6).
        let object = self.reader.kind(new)?;
        match kind {
            RefKind::Governed(_) | RefKind::Ledger if object != ObjectType::Commit => {
                facts.not_a_commit = true;
            }
            RefKind::Governed(target) => {
                self.governed(update, target.place(), new, wants, &mut facts)?;
            }
            RefKind::Release(_) => facts.tag = self.tag(update, new)?,
            _ => {}
        }
        facts.not_a_commit |= matches!(kind, RefKind::Release(_))
            && facts.tag.as_ref().is_some_and(|t| t.commit.is_none());
        Ok(facts)
    }

    fn governed(
        &mut self,
        update: &RefUpdate,
        place: Option<usize>,
        new: Oid,
        wants: Needs,
        facts: &mut UpdateFacts,
    ) -> Result<(), GitError> {
        let stages: Vec<Oid> = self.history.tips.values().copied().collect();
        let (commits, hidden) = match update.change {
            RefChange::Move { old, .. } => {
                let chain = chain(self.graph, self, old, new)?;
                facts.tip_relation = Some(chain.tip_relation);
                (chain.commits, vec![old])
            }
            // A new branch is judged by the commits that no stage has.
            _ if stages.is_empty() => return Ok(()),
            _ => {
                facts.former_tip_of = (self.stages_with_former_tip(new)?, self.was_line_tip(new)?);
                (self.first_parents(new, &stages)?, stages)
            }
        };
        if facts.tip_relation.is_some_and(|tip_relation| tip_relation != TipRelation::Onward) {
            return Ok(());
        }
        let fresh = self.fresh(new, &commits, hidden)?;
        let mut landings = cut(self.graph, &commits, &fresh)?;
        self.add_commits(&landings)?;
        if wants.reach {
            self.reach(&fresh, place)?;
        }
        for landing in &mut landings {
            self.add_landing_facts(landing, wants)?;
        }
        // A new branch begins at the first parent of its oldest landing.
        let begins = landings.first().map(|first| self.graph.parents(first.commit)).transpose()?;
        let begins = begins.and_then(|parents| parents.first().copied());
        if wants.origins
            && let Some(old) = update.change.old_value().or(begins)
        {
            self.origins(&mut landings, old, place)?;
        }
        if wants.receipts {
            self.receipts(&mut landings)?;
        }
        facts.landings = landings;
        Ok(())
    }

    /// The first-parent chain of a new branch, down to the first commit that a stage has.
    fn first_parents(&self, new: Oid, stages: &[Oid]) -> Result<Vec<Oid>, GitError> {
        let fresh: HashSet<Oid> =
            self.graph.fresh(new, stages, &HashSet::new())?.into_iter().collect();
        let mut commits = Vec::new();
        let mut at = Some(new).filter(|id| fresh.contains(id));
        while let Some(id) = at {
            commits.push(id);
            self.within_limit(commits.len())?;
            at = self.graph.parents(id)?.first().copied().filter(|id| fresh.contains(id));
        }
        Ok(commits)
    }

    /// All commits that the update brings. The commits of the chain descend from the old tip, so
    /// the old tip cannot reach them. A chain without merges therefore needs no walk.
    fn fresh(
        &self,
        new: Oid,
        commits: &[Oid],
        mut hidden: Vec<Oid>,
    ) -> Result<HashSet<Oid>, GitError> {
        let certain: HashSet<Oid> = commits.iter().copied().collect();
        let mut linear = self.baseline.is_none();
        for id in commits {
            linear &= self.graph.parents(*id)?.len() == 1;
        }
        if linear || commits.is_empty() {
            return Ok(certain);
        }
        // The baseline can reach commits of the chain, so none of them is certain.
        let certain = if self.baseline.is_none() { certain } else { HashSet::new() };
        hidden.extend(self.baseline);
        Ok(self.graph.fresh(new, &hidden, &certain)?.into_iter().collect())
    }

    /// Adds the commits of the landings to the history.
    fn add_commits(&mut self, landings: &[Landing]) -> Result<(), GitError> {
        for landing in landings {
            for id in landing.side.iter().chain([&landing.commit]) {
                self.within_limit(1)?;
                self.commits += 1;
                let parsed = self.graph.commit(*id)?;
                self.bytes += parsed.message.as_str().len();
                if self.bytes > MAX_MESSAGE_BYTES {
                    return Err(GitError::TooMuch {
                        what: "commit messages",
                        limit: MAX_MESSAGE_BYTES,
                    });
                }
                self.history.commits.insert(*id, parsed.commit(*id));
            }
        }
        Ok(())
    }

    /// The tips at rest of all stages except this one.
    pub(crate) fn other_tips(&self, place: Option<usize>) -> Vec<(usize, Oid)> {
        let others = self.history.tips.iter().filter(|(stage, _)| Some(**stage) != place);
        others.map(|(stage, tip)| (*stage, *tip)).collect()
    }

    /// Finds the other stages that reach the new commits. A commit that is only in the quarantine
    /// of the push is in no stage, because no tip at rest can reach it.
    fn reach(&mut self, fresh: &HashSet<Oid>, place: Option<usize>) -> Result<(), GitError> {
        let tips = self.other_tips(place);
        let mut known: Vec<Oid> = Vec::new();
        for id in fresh {
            if self.history.commits.contains_key(id) && self.reader.at_rest(*id)? {
                known.push(*id);
            }
        }
        if known.is_empty() || tips.is_empty() {
            return Ok(());
        }
        let only: Vec<Oid> = tips.iter().map(|(_, tip)| *tip).collect();
        let colours = self.graph.reach(&known, &only)?;
        for (id, colour) in colours {
            let bits = bits_by_stage(colour, &tips);
            if let Some(commit) = self.history.commits.get_mut(&id) {
                commit.reach = bits;
            }
        }
        for (stage, tip) in tips {
            let held = known.iter().filter(|id| self.history.reached_by(**id, stage));
            let held: HashSet<Oid> = held.copied().collect();
            for id in self.graph.on_chain(tip, &held)? {
                if let Some(commit) = self.history.commits.get_mut(&id) {
                    commit.landed |= 1 << stage;
                }
            }
        }
        Ok(())
    }

    /// The tree of a commit.
    pub(crate) fn tree_of(&self, id: Oid) -> Result<Oid, GitError> {
        match self.history.commit(id) {
            Some(known) => Ok(known.tree),
            None => Ok(self.reader.commit(id)?.tree),
        }
    }

    /// Reads the facts about one landing: its trees, its changes and its evil merge content.
    fn add_landing_facts(&self, landing: &mut Landing, wants: Needs) -> Result<(), GitError> {
        let Some(commit) = self.history.commit(landing.commit) else { return Ok(()) };
        let mut trees = Vec::new();
        for parent in &commit.parents {
            trees.push(self.tree_of(*parent)?);
        }
        let first = trees.first().copied();
        landing.unchanged = first == Some(commit.tree);
        landing.same_as_side = trees.get(1) == Some(&commit.tree);
        if wants.changes {
            let changes =
                diff::changes_with_growth(self.reader, commit.id, first, Some(commit.tree))?;
            landing.changes = Some(changes);
        }
        if let ([one, two], [ours, theirs], true) = (&*trees, &*commit.parents, wants.evil) {
            let trees = [commit.tree, *one, *two];
            let found = mixed(self.reader, self.graph, commit.id, trees, [*ours, *theirs])?;
            landing.evil = Some(found.evil);
            landing.resolved = found.resolved;
        }
        if wants.changes || wants.receipts {
            landing.mixed = self.mixed_merges(landing)?;
        }
        Ok(())
    }
}

/// Converts bits by position in `tips` into bits by stage.
pub(crate) fn bits_by_stage(colour: u64, tips: &[(usize, Oid)]) -> u32 {
    let set = tips.iter().enumerate().filter(|(place, _)| colour >> place & 1 == 1);
    set.fold(0, |bits, (_, (stage, _))| bits | 1 << stage)
}

impl Reader {
    /// Whether an object was in the repository before this push.
    fn at_rest(&self, id: Oid) -> Result<bool, GitError> {
        match self.rest() {
            None => Ok(true),
            Some(rest) => Ok(rest.exists(git(id))),
        }
    }
}
