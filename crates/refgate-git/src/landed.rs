//! Decides whether a branch has the content of a fix: by a chain of names to a common origin, by
//! an equal patch, or by a trial pick that changes nothing
//! (docs/design/model.md, "Where a fix has landed").

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use refgate_core::{NamedCommits, Oid};

use crate::merge_content::plain_merge;
use crate::reader::Reader;
use crate::reverts::{MAX_UNIQUE_COMMITS, Reverts};
use crate::{GitError, Graph, ParsedCommit};

/// The maximum number of commits in a chain of names, and of commits that a merge brought.
const MAX_CHAIN: usize = 100;

/// The maximum number of trial picks for one question. Each takes a Git process.
const MAX_TRIALS: u32 = 64;

/// The commits of one branch that another branch does not have, and what they undo.
pub(crate) struct BranchSide<'f> {
    /// The tip of the branch.
    pub(crate) tip: Oid,
    /// The commits that only this branch has.
    pub(crate) own: &'f HashMap<Oid, ParsedCommit>,
}

/// Answers whether a branch has a fix. It remembers what it has read.
pub(crate) struct FixSearch<'r> {
    reader: &'r Reader,
    graph: &'r Graph<'r>,
    origins: RefCell<HashMap<Oid, Rc<BTreeSet<Oid>>>>,
    paths: RefCell<HashMap<Oid, Rc<BTreeSet<String>>>>,
    trials: Cell<u32>,
}

impl<'r> FixSearch<'r> {
    pub(crate) fn new(reader: &'r Reader, graph: &'r Graph<'r>) -> Self {
        Self {
            reader,
            graph,
            origins: RefCell::default(),
            paths: RefCell::default(),
            trials: Cell::new(MAX_TRIALS),
        }
    }

    /// The fixes that a branch has, of fixes that it does not reach.
    ///
    /// # Errors
    /// Returns an error if an object cannot be read, or the time is over.
    pub(crate) fn held(
        &self,
        fixes: &HashMap<Oid, ParsedCommit>,
        branch: &BranchSide<'_>,
    ) -> Result<HashSet<Oid>, GitError> {
        let mut found = HashSet::new();
        let mut by_origin: HashMap<Oid, Vec<Oid>> = HashMap::new();
        let mut by_paths: HashMap<Rc<BTreeSet<String>>, Vec<Oid>> = HashMap::new();
        for id in branch.own.keys() {
            let origins = self.origins_of(*id)?;
            for origin in origins.iter() {
                by_origin.entry(*origin).or_default().push(*id);
                // A copy of a merge is a copy of all that the merge brought.
                for part in self.brought_by(*origin)? {
                    by_origin.entry(part).or_default().push(*id);
                }
            }
            by_paths.entry(self.paths_of(*id)?).or_default().push(*id);
        }
        let mut ids: Vec<Oid> = fixes.keys().copied().collect();
        ids.sort_unstable();
        for id in &ids {
            let by_name = self.is_named(*id, branch, &by_origin)?;
            if by_name || self.has_twin(*id, &by_paths)? {
                found.insert(*id);
            }
        }
        for id in ids {
            if !found.contains(&id) && self.changes_nothing(id, branch.tip)? {
                found.insert(id);
            }
        }
        Ok(found)
    }

