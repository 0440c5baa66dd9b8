//! Decides whether a branch has the content of a fix: by a chain of names to a common origin, by
//! an equal patch, or by a trial pick that changes nothing
//! (docs/design/model.md, "Where a fix has landed").

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use refgate_core::{NamedCommits, Oid};

use crate::merge_content::plain_merge;
use crate::reader::Reader;
use crate::reverts::Reverts;
use crate::{GitError, Graph, ParsedCommit};

/// The maximum number of commits in a chain of names, and of commits that a merge brought.
const MAX_CHAIN: usize = 100;

/// The maximum number of trial picks for one question. Each takes a Git process.
const MAX_TRIALS: u32 = 64;

/// The maximum number of commits that are read for one question.
pub(crate) const MAX_UNIQUE_COMMITS: usize = 20_000;

/// Answers whether a branch has a fix that it does not reach. It remembers what it has read.
pub(crate) struct FixSearch<'r> {
    reader: &'r Reader,
    graph: &'r Graph<'r>,
    tip: Oid,
    /// The commits that only the branch has, by what they are copies of and by their paths.
    by_origin: HashMap<Oid, Vec<Oid>>,
    by_paths: HashMap<Rc<BTreeSet<String>>, Vec<Oid>>,
    origins: RefCell<HashMap<Oid, Rc<BTreeSet<Oid>>>>,
    paths: RefCell<HashMap<Oid, Rc<BTreeSet<String>>>>,
    /// The reverts among the commits of the branch that were read.
    reverts: RefCell<Reverts>,
    read: RefCell<HashSet<Oid>>,
    trials: Cell<u32>,
}

impl<'r> FixSearch<'r> {
    /// Begins a search on the branch with this tip. `own` are the commits that only the branch
    /// has.
    ///
    /// # Errors
    /// Returns an error if an object cannot be read, or the time is over.
    pub(crate) fn new(
        reader: &'r Reader,
        graph: &'r Graph<'r>,
        tip: Oid,
        own: impl Iterator<Item = Oid>,
    ) -> Result<Self, GitError> {
        let mut search = Self {
            reader,
            graph,
            tip,
            by_origin: HashMap::new(),
            by_paths: HashMap::new(),
            origins: RefCell::default(),
            paths: RefCell::default(),
            reverts: RefCell::default(),
            read: RefCell::default(),
            trials: Cell::new(MAX_TRIALS),
        };
        for id in own {
            for origin in search.origins_of(id)?.iter() {
                search.by_origin.entry(*origin).or_default().push(id);
                // A copy of a merge is a copy of all that the merge brought.
                for part in search.brought_by(*origin)? {
                    search.by_origin.entry(part).or_default().push(id);
                }
            }
            let paths = search.paths_of(id)?;
            search.by_paths.entry(paths).or_default().push(id);
        }
        Ok(search)
    }

    /// The fixes that the branch has, of fixes that it does not reach.
    ///
    /// # Errors
    /// Returns an error if an object cannot be read, or the time is over.
    pub(crate) fn held(
        &self,
        fixes: &HashMap<Oid, ParsedCommit>,
    ) -> Result<HashSet<Oid>, GitError> {
        let mut found = HashSet::new();
        let mut ids: Vec<Oid> = fixes.keys().copied().collect();
        ids.sort_unstable();
        for id in &ids {
            if self.is_named(*id)? || self.has_twin(*id)? {
                found.insert(*id);
            }
        }
        for id in ids {
            if !found.contains(&id) && self.changes_nothing(id)? {
                found.insert(id);
            }
        }
        Ok(found)
    }

    /// Whether the branch reaches an original of the fix, or has another copy of it. A name is
    /// only a claim: a copy must change a path of the other commit.
    fn is_named(&self, fix: Oid) -> Result<bool, GitError> {
        for origin in self.origins_of(fix)?.iter() {
            self.reader.check_deadline()?;
            for copy in self.by_origin.get(origin).into_iter().flatten() {
                if self.share_a_path(*copy, fix)? {
                    return Ok(true);
                }
            }
            if *origin == fix || self.reader.commit(*origin).is_err() {
                continue;
            }
            // What was taken back there is not there, in whole or in part.
            let reached = self.graph.is_ancestor(*origin, self.tip)? && !self.is_undone(*origin)?;
            if reached && self.share_a_path(*origin, fix)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_twin(&self, fix: Oid) -> Result<bool, GitError> {
        let Some(twins) = self.by_paths.get(&self.paths_of(fix)?) else { return Ok(false) };
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
    fn changes_nothing(&self, fix: Oid) -> Result<bool, GitError> {
        self.reader.check_deadline()?;
        let commit = self.reader.commit(fix)?;
        let Some(base) = commit.parents.first().copied() else { return Ok(false) };
        let tree = self.reader.commit(self.tip)?.tree;
        let sides = [self.reader.commit(base)?.tree, tree, commit.tree];
        if let Some(certain) = self.is_there_by_path(fix, sides)? {
            return Ok(certain);
        }
        let Some(left) = self.trials.get().checked_sub(1) else { return Ok(false) };
        self.trials.set(left);
        match plain_merge(self.reader, Some(base), [self.tip, fix]) {
            Ok(merge) => Ok(merge.conflicts.is_empty() && merge.tree == tree),
            // A trial that Git cannot make shows nothing.
            Err(GitError::Merge { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether each path that the fix changes is on the branch as the fix left it. `Some(false)`
    /// if one is as the fix found it, or too large to merge. `None` if only Git can tell.
    fn is_there_by_path(&self, fix: Oid, sides: [Oid; 3]) -> Result<Option<bool>, GitError> {
        let paths = self.paths_of(fix)?;
        let (mut same, mut readable) = (true, true);
        for path in paths.iter() {
            // A path that is not UTF-8 was changed for display, so it cannot be looked up.
            if path.contains(char::REPLACEMENT_CHARACTER) {
                readable = false;
                continue;
            }
            let held = |tree: Oid| self.reader.held(tree, path.as_bytes());
            let [before, here, after] = [held(sides[0])?, held(sides[1])?, held(sides[2])?];
            if here == before && here != after {
                return Ok(Some(false));
            }
            if here != after {
                same = false;
                match self.reader.mergeable([before, here, after, None]) {
                    Ok(()) => {}
                    Err(GitError::TooLarge { .. }) => return Ok(Some(false)),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((same && readable).then_some(true))
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

    /// Whether the branch has reverted a commit that it reaches, or a part of a merge. Nobody can
    /// revert a commit before it exists, so only later commits are read.
    fn is_undone(&self, id: Oid) -> Result<bool, GitError> {
        let later = self.graph.fresh(self.tip, &[id], &HashSet::new())?;
        // A name from so long ago is no evidence: what happened since is not read.
        if later.len() > MAX_UNIQUE_COMMITS {
            return Ok(true);
        }
        let (mut reverts, mut read) = (self.reverts.borrow_mut(), self.read.borrow_mut());
        for one in later {
            if read.insert(one) {
                self.reader.check_deadline()?;
                reverts.add(one, &self.reader.commit(one)?.message);
            }
        }
        let parts = self.brought_by(id)?;
        Ok(parts.iter().chain([&id]).any(|part| reverts.undoes(*part)))
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
