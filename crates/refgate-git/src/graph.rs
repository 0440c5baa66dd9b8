//! Walks the commit graph: which commits some tips reach and others do not. It never uses a date.
//!
//! The range walk of libgit2 and the count of Git give wrong results with skewed dates
//! (docs/design/threats.md, H11). This walk stops early only by the generation numbers of the
//! commit-graph file. Without them, it walks to the end.

use std::cell::RefCell;
use std::collections::{BinaryHeap, HashMap, HashSet};

use refgate_core::Oid;

use crate::reader::{Reader, git, oid};
use crate::{GitError, ParsedCommit};

/// The generation of a commit that is not in the commit-graph file. It is higher than that of
/// every commit in the file, because the file has all ancestors of its commits.
const UNKNOWN: u32 = u32::MAX;

/// The maximum number of parsed commits of a walk that are kept for [`Graph::commit`].
const MAX_CACHED_COMMITS: usize = 100_000;

/// Parents and generation of one commit.
#[derive(Clone)]
struct Node {
    parents: Vec<Oid>,
    generation: u32,
}

/// The commit graph of a repository, read from the commit-graph file if there is one.
pub struct Graph<'r> {
    reader: &'r Reader,
    file: Option<gix_commitgraph::Graph>,
    nodes: RefCell<HashMap<Oid, Node>>,
    parsed: RefCell<HashMap<Oid, ParsedCommit>>,
}

/// The colours of commits. Bit `n` stands for tip `n` of a walk.
type Colours = HashMap<Oid, u64>;

impl<'r> Graph<'r> {
    /// Opens the graph of a repository. A commit-graph file that cannot be read is ignored,
    /// because the objects have the same facts.
    #[must_use]
    pub fn new(reader: &'r Reader) -> Self {
        let objects = reader.git_dir().join("objects").join("info");
        let file = gix_commitgraph::Graph::from_info_dir(&objects, gix_hash::Kind::Sha1).ok();
        let (nodes, parsed) = (RefCell::default(), RefCell::default());
        Self { reader, file, nodes, parsed }
    }

    /// Reads a commit. A commit that a walk has parsed is returned without a second read, once.
    pub(crate) fn commit(&self, id: Oid) -> Result<ParsedCommit, GitError> {
        if let Some(parsed) = self.parsed.borrow_mut().remove(&id) {
            return Ok(parsed);
        }
        self.reader.commit(id)
    }

    /// The parents of a commit.
    ///
    /// # Errors
    /// Returns an error if the commit cannot be read.
    pub fn parents(&self, id: Oid) -> Result<Vec<Oid>, GitError> {
        Ok(self.node(id)?.parents)
    }

    /// The generation of a commit, if it is in the commit-graph file.
    pub(crate) fn generation(&self, id: Oid) -> Result<Option<u32>, GitError> {
        let generation = self.node(id)?.generation;
        Ok((generation != UNKNOWN).then_some(generation))
    }

    fn node(&self, id: Oid) -> Result<Node, GitError> {
        if let Some(node) = self.nodes.borrow().get(&id) {
            return Ok(node.clone());
        }
        let node = match self.commit_graph_node(id) {
            Some(node) => node,
            None => {
                let commit = self.reader.commit(id)?;
                let parents = commit.parents.clone();
                let mut parsed = self.parsed.borrow_mut();
                // The callers mostly need the first commits of a long walk.
                if parsed.len() < MAX_CACHED_COMMITS {
                    parsed.insert(id, commit);
                }
                Node { parents, generation: UNKNOWN }
            }
        };
        self.nodes.borrow_mut().insert(id, node.clone());
        Ok(node)
    }

    /// The node of a commit in the commit-graph file.
    fn commit_graph_node(&self, id: Oid) -> Option<Node> {
        let file = self.file.as_ref()?;
        let hash = gix_hash::ObjectId::try_from(id.as_bytes().as_slice()).ok()?;
        let commit = file.commit_by_id(hash)?;
        let generation = commit.generation();
        let mut parents = Vec::new();
        for parent in commit.iter_parents() {
            let bytes = file.id_at(parent.ok()?).as_bytes().try_into().ok()?;
            parents.push(Oid::new(bytes));
        }
        // Very old versions of Git wrote generation zero for "not computed".
        (generation > 0).then_some(Node { parents, generation })
    }

