//! What would each pick come to on each branch? Computed by Git, on trees alone.

use std::collections::BTreeSet;

use refgate_core::Oid;
use refgate_core::matrix::{Cell, Matrix, Root};
use refgate_gate::Exit;

use crate::known::Known;
use crate::merge::{MergeTree, Merged};
use crate::output::Failure;

/// So many earlier changes of the conflicting files are tried as prerequisites,
const MOST_PREREQUISITES: usize = 10;

/// and so many together.
const MOST_TOGETHER: usize = 2;

/// A change to carry over: a commit, and which of its parents it is a change of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) commit: Oid,
    pub(crate) base: Oid,
    pub(crate) root: Root,
}

/// What one pick comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forecast {
    /// It has landed already, by this commit.
    Present(Oid),
    /// The branch has had it, and reverted it.
    Reverted,
    /// The pick changes nothing.
    Empty,
    /// It applies: the commit that is picked (the original, or the copy on a
    /// sibling), and the trees from step to step.
    Clean(Vec<Step>),
    /// It does not apply, in these files.
    Conflict { paths: Vec<String>, said: Vec<String> },
    /// An earlier change of the same plan does not apply.
    Waits,
}

/// A commit that is picked, and the tree that comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) change: Change,
    pub(crate) tree: Oid,
    pub(crate) why: Why,
}

/// Why a commit is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is the one that was asked for.
    Asked,
    /// It is that one's copy on this branch, and applies where it does not.
    Sibling(usize),
    /// What was asked for applies only after it.
    Prerequisite,
}

/// One branch of a plan.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) place: usize,
    pub(crate) forecasts: Vec<(Change, Forecast)>,
}

pub(crate) struct Planner<'k> {
    pub(crate) known: &'k Known,
    pub(crate) matrix: &'k Matrix<'k>,
    pub(crate) merge: MergeTree,
}

