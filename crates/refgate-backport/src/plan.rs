//! Forecasts the result of each pick on each branch. It uses only trees, never a worktree.

use std::cell::RefCell;
use std::path::Path;

use refgate_core::Oid;
use refgate_core::matrix::{Fix, FixState, Matrix, OriginLink};
use refgate_gate::Exit;
use refgate_git::EMPTY_TREE;

use crate::conflict_remedies::ConflictRemedies;
use crate::fix_index::FixIndex;
use crate::merge_tree::{Merged, PickQuery};
use crate::output::Failure;
use crate::policy_answer::{Answer, PolicyAnswers};
use crate::recipes::merge_with_recipes;

/// The confidence in percent from which a fix counts as present, and is not picked again.
const SURE: u8 = 90;

/// A change to pick: a commit, and the parent that it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Change {
    pub(crate) commit: Oid,
    pub(crate) base: Oid,
}

impl Change {
    /// The query for the pick of this change onto a tree.
    pub(crate) const fn onto(self, tree: Oid) -> PickQuery {
        PickQuery { base: Some(self.base), ours: tree, theirs: self.commit }
    }
}

/// The forecast of one pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forecast {
    /// The branch already contains the fix, in this commit.
    Present(Oid),
    /// The branch contained the fix, and reverted it.
    Reverted,
    /// The policy does not allow it, for this reason.
    Denied(String),
    /// The pick changes nothing.
    Empty,
    /// The pick applies, in these steps. It picks the original or a copy on another
    /// branch, after its prerequisites.
    Clean(Vec<Step>),
    /// The pick conflicts in these files.
    Conflict { paths: Vec<String>, said: Vec<String> },
    /// An earlier change of the same plan conflicts.
    Waits,
}

/// A commit to pick, and the resulting tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) change: Change,
    pub(crate) tree: Oid,
    pub(crate) why: PickReason,
}

/// Why a commit is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PickReason {
    /// The user asked for it.
    Asked,
    /// It is the copy on this branch of the requested commit, which does not apply.
    Sibling(usize),
    /// The requested commit applies only after it.
    Prerequisite,
}

/// One branch of a plan.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) place: usize,
    pub(crate) forecasts: Vec<(Change, Forecast)>,
    /// What the policy requires before the server accepts the picks.
    pub(crate) needs: Vec<String>,
}

pub(crate) struct Planner<'k> {
    pub(crate) known: &'k FixIndex,
    pub(crate) rules: Option<&'k PolicyAnswers>,
    pub(crate) matrix: &'k Matrix<'k>,
    /// Whether reverted fixes are picked again.
    pub(crate) again: bool,
    /// Cached prerequisites, because the next branch often has the same conflict.
    pub(crate) remedies: RefCell<ConflictRemedies>,
}

impl<'k> Planner<'k> {
    pub(crate) fn new(known: &'k FixIndex, matrix: &'k Matrix<'k>, again: bool) -> Self {
        let rules = known.rules.as_ref();
        Self { known, rules, matrix, again, remedies: RefCell::default() }
    }

    /// The change of a commit against its only parent, or of a merge commit against the
    /// parent with this number.
    pub(crate) fn change(&self, id: Oid, mainline: Option<usize>) -> Result<Change, Failure> {
        let parents = self.known.reader.commit(id)?.parents;
        let wrong = |message: String| Failure::new(Exit::Usage, message);
        let short = id.short();
        let base = match (parents.len(), mainline) {
            (0, _) => Some(&EMPTY_TREE),
            (1, _) => parents.first(),
            (_, None) => {
                let message = format!(
                    "cannot pick merge commit {short}: no parent is chosen\nhint: -m 1 picks the \
                     changes that the merge brought"
                );
                return Err(wrong(message));
            }
            (_, Some(number)) => number.checked_sub(1).and_then(|place| parents.get(place)),
        };
        let base = *base.ok_or_else(|| wrong(format!("{short} has no parent with this number")))?;
        Ok(Change { commit: id, base })
    }

    /// The fix that a change belongs to, with a confidence in percent.
    fn root(&self, change: Change) -> Result<(OriginLink, u8), Failure> {
        let roots = self.known.roots(change.commit);
        let unknown = || format!("cannot find {} on a selected branch", change.commit.short());
        roots.first().copied().ok_or_else(|| Failure::new(Exit::BadInput, unknown()))
    }

