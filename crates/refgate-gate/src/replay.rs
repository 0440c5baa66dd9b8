//! Applies a policy to the existing history of a repository, one landing after the other.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use chrono::DateTime;
use refgate_core::{
    Case, Change, Commit, Decision, FreezeState, History, Instant, Landing, LedgerView,
    NamedCommits, Oid, Pick, Policy, Push, Receipt, RefChange, RefName, RefUpdate, Release,
    ReleaseEvent, TipRelation, UpdateFacts, Window, WindowSpan, decide,
};
use refgate_git::{GitError, Graph, ParsedCommit, Reader, releases};

/// Why a history cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The policy does not contain the stage.
    #[error("cannot replay `{0}`: the policy has no such stage")]
    NoStage(String),
    /// The repository does not contain the branch of the stage.
    #[error("cannot replay `{0}`: the repository has no such branch")]
    NoBranch(String),
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// A landing, judged as if it had been pushed alone at its committer date.
#[derive(Debug, Clone)]
pub struct Row {
    /// The branch of the stage.
    pub stage: String,
    /// The commit of the landing.
    pub commit: Oid,
    /// The subject of the commit.
    pub subject: String,
    /// The committer date, because a history has no receipt time.
    pub at: Instant,
    /// The decision about the landing.
    pub decision: Decision,
    /// The state of the freeze of the stage; the strictest state if there are several freezes.
    pub freeze: FreezeState,
}

/// The history of a repository. It is read once and can be judged by several policies.
pub struct Replay<'r> {
    reader: &'r Reader,
    graph: Graph<'r>,
    commits: HashMap<Oid, Rc<ParsedCommit>>,
    changes: HashMap<Oid, Vec<Change>>,
}

impl<'r> Replay<'r> {
    /// A replay of the history that a reader sees.
    #[must_use]
    pub fn new(reader: &'r Reader) -> Self {
        let (commits, changes) = (HashMap::new(), HashMap::new());
        Self { reader, graph: Graph::new(reader), commits, changes }
    }

    /// The tip of a branch, or else of the remote-tracking branch of `origin` with this name.
    fn tip(&self, branch: &RefName) -> Result<Option<Oid>, GitError> {
        if let Some((tip, _)) = self.reader.reference(branch)? {
            return Ok(Some(tip));
        }
        let fetched = format!("refs/remotes/origin/{}", branch.short());
        match RefName::parse(&fetched) {
            Ok(name) => Ok(self.reader.reference(&name)?.map(|(tip, _)| tip)),
            Err(_) => Ok(None),
        }
    }

    fn commit(&mut self, id: Oid) -> Result<Rc<ParsedCommit>, GitError> {
        if let Some(known) = self.commits.get(&id) {
            return Ok(Rc::clone(known));
        }
        let commit = Rc::new(self.reader.commit(id)?);
        self.commits.insert(id, Rc::clone(&commit));
        Ok(commit)
    }

    fn changes(&mut self, id: Oid) -> Result<Vec<Change>, GitError> {
        if let Some(known) = self.changes.get(&id) {
            return Ok(known.clone());
        }
        let commit = self.commit(id)?;
        let changes = self.reader.landing_changes(id, &commit)?;
        self.changes.insert(id, changes.clone());
        Ok(changes)
    }
}