impl Planner<'_> {
    /// The change that a person means: a commit against its only parent, or of
    /// a merge against the parent of this number.
    pub(crate) fn change(&self, id: Oid, mainline: Option<usize>) -> Result<Change, Failure> {
        let parents = self.known.reader.commit(id)?.parents;
        let wrong = |message: String| Failure::new(Exit::Usage, message);
        let short = id.short();
        let base = match (parents.len(), mainline) {
            (0, _) => return Err(wrong(format!("{short} has no parent; it cannot be picked"))),
            (1, _) => parents.first(),
            (_, None) => {
                let message = format!("{short} is a merge; say with -m whose changes are meant");
                return Err(wrong(message));
            }
            (_, Some(number)) => number.checked_sub(1).and_then(|place| parents.get(place)),
        };
        let base = *base.ok_or_else(|| wrong(format!("{short} has no such parent")))?;
        let roots = self.known.fix(&id.to_string())?;
        let root = *roots.first().ok_or_else(|| wrong(format!("{short} is not known")))?;
        Ok(Change { commit: id, base, root })
    }

    /// What changes come to on one branch, one after the other.
    pub(crate) fn target(&mut self, place: usize, changes: &[Change]) -> Result<Target, Failure> {
        let tip = self.tip(place)?;
        let mut tree = self.known.reader.commit(tip)?.tree;
        let mut forecasts = Vec::new();
        let mut blocked = false;
        for change in changes {
            let forecast = self.forecast(place, *change, tree, blocked)?;
            if let Forecast::Clean(steps) = &forecast {
                tree = steps.last().map_or(tree, |step| step.tree);
            }
            blocked |= matches!(forecast, Forecast::Conflict { .. });
            forecasts.push((*change, forecast));
        }
        Ok(Target { place, forecasts })
    }

    fn tip(&self, place: usize) -> Result<Oid, Failure> {
        let branch = self.known.branches.all.get(place);
        let missing = || Failure::new(Exit::BadInput, "there is no such branch");
        branch.map(|branch| branch.tip).ok_or_else(missing)
    }

    fn forecast(
        &mut self,
        place: usize,
        change: Change,
        tree: Oid,
        blocked: bool,
    ) -> Result<Forecast, Failure> {
        let found = self.matrix.fix(change.root).cells.get(place).copied();
        if let Some(found) = found {
            let by = found.by.and_then(|by| self.known.fact(by)).map(|fact| fact.id);
            match (found.cell, by) {
                (Cell::Original | Cell::Ancestor | Cell::Copy(_), Some(by)) => {
                    return Ok(Forecast::Present(by));
                }
                (Cell::Reverted, _) => return Ok(Forecast::Reverted),
                _ => {}
            }
        }
        if blocked {
            return Ok(Forecast::Waits);
        }
        match self.merge.pick(change.base, tree, change.commit)? {
            Merged::Clean(new) if new == tree => Ok(Forecast::Empty),
            Merged::Clean(tree) => {
                Ok(Forecast::Clean(vec![Step { change, tree, why: Why::Asked }]))
            }
            Merged::Conflict { paths, said } => {
                if let Some(step) = self.sibling(place, change, tree)? {
                    return Ok(Forecast::Clean(vec![step]));
                }
                let steps = self.prerequisites(place, change, tree, &paths)?;
                Ok(steps.map_or(Forecast::Conflict { paths, said }, Forecast::Clean))
            }
        }
    }

    /// The copy on another branch that applies here, the nearest line first.
    fn sibling(
        &mut self,
        place: usize,
        change: Change,
        tree: Oid,
    ) -> Result<Option<Step>, Failure> {
        let cells = self.matrix.fix(change.root).cells;
        let mut others: Vec<(usize, usize)> = cells
            .iter()
            .enumerate()
            .filter(|(other, found)| *other != place && found.cell.landed())
            .filter_map(|(other, found)| Some((other, found.by?)))
            .collect();
        others.sort_by_key(|(other, _)| other.abs_diff(place));
        let mut tried = BTreeSet::from([change.commit]);
        for (other, by) in others {
            let Some(commit) = self.known.fact(by).map(|fact| fact.id) else { continue };
            if !tried.insert(commit) {
                continue;
            }
            let parents = self.known.reader.commit(commit)?.parents;
            let [base] = parents.as_slice() else { continue };
            let copy = Change { commit, base: *base, root: change.root };
            if let Merged::Clean(new) = self.merge.pick(*base, tree, commit)?
                && new != tree
            {
                return Ok(Some(Step { change: copy, tree: new, why: Why::Sibling(other) }));
            }
        }
        Ok(None)
    }

    /// The fewest earlier changes of the conflicting files after which the pick
    /// applies. Proven by trying them.
    fn prerequisites(
        &mut self,
        place: usize,
        change: Change,
        tree: Oid,
        paths: &[String],
    ) -> Result<Option<Vec<Step>>, Failure> {
        let candidates = self.candidates(place, change, paths)?;
        let singles: Vec<Vec<Change>> = candidates.iter().map(|one| vec![*one]).collect();
        let mut sets = singles;
        if MOST_TOGETHER > 1 {
            for (at, newer) in candidates.iter().enumerate() {
                let older = candidates.iter().skip(at + 1);
                sets.extend(older.map(|older| vec![*older, *newer]));
            }
        }
        for set in sets {
            let mut steps = Vec::new();
            let mut at = tree;
            for one in set.iter().chain([&change]) {
                let Merged::Clean(new) = self.merge.pick(one.base, at, one.commit)? else { break };
                if new == at {
                    break;
                }
                let asked = one.commit == change.commit;
                let why = if asked { Why::Asked } else { Why::Prerequisite };
                steps.push(Step { change: *one, tree: new, why });
                at = new;
            }
            if steps.len() == set.len() + 1 {
                return Ok(Some(steps));
            }
        }
        Ok(None)
    }

    /// Earlier changes of these files that the branch lacks, the latest first.
    fn candidates(
        &self,
        place: usize,
        change: Change,
        paths: &[String],
    ) -> Result<Vec<Change>, Failure> {
        let tip = self.tip(place)?;
        let range = format!("{tip}..{}", change.base);
        let count = format!("--max-count={}", MOST_PREREQUISITES * 3);
        let mut arguments = vec!["log", "--no-merges", "--format=%H", &count, &range, "--"];
        arguments.extend(paths.iter().map(String::as_str));
        let listed = crate::git::output(self.known.reader.git_dir(), &arguments)?;
        let mut all = Vec::new();
        for id in listed.lines().filter_map(Oid::from_hex) {
            let Ok(one) = self.change(id, None) else { continue };
            let cell = self.matrix.fix(one.root).cells.get(place).map(|found| found.cell);
            if cell == Some(Cell::Missing) && all.len() < MOST_PREREQUISITES {
                all.push(one);
            }
        }
        Ok(all)
    }
}
