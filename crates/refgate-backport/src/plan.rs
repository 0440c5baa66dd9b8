//! What would each pick come to on each branch? Computed by Git, on trees alone.

use std::path::Path;

use refgate_core::Oid;
use refgate_core::matrix::{Cell, Fix, Matrix, Root};
use refgate_gate::Exit;

use crate::known::Known;
use crate::merge::{Ask, Merged};
use crate::output::Failure;
use crate::recipes::cooked;
use crate::rules::{Answer, Rules};

/// From this confidence on, of a hundred, a fix is not picked again.
const SURE: u8 = 90;

/// So many earlier changes of the conflicting files are tried as prerequisites,
/// alone and in twos.
const MOST_PREREQUISITES: usize = 10;

/// A change to carry over: a commit, and which of its parents it is a change of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) commit: Oid,
    pub(crate) base: Oid,
    pub(crate) root: Root,
}

impl Change {
    /// The question what picking it onto a tree comes to.
    const fn onto(self, tree: Oid) -> Ask {
        Ask { base: Some(self.base), ours: tree, theirs: self.commit }
    }
}

/// What one pick comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forecast {
    /// It has landed already, by this commit.
    Present(Oid),
    /// The branch has had it, and reverted it.
    Reverted,
    /// The policy keeps it out.
    Denied(String),
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
    /// What the policy asks for before the server takes them.
    pub(crate) needs: Vec<String>,
}