    /// The commits that `new` reaches and no commit of `hidden` reaches, sorted by id. The
    /// caller knows that `hidden` does not reach the commits in `certain`.
    ///
    /// # Errors
    /// Returns an error if a commit cannot be read, or there are more commits than the limit.
    pub fn fresh(
        &self,
        new: Oid,
        hidden: &[Oid],
        certain: &HashSet<Oid>,
    ) -> Result<Vec<Oid>, GitError> {
        const HIDDEN: u64 = 1;
        const NEW: u64 = 2;
        let starts = hidden.iter().map(|tip| (*tip, HIDDEN)).chain([(new, NEW)]);
        let mut walk = Walk::new(self, starts, HIDDEN);
        walk.run(certain)?;
        let mut fresh: Vec<Oid> =
            walk.colours.iter().filter(|(_, colour)| **colour == NEW).map(|(id, _)| *id).collect();
        fresh.sort_unstable();
        Ok(fresh)
    }

    /// The tips that reach each of the commits `ids`, as bits: bit `n` stands for tip `n`. All
    /// tips from the 61st on share one bit.
    ///
    /// # Errors
    /// Returns an error if a commit cannot be read.
    pub fn reach(&self, ids: &[Oid], tips: &[Oid]) -> Result<HashMap<Oid, u64>, GitError> {
        let wanted: HashSet<Oid> = ids.iter().copied().collect();
        let starts = tips.iter().enumerate().map(|(place, tip)| (*tip, 1 << place.min(60)));
        let mut walk = Walk::new(self, starts, 0);
        walk.find(&wanted)?;
        let colour = |id: &Oid| walk.colours.get(id).copied().unwrap_or(0);
        Ok(ids.iter().map(|id| (*id, colour(id))).collect())
    }

    /// Whether `old` is reachable from `new`.
    ///
    /// # Errors
    /// Returns an error if a commit cannot be read.
    pub fn is_ancestor(&self, old: Oid, new: Oid) -> Result<bool, GitError> {
        Ok(self.reach(&[old], &[new])?.get(&old).is_some_and(|colour| *colour != 0))
    }

    /// A best common ancestor of two commits.
    ///
    /// # Errors
    /// Returns an error if a commit cannot be read.
    pub fn merge_base(&self, [ours, theirs]: [Oid; 2]) -> Result<Option<Oid>, GitError> {
        let mut walk = Walk::new(self, [(ours, 1), (theirs, 2)].into_iter(), 0);
        walk.start()?;
        while let Some((generation, id, colour)) = walk.next() {
            if colour == 3 && generation != UNKNOWN {
                return Ok(Some(id));
            }
            if colour == 3 {
                // Without generations, the first common ancestor may not be a best one.
                let repo = self.reader.repository();
                return match repo.merge_base(git(ours), git(theirs)) {
                    Ok(base) => Ok(Some(oid(base))),
                    Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
                    Err(error) => Err(error.into()),
                };
            }
            self.reader.check_deadline()?;
            for parent in self.parents(id)? {
                walk.paint(parent, colour)?;
            }
        }
        Ok(None)
    }

    /// Whether a branch once had a commit as its tip: the commit is on the first-parent chain of
    /// the branch's `tip`.
    ///
    /// # Errors
    /// Returns an error if a commit cannot be read.
    pub fn was_tip(&self, tip: Oid, id: Oid) -> Result<bool, GitError> {
        Ok(!self.on_chain(tip, &HashSet::from([id]))?.is_empty())
    }

    /// The commits of `ids` that are on the first-parent chain of a tip.
    ///
    /// # Errors
    /// Returns an error if a commit cannot be read.
    pub fn on_chain(&self, tip: Oid, ids: &HashSet<Oid>) -> Result<HashSet<Oid>, GitError> {
        let mut lowest = UNKNOWN;
        for id in ids {
            lowest = lowest.min(self.node(*id)?.generation);
        }
        let mut found = HashSet::new();
        let mut at = Some(tip);
        while let Some(id) = at.filter(|_| found.len() < ids.len()) {
            let node = self.node(id)?;
            if node.generation != UNKNOWN && (lowest == UNKNOWN || node.generation < lowest) {
                break;
            }
            if ids.contains(&id) {
                found.insert(id);
            }
            self.reader.check_deadline()?;
            at = node.parents.first().copied();
        }
        Ok(found)
    }