/// Replays the stages of a policy, or one of them, from the first landing at or after `since`. The
/// oldest landing of each stage comes first. `tick` receives the number of finished landings and
/// the number of all landings.
///
/// # Errors
/// Returns an error if a stage is missing, or a commit cannot be read.
pub fn replay(
    replay: &mut Replay<'_>,
    policy: &Policy,
    ledger: &LedgerView,
    only: Option<&str>,
    since: Option<Instant>,
    tick: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Row>, ReplayError> {
    let all = releases(replay.reader, &policy.release)?;
    let mut plans = Vec::new();
    let mut held: Vec<HashSet<Oid>> = Vec::new();
    for (place, stage) in policy.flow.stages.iter().enumerate() {
        let name = stage.branch.short().to_string();
        let tip = replay.tip(&stage.branch)?;
        let wanted = only.is_none_or(|only| only == name);
        match tip {
            Some(tip) => {
                if wanted {
                    plans.push((place, name, first_parents(replay, tip)?));
                }
                let last = place + 1 == policy.flow.stages.len();
                held.push(if last { HashSet::new() } else { replay.graph.ancestors(tip)? });
            }
            None if only == Some(&name) => return Err(ReplayError::NoBranch(name)),
            None => held.push(HashSet::new()),
        }
    }
    if plans.is_empty() {
        let missing = only.map(ToString::to_string);
        return Err(missing.map_or_else(
            || {
                ReplayError::NoBranch(
                    policy
                        .flow
                        .stages
                        .first()
                        .map_or_else(String::new, |s| s.branch.short().to_string()),
                )
            },
            ReplayError::NoStage,
        ));
    }
    let total = plans.iter().map(|(_, _, chain)| chain.len()).sum();
    let mut rows = Vec::new();
    let mut done = 0;
    for (place, name, chain) in plans {
        let mut taken: HashSet<Oid> = chain.iter().copied().collect();
        for id in chain {
            let side = side(replay, id, &mut taken)?;
            let stage = Stage { policy, place, name: &name, held: &held, releases: &all, ledger };
            if let Some(row) = stage.row(replay, id, side, since)? {
                rows.push(row);
            }
            done += 1;
            tick(done, total);
        }
    }
    Ok(rows)
}

fn first_parents(replay: &mut Replay<'_>, tip: Oid) -> Result<Vec<Oid>, GitError> {
    let mut chain = vec![tip];
    let mut at = tip;
    while let Some(parent) = replay.commit(at)?.parents.first() {
        at = *parent;
        chain.push(at);
    }
    chain.reverse();
    Ok(chain)
}

/// The side commits of a landing that no earlier landing brought.
fn side(
    replay: &mut Replay<'_>,
    landing: Oid,
    taken: &mut HashSet<Oid>,
) -> Result<Vec<Oid>, GitError> {
    let mut side = Vec::new();
    let mut queue: Vec<Oid> = replay.commit(landing)?.parents.iter().skip(1).copied().collect();
    while let Some(id) = queue.pop() {
        if taken.insert(id) {
            side.push(id);
            queue.extend(&replay.commit(id)?.parents);
        }
    }
    side.sort_unstable();
    Ok(side)
}

struct Stage<'a> {
    policy: &'a Policy,
    place: usize,
    name: &'a str,
    held: &'a [HashSet<Oid>],
    releases: &'a [Release],
    ledger: &'a LedgerView,
}

impl Stage<'_> {
    fn row(
        &self,
        replay: &mut Replay<'_>,
        id: Oid,
        side: Vec<Oid>,
        since: Option<Instant>,
    ) -> Result<Option<Row>, GitError> {
        let commit = replay.commit(id)?;
        let at = DateTime::from_timestamp(commit.committed, 0).unwrap_or(Instant::UNIX_EPOCH);
        if since.is_some_and(|since| at < since) {
            return Ok(None);
        }
        let Some(stage) = self.policy.flow.stages.get(self.place) else { return Ok(None) };
        let releases = self.releases.iter().filter(|r| r.at <= at).cloned().collect();
        let mut history = History { releases, ..History::default() };
        let later = self.source_stage_bits(&commit);
        for one in side.iter().chain([&id]) {
            let parsed = replay.commit(*one)?;
            let earlier = (0..self.place)
                .filter(|stage| self.held.get(*stage).is_some_and(|held| held.contains(one)));
            let bits = earlier.fold(if *one == id { 0 } else { later }, |bits, s| bits | 1 << s);
            history.commits.insert(*one, facts(*one, &parsed, bits));
        }
        let parents = &commit.parents;
        let mut trees = Vec::new();
        for parent in parents {
            trees.push(replay.commit(*parent)?.tree);
        }
        let picks = self.picks(replay, side.iter().chain([&id]))?;
        let landing = Landing {
            commit: id,
            side,
            unchanged: trees.first() == Some(&commit.tree),
            changes: Some(replay.changes(id)?),
            // A replay does not search for evil merges, because that would recompute all merges.
            // The whole diff of the landing is judged in any case.
            evil: Some(Vec::new()),
            resolved: false,
            same_as_side: trees.get(1) == Some(&commit.tree),
            squash_of: None,
            picks,
            mixed: Vec::new(),
            marked: Vec::new(),
        };
        let tip_relation = Some(TipRelation::Onward);
        history.updates =
            vec![UpdateFacts { tip_relation, landings: vec![landing], ..Default::default() }];
        let change = match parents.first() {
            Some(old) => RefChange::Move { old: *old, new: id },
            None => RefChange::Create { new: id },
        };
        let update = RefUpdate { name: stage.branch.clone(), change };
        let push = Push { actor: None, at, updates: vec![update], options: Vec::new() };
        let policy = self.policy;
        let case = Case { policy, push: &push, history: &history, ledger: self.ledger };
        let decision = decide(&case);
        let freeze = freeze_on(&policy.windows, self.place, &decision);
        let subject = commit.message.subject().to_string();
        Ok(Some(Row { stage: self.name.to_string(), commit: id, subject, at, decision, freeze }))
    }

    /// The cherry-picks that name their original. Each counts as exact, because a replay does not
    /// recompute all cherry-picks.
    fn picks<'c>(
        &self,
        replay: &mut Replay<'_>,
        commits: impl Iterator<Item = &'c Oid>,
    ) -> Result<Vec<Pick>, GitError> {
        let mut picks = Vec::new();
        for commit in commits.filter(|_| self.policy.backport.exact && self.place > 0) {
            let parsed = replay.commit(*commit)?;
            let named = NamedCommits::read(&parsed.message).picked;
            let here = named.iter().rev().find_map(|name| replay.reader.resolve(name).ok());
            if let Some(of) = here.filter(|_| parsed.parents.len() == 1) {
                let source = replay.commit(of)?;
                let original = facts(of, &source, 0);
                let (brought, receipt) = (Vec::new(), Some(Receipt::Exact));
                picks.push(Pick { commit: *commit, original, brought, receipt });
            }
        }
        Ok(picks)
    }

    /// The later stages that a merge subject names as its source. Their contents at that time are
    /// not known, so the subject is believed.
    fn source_stage_bits(&self, commit: &ParsedCommit) -> u32 {
        let Some(branch) = commit.message.merged_branch() else { return 0 };
        let stages = self.policy.flow.stages.iter().enumerate().skip(self.place + 1);
        let from = stages.filter(|(_, stage)| stage.branch.short() == branch);
        from.fold(0, |bits, (place, _)| bits | 1 << place)
    }
}