    /// Whether the branch reaches an original of the fix, or has another copy of it. A name is
    /// only a claim: a copy must change a path of the other commit.
    fn is_named(
        &self,
        fix: Oid,
        branch: &BranchSide<'_>,
        by_origin: &HashMap<Oid, Vec<Oid>>,
    ) -> Result<bool, GitError> {
        for origin in self.origins_of(fix)?.iter() {
            self.reader.check_deadline()?;
            let copies = by_origin.get(origin).into_iter().flatten();
            for copy in copies {
                if self.share_a_path(*copy, fix)? {
                    return Ok(true);
                }
            }
            if *origin == fix || self.reader.commit(*origin).is_err() {
                continue;
            }
            let reached = self.graph.is_ancestor(*origin, branch.tip)?;
            // What was taken back there is not there, in whole or in part.
            let reached = reached && !self.is_undone(*origin, branch.tip)?;
            if reached && self.share_a_path(*origin, fix)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_twin(
        &self,
        fix: Oid,
        by_paths: &HashMap<Rc<BTreeSet<String>>, Vec<Oid>>,
    ) -> Result<bool, GitError> {
        let Some(twins) = by_paths.get(&self.paths_of(fix)?) else { return Ok(false) };
        let Some(mine) = self.reader.patch_id(fix)? else { return Ok(false) };
        for twin in twins {
            self.reader.check_deadline()?;
            if self.reader.patch_id(*twin)? == Some(mine) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a pick of the fix onto the branch would change nothing.
    fn changes_nothing(&self, fix: Oid, tip: Oid) -> Result<bool, GitError> {
        self.reader.check_deadline()?;
        let commit = self.reader.commit(fix)?;
        let Some(base) = commit.parents.first() else { return Ok(false) };
        let Some(left) = self.trials.get().checked_sub(1) else { return Ok(false) };
        self.trials.set(left);
        // A trial that fails, for example because a file is too large, shows nothing.
        let Ok(merge) = plain_merge(self.reader, Some(*base), [tip, fix]) else {
            return Ok(false);
        };
        Ok(merge.conflicts.is_empty() && merge.tree == self.reader.commit(tip)?.tree)
    }

    /// The commit, the commits that its message names as its originals, and their originals. An
    /// id that is not here can be a common origin, too.
    fn origins_of(&self, id: Oid) -> Result<Rc<BTreeSet<Oid>>, GitError> {
        if let Some(known) = self.origins.borrow().get(&id) {
            return Ok(Rc::clone(known));
        }
        let mut found = BTreeSet::new();
        let mut next = vec![id];
        while let Some(one) = next.pop() {
            self.reader.check_deadline()?;
            if found.len() >= MAX_CHAIN || !found.insert(one) {
                continue;
            }
            let Ok(commit) = self.reader.commit(one) else { continue };
            for name in NamedCommits::read(&commit.message).picked {
                next.extend(self.reader.named(&name).or_else(|| Oid::from_hex(&name)));
            }
        }
        let found = Rc::new(found);
        self.origins.borrow_mut().insert(id, Rc::clone(&found));
        Ok(found)
    }

    /// Whether a branch has reverted a commit that it reaches, or a part of a merge.
    fn is_undone(&self, id: Oid, tip: Oid) -> Result<bool, GitError> {
        let later = self.graph.fresh(tip, &[id], &HashSet::new())?;
        if later.len() > MAX_UNIQUE_COMMITS {
            return Err(GitError::TooMany(MAX_UNIQUE_COMMITS));
        }
        let reverts = Reverts::read(self.reader, later.into_iter())?;
        let mut parts = self.brought_by(id)?;
        parts.push(id);
        Ok(parts.iter().any(|part| reverts.undoes(*part)))
    }

    /// The commits that a merge brought to its first parent; none for another commit. A merge
    /// that brought very many says nothing about each of them.
    fn brought_by(&self, id: Oid) -> Result<Vec<Oid>, GitError> {
        let Ok(commit) = self.reader.commit(id) else { return Ok(Vec::new()) };
        let [into, _, ..] = commit.parents.as_slice() else { return Ok(Vec::new()) };
        let brought = self.graph.fresh(id, &[*into], &HashSet::new())?;
        let parts = brought.into_iter().filter(|part| *part != id);
        let parts: Vec<Oid> = parts.take(MAX_CHAIN + 1).collect();
        Ok(if parts.len() > MAX_CHAIN { Vec::new() } else { parts })
    }

    fn share_a_path(&self, one: Oid, other: Oid) -> Result<bool, GitError> {
        let (mine, theirs) = (self.paths_of(one)?, self.paths_of(other)?);
        Ok(mine.intersection(&theirs).next().is_some())
    }

    fn paths_of(&self, id: Oid) -> Result<Rc<BTreeSet<String>>, GitError> {
        if let Some(known) = self.paths.borrow().get(&id) {
            return Ok(Rc::clone(known));
        }
        let paths = Rc::new(self.reader.changed_paths(id)?);
        self.paths.borrow_mut().insert(id, Rc::clone(&paths));
        Ok(paths)
    }
}