    /// All commits that a tip reaches, the tip included.
    ///
    /// # Errors
    /// Returns an error if a commit cannot be read.
    pub fn ancestors(&self, tip: Oid) -> Result<HashSet<Oid>, GitError> {
        let mut seen = HashSet::from([tip]);
        let mut queue = vec![tip];
        while let Some(id) = queue.pop() {
            self.reader.check_deadline()?;
            queue.extend(self.parents(id)?.into_iter().filter(|parent| seen.insert(*parent)));
        }
        Ok(seen)
    }
}

/// One walk. It paints the ancestors of each tip in the colour of the tip, highest generation
/// first. It visits a commit again if the colours of the commit change after a visit. The
/// colours are therefore correct in every order, and the order only makes the walk short.
struct Walk<'g, 'r> {
    graph: &'g Graph<'r>,
    colours: Colours,
    queue: BinaryHeap<(u32, Oid)>,
    queued: HashSet<Oid>,
    starts: Vec<(Oid, u64)>,
    /// The colours of settled commits. The caller does not need settled commits.
    settled: u64,
    /// How many commits in the queue are not settled.
    open: usize,
}

impl<'g, 'r> Walk<'g, 'r> {
    fn new(graph: &'g Graph<'r>, starts: impl Iterator<Item = (Oid, u64)>, settled: u64) -> Self {
        Self {
            graph,
            colours: Colours::new(),
            queue: BinaryHeap::new(),
            queued: HashSet::new(),
            starts: starts.collect(),
            settled,
            open: 0,
        }
    }

    fn start(&mut self) -> Result<(), GitError> {
        for (id, colour) in std::mem::take(&mut self.starts) {
            self.paint(id, colour)?;
        }
        Ok(())
    }

    /// Adds colours to a commit, and queues it for a visit if its colours changed.
    fn paint(&mut self, id: Oid, colour: u64) -> Result<(), GitError> {
        let before = self.colours.get(&id).copied();
        let after = before.unwrap_or(0) | colour;
        if before == Some(after) {
            return Ok(());
        }
        self.colours.insert(id, after);
        let was_open = before.is_some_and(|colour| colour & self.settled == 0);
        let is_open = after & self.settled == 0;
        if self.queued.insert(id) {
            let generation = self.graph.node(id)?.generation;
            self.queue.push((generation, id));
            self.open += usize::from(is_open);
        } else if was_open && !is_open {
            self.open -= 1;
        }
        Ok(())
    }

    fn next(&mut self) -> Option<(u32, Oid, u64)> {
        let (generation, id) = self.queue.pop()?;
        self.queued.remove(&id);
        let colour = self.colours.get(&id).copied().unwrap_or(0);
        if colour & self.settled == 0 {
            self.open -= 1;
        }
        Some((generation, id, colour))
    }

    /// Walks until no commit can become open or settled any more. The caller knows that the
    /// commits in `certain` never become settled.
    fn run(&mut self, certain: &HashSet<Oid>) -> Result<(), GitError> {
        self.start()?;
        let limit = self.graph.reader.bounds().max_commits;
        let (mut lowest, mut doubtful, mut found) = (UNKNOWN, false, 0_usize);
        while let Some((generation, id, colour)) = self.next() {
            if colour & self.settled != 0 {
                // No commit in the queue has a higher generation than this one, so none of
                // them can reach a commit that is still in doubt.
                let past = generation != UNKNOWN && generation <= lowest;
                if self.open == 0 && (past || !doubtful) {
                    return Ok(());
                }
            } else {
                found += 1;
                if found > limit {
                    return Err(GitError::TooMany(limit));
                }
                if !certain.contains(&id) {
                    doubtful = true;
                    lowest = lowest.min(generation);
                }
            }
            self.graph.reader.check_deadline()?;
            for parent in self.graph.parents(id)? {
                self.paint(parent, colour)?;
            }
        }
        Ok(())
    }

    /// Walks until the colours of `ids` cannot change any more.
    fn find(&mut self, ids: &HashSet<Oid>) -> Result<(), GitError> {
        let mut lowest = UNKNOWN;
        for id in ids {
            lowest = lowest.min(self.graph.node(*id)?.generation);
        }
        self.start()?;
        while let Some((generation, id, colour)) = self.next() {
            if generation != UNKNOWN && lowest != UNKNOWN && generation <= lowest {
                return Ok(());
            }
            // A commit in the file never reaches a commit that is not in the file.
            if generation != UNKNOWN && lowest == UNKNOWN {
                return Ok(());
            }
            self.graph.reader.check_deadline()?;
            for parent in self.graph.parents(id)? {
                self.paint(parent, colour)?;
            }
        }
        Ok(())
    }
}