    /// Forecasts the changes on each of these branches, one after the other.
    pub(crate) fn targets(
        &self,
        places: &[usize],
        changes: &[Change],
    ) -> Result<Vec<Target>, Failure> {
        let mut trees = Vec::new();
        for place in places {
            trees.push(self.known.reader.commit(self.tip(*place)?)?.tree);
        }
        let blank =
            |place: &usize| Target { place: *place, forecasts: Vec::new(), needs: Vec::new() };
        let mut targets: Vec<Target> = places.iter().map(blank).collect();
        for change in changes {
            let (root, sure) = self.root(*change)?;
            let fix = self.matrix.fix(root);
            let mut settled = Vec::new();
            for target in &mut targets {
                settled.push(match self.settled(*change, (&fix, sure), target) {
                    Some(settled) => Some(settled),
                    None => self.denied(*change, target)?,
                });
            }
            let open = settled.iter().zip(&trees).filter(|(settled, _)| settled.is_none());
            let asked: Vec<PickQuery> = open.map(|(_, tree)| change.onto(*tree)).collect();
            let mut merged =
                merge_with_recipes(self.folder(), self.known.recipes(), &asked)?.into_iter();
            for ((target, tree), settled) in targets.iter_mut().zip(&mut trees).zip(settled) {
                let forecast = match settled {
                    Some(settled) => settled,
                    None => match merged.next() {
                        Some(merged) => {
                            self.forecast(target.place, *change, &fix, *tree, merged)?
                        }
                        None => Forecast::Waits,
                    },
                };
                if let Forecast::Clean(steps) = &forecast {
                    for step in steps.iter().filter(|step| step.why == PickReason::Prerequisite) {
                        self.denied(step.change, target)?;
                    }
                    *tree = steps.last().map_or(*tree, |step| step.tree);
                }
                target.forecasts.push((*change, forecast));
            }
        }
        Ok(targets)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.known.reader.git_dir()
    }

    fn tip(&self, place: usize) -> Result<Oid, Failure> {
        let branch = self.known.branches.all.get(place);
        let missing = || Failure::new(Exit::BadInput, "there is no such branch");
        branch.map(|branch| branch.tip).ok_or_else(missing)
    }

    /// The forecast of a change on a branch, if it is known without a pick.
    fn settled(&self, change: Change, of: (&Fix, u8), target: &Target) -> Option<Forecast> {
        let (fix, sure) = of;
        if self.known.reaches(target.place, change.commit) {
            return Some(Forecast::Present(change.commit));
        }
        // The family is a guess here, but a message that names the commit is evidence.
        let by_name = self.known.names(target.place, change.commit).filter(|_| sure < SURE);
        if let Some(by) = by_name.filter(|by| self.known.share_a_file(*by, change.commit)) {
            return Some(Forecast::Present(by));
        }
        // A guess about the change or about its copy is not enough to leave it out.
        let found = fix.cells.get(target.place).filter(|_| sure >= SURE);
        let by = found.and_then(|found| found.by).and_then(|by| self.known.fact(by));
        match (found.map(|found| found.cell), by.map(|fact| fact.id)) {
            (Some(FixState::Original | FixState::Ancestor), Some(by)) => {
                return Some(Forecast::Present(by));
            }
            (Some(FixState::Copy(evidence)), Some(by)) if evidence.confidence() >= SURE => {
                return Some(Forecast::Present(by));
            }
            (Some(FixState::Reverted), _) if !self.again => return Some(Forecast::Reverted),
            _ => {}
        }
        let conflict = |one: &(Change, Forecast)| matches!(one.1, Forecast::Conflict { .. });
        target.forecasts.iter().any(conflict).then_some(Forecast::Waits)
    }

    /// Whether the policy does not allow a commit on a branch.
    pub(crate) fn is_denied(&self, place: usize, id: Oid) -> bool {
        let (reader, branch) = (&self.known.reader, self.known.branches.name(place));
        let answer = self.rules.map(|rules| rules.answer(reader, id, branch));
        matches!(answer, Some(Ok(Answer::Denied(_)) | Err(_)))
    }

    /// A forecast if the policy does not allow a change on a branch. What the policy
    /// requires is added to `needs`.
    fn denied(&self, change: Change, target: &mut Target) -> Result<Option<Forecast>, Failure> {
        let Some(rules) = self.rules else { return Ok(None) };
        let branch = self.known.branches.name(target.place);
        Ok(match rules.answer(&self.known.reader, change.commit, branch)? {
            Answer::Free => None,
            Answer::Needs(what) => {
                target.needs.push(what);
                None
            }
            Answer::Denied(why) => Some(Forecast::Denied(why)),
        })
    }

    fn forecast(
        &self,
        place: usize,
        change: Change,
        fix: &Fix,
        tree: Oid,
        merged: Merged,
    ) -> Result<Forecast, Failure> {
        let (paths, said) = match merged {
            Merged::Clean(new) if new == tree => return Ok(Forecast::Empty),
            Merged::Clean(tree) => {
                return Ok(Forecast::Clean(vec![Step { change, tree, why: PickReason::Asked }]));
            }
            Merged::Conflict { paths, said, .. } => (paths, said),
        };
        if let Some(step) = self.find_applicable_copy(place, change, fix, tree)? {
            return Ok(Forecast::Clean(vec![step]));
        }
        let steps = self.prerequisites(place, change, tree, &paths)?;
        Ok(steps.map_or(Forecast::Conflict { paths, said }, Forecast::Clean))
    }
}
