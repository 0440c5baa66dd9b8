//! Tries sets of picks on trees that contain only the files in question.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use refgate_core::Oid;
use refgate_git::Writer;

use crate::git_command;
use crate::merge_tree::{Merged, PickQuery, picks};
use crate::output::Failure;
use crate::plan::Change;

/// Trial merges of a few files, each computed once. They cost much less than merges of
/// whole trees, for which Git compares everything that differs between the branches.
pub(crate) struct Trial {
    writer: Writer,
    paths: Vec<String>,
    /// The reduced tree of each commit or tree: only the files in `paths`.
    small: HashMap<Oid, Oid>,
    /// The merged tree of base, target and picked tree; `None` for a conflict.
    merged: HashMap<[Oid; 3], Option<Oid>>,
}

impl Trial {
    /// Prepares trials for a change that conflicts in `paths`. All files of the change
    /// are included, because a branch can have a file under another name.
    pub(crate) fn new(folder: &Path, change: Change, paths: &[String]) -> Result<Self, Failure> {
        let (base, commit) = (change.base.to_string(), change.commit.to_string());
        let mut all = git_command::differing_paths(folder, &[&base, &commit])?;
        all.extend(paths.iter().cloned());
        all.sort();
        all.dedup();
        let writer = Writer::open(folder, false)?;
        Ok(Self { writer, paths: all, small: HashMap::new(), merged: HashMap::new() })
    }

    /// The sets of changes after which the change applies to these files. After the other
    /// sets, it would not apply to the whole tree either.
    pub(crate) fn applicable_sets(
        &mut self,
        folder: &Path,
        change: Change,
        onto: Oid,
        sets: Vec<Vec<Change>>,
    ) -> Result<Vec<Vec<Change>>, Failure> {
        let begins = self.small(onto)?;
        let mut open: Vec<(Vec<Change>, Oid)> = sets.into_iter().map(|set| (set, begins)).collect();
        for round in 0..=open.first().map_or(0, |(set, _)| set.len()) {
            let mut keys = Vec::new();
            for (set, at) in &open {
                let next = set.get(round).copied().unwrap_or(change);
                keys.push([self.small(next.base)?, *at, self.small(next.commit)?]);
            }
            self.ask(folder, onto, &keys)?;
            let after = |key: &[Oid; 3]| self.merged.get(key).copied().flatten();
            let next = open.into_iter().zip(&keys);
            open = next.filter_map(|((set, _), key)| Some((set, after(key)?))).collect();
        }
        Ok(open.into_iter().map(|(set, _)| set).collect())
    }

    fn ask(&mut self, folder: &Path, attributes: Oid, keys: &[[Oid; 3]]) -> Result<(), Failure> {
        let unknown: HashSet<[Oid; 3]> =
            keys.iter().filter(|key| !self.merged.contains_key(*key)).copied().collect();
        let unknown: Vec<[Oid; 3]> = unknown.into_iter().collect();
        let one = |[base, ours, theirs]: &[Oid; 3]| PickQuery {
            base: Some(*base),
            ours: *ours,
            theirs: *theirs,
        };
        let asked: Vec<PickQuery> = unknown.iter().map(one).collect();
        for (key, merged) in unknown.iter().zip(picks(folder, &asked, Some(attributes))?) {
            let clean = if let Merged::Clean(tree) = merged { Some(tree) } else { None };
            self.merged.insert(*key, clean);
        }
        Ok(())
    }

    fn small(&mut self, of: Oid) -> Result<Oid, Failure> {
        if let Some(known) = self.small.get(&of) {
            return Ok(*known);
        }
        let small = self.writer.tree_of_files(of, &self.paths)?;
        self.small.insert(of, small);
        Ok(small)
    }
}