pub(crate) struct Planner<'k> {
    pub(crate) known: &'k Known,
    pub(crate) rules: Option<&'k Rules>,
    pub(crate) matrix: &'k Matrix<'k>,
    /// Pick again what a branch has reverted.
    pub(crate) again: bool,
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

    /// What changes come to on some branches, one after the other.
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
            let fix = self.matrix.fix(change.root);
            let mut settled = Vec::new();
            for target in &mut targets {
                settled.push(match self.settled(&fix, target) {
                    Some(settled) => Some(settled),
                    None => self.denied(*change, target)?,
                });
            }
            let open = settled.iter().zip(&trees).filter(|(settled, _)| settled.is_none());
            let asked: Vec<Ask> = open.map(|(_, tree)| change.onto(*tree)).collect();
            let mut merged = cooked(self.folder(), self.known.recipes(), &asked)?.into_iter();
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
                    *tree = steps.last().map_or(*tree, |step| step.tree);
                }
                target.forecasts.push((*change, forecast));
            }
        }
        Ok(targets)
    }

    fn folder(&self) -> &Path {
        self.known.reader.git_dir()
    }

    fn tip(&self, place: usize) -> Result<Oid, Failure> {
        let branch = self.known.branches.all.get(place);
        let missing = || Failure::new(Exit::BadInput, "there is no such branch");
        branch.map(|branch| branch.tip).ok_or_else(missing)
    }

    /// What is known of a change on a branch without picking it.
    fn settled(&self, fix: &Fix, target: &Target) -> Option<Forecast> {
        let found = fix.cells.get(target.place)?;
        let by = found.by.and_then(|by| self.known.fact(by)).map(|fact| fact.id);
        match (found.cell, by) {
            (Cell::Original | Cell::Ancestor, Some(by)) => return Some(Forecast::Present(by)),
            // A guess is not enough to leave a fix out.
            (Cell::Copy(evidence), Some(by)) if evidence.confidence() >= SURE => {
                return Some(Forecast::Present(by));
            }
            (Cell::Reverted, _) if !self.again => return Some(Forecast::Reverted),
            _ => {}
        }
        let conflict = |one: &(Change, Forecast)| matches!(one.1, Forecast::Conflict { .. });
        target.forecasts.iter().any(conflict).then_some(Forecast::Waits)
    }

    /// What the policy says against a change on a branch; what it asks for is
    /// noted.
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
                return Ok(Forecast::Clean(vec![Step { change, tree, why: Why::Asked }]));
            }
            Merged::Conflict { paths, said, .. } => (paths, said),
        };
        if let Some(step) = self.sibling(place, change, fix, tree)? {
            return Ok(Forecast::Clean(vec![step]));
        }
        let steps = self.prerequisites(place, change, tree, &paths)?;
        Ok(steps.map_or(Forecast::Conflict { paths, said }, Forecast::Clean))
    }

    /// The copy on another branch that applies here, the nearest line first.
    fn sibling(
        &self,
        place: usize,
        change: Change,
        fix: &Fix,
        tree: Oid,
    ) -> Result<Option<Step>, Failure> {
        let landed = fix.cells.iter().enumerate();
        let landed = landed.filter(|(other, found)| *other != place && found.cell.landed());
        let mut others: Vec<(usize, usize)> =
            landed.filter_map(|(other, found)| Some((other, found.by?))).collect();
        others.sort_by_key(|(other, _)| other.abs_diff(place));
        let mut copies: Vec<(usize, Change)> = Vec::new();
        for (other, by) in others {
            let Some(commit) = self.known.fact(by).map(|fact| fact.id) else { continue };
            let parents = self.known.reader.commit(commit)?.parents;
            let [base] = parents.as_slice() else { continue };
            let copy = Change { commit, base: *base, root: change.root };
            if commit != change.commit && !copies.iter().any(|(_, known)| *known == copy) {
                copies.push((other, copy));
            }
        }
        let asked: Vec<Ask> = copies.iter().map(|(_, copy)| copy.onto(tree)).collect();
        let merged = cooked(self.folder(), self.known.recipes(), &asked)?;
        let clean = |((other, copy), merged): (&(usize, Change), Merged)| match merged {
            Merged::Clean(new) if new != tree => {
                Some(Step { change: *copy, tree: new, why: Why::Sibling(*other) })
            }
            _ => None,
        };
        Ok(copies.iter().zip(merged).find_map(clean))
    }

    /// The fewest earlier changes of the conflicting files after which the pick
    /// applies. Proven by trying them.
    fn prerequisites(
        &self,
        place: usize,
        change: Change,
        tree: Oid,
        paths: &[String],
    ) -> Result<Option<Vec<Step>>, Failure> {
        let candidates = self.candidates(place, change, paths)?;
        let singles: Vec<Vec<Change>> = candidates.iter().map(|one| vec![*one]).collect();
        let mut pairs = Vec::new();
        for (at, newer) in candidates.iter().enumerate() {
            pairs.extend(candidates.iter().skip(at + 1).map(|older| vec![*older, *newer]));
        }
        for sets in [singles, pairs] {
            if let Some(steps) = self.tried(change, tree, sets)? {
                return Ok(Some(steps));
            }
        }
        Ok(None)
    }

    /// The first of some sets after which a change applies.
    fn tried(
        &self,
        change: Change,
        tree: Oid,
        sets: Vec<Vec<Change>>,
    ) -> Result<Option<Vec<Step>>, Failure> {
        let length = sets.first().map_or(0, Vec::len);
        let mut open: Vec<(Vec<Change>, Vec<Step>)> =
            sets.into_iter().map(|set| (set, Vec::new())).collect();
        for round in 0..=length {
            let next = |(set, steps): &(Vec<Change>, Vec<Step>)| {
                let at = steps.last().map_or(tree, |step| step.tree);
                (set.get(round).copied().unwrap_or(change), at)
            };
            let asked: Vec<Ask> =
                open.iter().map(next).map(|(change, at)| change.onto(at)).collect();
            let merged = cooked(self.folder(), self.known.recipes(), &asked)?;
            let mut still = Vec::new();
            for ((set, mut steps), merged) in open.into_iter().zip(merged) {
                let (one, at) = next(&(set.clone(), steps.clone()));
                if let Merged::Clean(tree) = merged
                    && tree != at
                {
                    let why = if round < length { Why::Prerequisite } else { Why::Asked };
                    steps.push(Step { change: one, tree, why });
                    still.push((set, steps));
                }
            }
            open = still;
        }
        Ok(open.into_iter().next().map(|(_, steps)| steps).filter(|_| length > 0))
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
