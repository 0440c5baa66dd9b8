//! Finds what makes a conflicting change apply: its copy on another branch, or prerequisites.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use refgate_core::Oid;
use refgate_core::matrix::Fix;
use refgate_git::EMPTY_TREE;

use crate::merge_tree::{Merged, PickQuery};
use crate::output::Failure;
use crate::partial_merge::Trial;
use crate::plan::{Change, PickReason, Planner, Step};
use crate::recipes::merge_with_recipes;

/// The maximum number of earlier changes of the conflicting files that are tried as
/// prerequisites, one at a time. A fork or a move of the files can be some commits back.
const MAX_PREREQUISITES: usize = 30;

/// The number of the latest of these changes that are also tried in pairs.
const MAX_PAIRED: usize = 10;

/// Earlier changes, each with the indexes of the branches that are missing it.
type PrerequisiteSearch = Vec<(Change, Vec<usize>)>;

/// The possible prerequisites of a change, by the change and its conflicting files.
pub(crate) type ConflictRemedies = HashMap<(Change, Vec<String>), (PrerequisiteSearch, Trial)>;

impl Planner<'_> {
    /// The first copy on another branch that applies here. The nearest branch comes
    /// first.
    pub(crate) fn find_applicable_copy(
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
            let copy = Change { commit, base: *base };
            if commit != change.commit && !copies.iter().any(|(_, known)| *known == copy) {
                copies.push((other, copy));
            }
        }
        let asked: Vec<PickQuery> = copies.iter().map(|(_, copy)| copy.onto(tree)).collect();
        let merged = merge_with_recipes(self.folder(), self.known.recipes(), &asked)?;
        let clean = |((other, copy), merged): (&(usize, Change), Merged)| match merged {
            Merged::Clean(new) if new != tree => {
                Some(Step { change: *copy, tree: new, why: PickReason::Sibling(*other) })
            }
            _ => None,
        };
        Ok(copies.iter().zip(merged).find_map(clean))
    }

    /// The smallest set of earlier changes of the conflicting files after which the pick
    /// applies. Each set is tried.
    pub(crate) fn prerequisites(
        &self,
        place: usize,
        change: Change,
        tree: Oid,
        paths: &[String],
    ) -> Result<Option<Vec<Step>>, Failure> {
        let key = (change, paths.to_vec());
        let mut known = self.remedies.borrow_mut();
        let (earlier, trial) = match known.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let trial = Trial::new(self.folder(), change, paths)?;
                entry.insert((self.earlier(change, paths)?, trial))
            }
        };
        let lacks = |(_, places): &&(Change, Vec<usize>)| places.contains(&place);
        let allowed = |change: &Change| !self.is_denied(place, change.commit);
        let missing_on = earlier.iter().filter(lacks).map(|(change, _)| *change).filter(allowed);
        let candidates: Vec<Change> = missing_on.take(MAX_PREREQUISITES).collect();
        let singles: Vec<Vec<Change>> = candidates.iter().map(|one| vec![*one]).collect();
        let mut pairs = Vec::new();
        let latest = candidates.get(..MAX_PAIRED).unwrap_or(&candidates);
        for (at, newer) in latest.iter().enumerate() {
            pairs.extend(latest.iter().skip(at + 1).map(|older| vec![*older, *newer]));
        }
        for sets in [singles, pairs] {
            let worth = trial.applicable_sets(self.folder(), change, tree, sets)?;
            if let Some(steps) = self.tried(change, tree, worth)? {
                return Ok(Some(steps));
            }
        }
        Ok(None)
    }

    /// The steps of the first set after which the change applies.
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
            let asked: Vec<PickQuery> =
                open.iter().map(next).map(|(change, at)| change.onto(at)).collect();
            let merged = merge_with_recipes(self.folder(), self.known.recipes(), &asked)?;
            let mut still = Vec::new();
            for ((set, mut steps), merged) in open.into_iter().zip(merged) {
                let (one, at) = next(&(set.clone(), steps.clone()));
                if let Merged::Clean(tree) = merged
                    && tree != at
                {
                    let why =
                        if round < length { PickReason::Prerequisite } else { PickReason::Asked };
                    steps.push(Step { change: one, tree, why });
                    still.push((set, steps));
                }
            }
            open = still;
        }
        Ok(open.into_iter().next().map(|(_, steps)| steps).filter(|_| length > 0))
    }

    /// The latest changes of these files before a change, each with the branches that
    /// are missing it.
    fn earlier(&self, change: Change, paths: &[String]) -> Result<PrerequisiteSearch, Failure> {
        if change.base == EMPTY_TREE {
            return Ok(Vec::new());
        }
        let count = format!("--max-count={}", MAX_PREREQUISITES * 2);
        let (base, commit) = (change.base.to_string(), change.commit.to_string());
        // A file that the change renames conflicts under its new name, so the old name
        // is searched, too.
        let gone = crate::git_command::differing_paths(
            self.folder(),
            &["--diff-filter=D", &base, &commit],
        )?;
        let mut arguments = vec!["log", "--no-merges", "--format=%H", &count, &base, "--"];
        arguments.extend(paths.iter().chain(&gone).map(String::as_str));
        let listed = crate::git_command::output(self.folder(), &arguments)?;
        let ids: Vec<Oid> = listed.lines().filter_map(Oid::from_hex).collect();
        let missing_on = self.known.missing_on(&ids)?;
        let one = |(id, places)| Some((self.change(id, None).ok()?, places));
        Ok(missing_on.into_iter().filter_map(one).collect())
    }
}