/// The facts about a commit. `landed` equals `reach`, because a history does not show former tips.
/// A replay ignores the format defects of old commits.
fn facts(id: Oid, parsed: &ParsedCommit, reach: u32) -> Commit {
    Commit { reach, landed: reach, defect: None, ..parsed.clone().commit(id) }
}

/// The strictest state of the windows that cover a stage.
fn freeze_on(windows: &[Window], place: usize, decision: &Decision) -> FreezeState {
    let states = windows.iter().zip(&decision.freezes);
    let covering = states.filter(|(window, _)| window.stages.contains(&place));
    let weight = |state: &FreezeState| match state {
        FreezeState::Open => 0,
        FreezeState::Thawed => 1,
        FreezeState::Observing => 2,
        FreezeState::Frozen => 3,
        FreezeState::Overdue => 4,
    };
    covering.map(|(_, (_, state))| *state).max_by_key(weight).unwrap_or(FreezeState::Open)
}

/// A history without a ledger has no evidence that ends a derived freeze. This function assumes
/// that each derived freeze ended after its minimum.
#[must_use]
pub fn assume_exits(policy: &Policy, releases: &[Release]) -> LedgerView {
    let mut ledger = LedgerView::default();
    for window in &policy.windows {
        let WindowSpan::AfterMajorRelease { minimum, .. } = window.span else { continue };
        let ends = releases.iter().flat_map(|release| {
            // As many people as the policy requires, none of them an author.
            (0..window.persons).filter_map(move |person| {
                Some(ReleaseEvent {
                    release: release.tag.clone(),
                    by: format!("(assumed by the replay: person {})", person + 1),
                    reason: "assumed: the minimum was over".to_string(),
                    run: None,
                    at: release.at.checked_add_signed(minimum)?,
                })
            })
        });
        ledger.iterations.extend(ends);
    }
    // Only a major release opens a freeze, so the assumed ends of other releases must not end it
    // early.
    ledger.iterations.retain(|next| {
        let major = refgate_core::last_major(releases, next.at);
        major.is_some_and(|release| {
            policy.windows.iter().any(|window| match window.span {
                WindowSpan::AfterMajorRelease { minimum, .. } => {
                    release.at.checked_add_signed(minimum).is_some_and(|end| end <= next.at)
                }
                WindowSpan::Fixed(_) => false,
            })
        })
    });
    ledger
}
