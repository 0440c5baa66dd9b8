//! How is a repository read, safely, also inside a push's quarantine? Nothing here can write.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;
use std::time::Instant as Moment;

use git2::{ObjectType, Odb, Repository};
use refgate_core::{Change, Oid, RefName};

use crate::commit::{ParsedCommit, parse_commit};
use crate::repository_checks::{explain_open, trustworthy};
use crate::tree::Tree;
use crate::{Bounds, GitError};

/// How many bytes of trees are kept in memory; neighbours in history share most
/// of theirs.
const TREES_KEPT: usize = 64 << 20;

/// What a reference holds, and the name that it stands for if it is symbolic.
pub type RefValue = Option<(Oid, Option<String>)>;

/// A repository, for reading only. It has no method that writes, and the hook
/// can obtain nothing else.
pub struct Reader {
    repo: Repository,
    bounds: Bounds,
    started: Moment,
    quarantined: bool,
    remote: Option<String>,
    rest: OnceCell<Odb<'static>>,
    trees: RefCell<HashMap<Oid, Rc<Tree>>>,
    kept: Cell<usize>,
    pinned: RefCell<Option<BTreeMap<String, Option<Oid>>>>,
    references: RefCell<HashMap<RefName, RefValue>>,
}

impl Reader {
    /// Opens the repository that Git names in a hook's environment, with the
    /// objects of the push that lie in quarantine (docs/design/threats.md, R6).
    ///
    /// # Errors
    /// If it cannot be opened, or is of a kind that cannot be trusted or read.
    pub fn open_from_env(bounds: Bounds) -> Result<Self, GitError> {
        let repo = Repository::open_from_env().map_err(|error| explain_open(&error))?;
        Self::new(repo, bounds, true)
    }

    /// Opens a repository, bare or not, that lies at or above a folder.
    ///
    /// # Errors
    /// As [`Reader::open_from_env`].
    pub fn open(path: &Path, bounds: Bounds) -> Result<Self, GitError> {
        let repo = Repository::discover(path).map_err(|error| explain_open(&error))?;
        Self::new(repo, bounds, false)
    }

    /// Git has checked every object's hash when it came in; checking again on
    /// every read would double the time of a large push. What has rotted on
    /// the disk since fails its zlib checksum, and refuses.
    fn trust_storage() {
        git2::opts::strict_hash_verification(false);
        // What is read is kept here as it is needed; a second copy helps nobody.
        git2::opts::enable_caching(false);
    }

    fn new(repo: Repository, bounds: Bounds, quarantined: bool) -> Result<Self, GitError> {
        Self::trust_storage();
        trustworthy(&repo)?;
        let trees = RefCell::new(HashMap::new());
        Ok(Self {
            repo,
            bounds,
            started: Moment::now(),
            quarantined,
            remote: None,
            rest: OnceCell::new(),
            trees,
            kept: Cell::new(0),
            pinned: RefCell::new(None),
            references: RefCell::default(),
        })
    }

    pub(crate) fn into_repo(self) -> Repository {
        self.repo
    }

    /// Takes what was last fetched from a remote for what is at rest: the
    /// server's answer, foretold in a clone.
    pub fn see_through(&mut self, remote: &str) {
        self.remote = Some(remote.to_string());
    }

    /// Shows references as they once were; what is not named does not exist.
    /// `None` shows them as they are again.
    pub fn pin(&self, values: Option<BTreeMap<String, Option<Oid>>>) {
        *self.pinned.borrow_mut() = values;
    }

    /// Whether it has no work tree: a server's.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.repo.is_bare()
    }

    pub(crate) fn remote(&self) -> Option<&str> {
        self.remote.as_deref()
    }

    pub(crate) fn at_rest_name(&self, name: &RefName) -> String {
        match (&self.remote, name.branch_name()) {
            (Some(remote), Some(branch)) => format!("refs/remotes/{remote}/{branch}"),
            _ => name.as_str().to_string(),
        }
    }

    /// Sets other bounds, once the server's own are known.
    pub const fn bound(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// Looks for objects that have come since; Git has just written some.
    pub(crate) fn forget_packs(&self) {
        if let Ok(odb) = self.repo.odb() {
            // What is not refreshed is at worst not found, which refuses.
            let _ = odb.refresh();
        }
    }

    /// The git directory that worktrees share.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        self.repo.commondir()
    }

    /// The bounds under which it reads.
    #[must_use]
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The objects at rest alone, without those of the push; `None` if there
    /// is no push, or the objects at rest cannot be told apart.
    pub(crate) fn rest(&self) -> Option<&Odb<'static>> {
        if !self.quarantined {
            return None;
        }
        if self.rest.get().is_none() {
            let odb = Odb::new().ok()?;
            odb.add_disk_alternate(self.git_dir().join("objects").to_str()?).ok()?;
            self.rest.set(odb).ok()?;
        }
        self.rest.get()
    }

    pub(crate) const fn repository(&self) -> &Repository {
        &self.repo
    }

    /// Refuses when the server's time for one push is over (docs/design/threats.md, R19).
    pub(crate) fn in_time(&self) -> Result<(), GitError> {
        if self.started.elapsed().as_secs() >= self.bounds.max_seconds {
            return Err(GitError::Deadline(self.bounds.max_seconds));
        }
        Ok(())
    }

    /// What a reference holds at rest; the name that it stands for, if it is
    /// symbolic.
    ///
    /// # Errors
    /// If it exists and cannot be read.
    pub fn reference(&self, name: &RefName) -> Result<RefValue, GitError> {
        if let Some(pinned) = self.pinned.borrow().as_ref() {
            return Ok(pinned.get(name.as_str()).copied().flatten().map(|id| (id, None)));
        }
        if let Some(known) = self.references.borrow().get(name) {
            return Ok(known.clone());
        }
        let found = self.read_reference(name)?;
        // One push is judged by one state: what was read once is not read again.
        if self.quarantined {
            self.references.borrow_mut().insert(name.clone(), found.clone());
        }
        Ok(found)
    }

    fn read_reference(&self, name: &RefName) -> Result<RefValue, GitError> {
        let unreadable = |error: &git2::Error| GitError::Reference {
            name: name.as_str().to_string(),
            why: error.message().to_string(),
        };
        match self.repo.find_reference(&self.at_rest_name(name)) {
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(unreadable(&error)),
            Ok(found) => {
                let alias = match found.symbolic_target() {
                    Ok(target) => target.map(ToString::to_string),
                    Err(error) => return Err(unreadable(&error)),
                };
                match found.resolve() {
                    Ok(direct) => {
                        let target = direct.target().ok_or_else(|| GitError::Reference {
                            name: name.as_str().to_string(),
                            why: "it names no object".to_string(),
                        })?;
                        Ok(Some((oid(target), alias)))
                    }
                    Err(error) => Err(unreadable(&error)),
                }
            }
        }
    }

    /// The paths that differ between two trees; `None` is the empty tree.
    ///
    /// # Errors
    /// If a tree cannot be read, or there are more changes than the limit.
    pub fn changes(
        &self,
        landing: Oid,
        before: Option<Oid>,
        after: Option<Oid>,
    ) -> Result<Vec<refgate_core::Change>, GitError> {
        crate::diff::changes(self, landing, before, after)
    }

    /// The type of an object, read from its header alone.
    /// What a commit changes, against its first parent.
    ///
    /// # Errors
    /// As [`Reader::changes`].
    pub fn own_changes(&self, id: Oid, commit: &ParsedCommit) -> Result<Vec<Change>, GitError> {
        let before = match commit.parents.first() {
            Some(parent) => Some(self.commit(*parent)?.tree),
            None => None,
        };
        self.changes(id, before, Some(commit.tree))
    }

    pub(crate) fn kind(&self, id: Oid) -> Result<ObjectType, GitError> {
        let odb = self.repo.odb()?;
        let (_, kind) = odb.read_header(git(id)).map_err(|error| unreadable(id, &error))?;
        Ok(kind)
    }

    /// An object's size in bytes, read from its header alone.
    pub(crate) fn size(&self, id: Oid) -> Result<usize, GitError> {
        let odb = self.repo.odb()?;
        let (size, _) = odb.read_header(git(id)).map_err(|error| unreadable(id, &error))?;
        Ok(size)
    }

    /// An object's bytes, after its size was found to be within `limit`
    /// (docs/design/threats.md, R16).
    pub(crate) fn object(
        &self,
        id: Oid,
        kind: ObjectType,
        limit: usize,
    ) -> Result<Vec<u8>, GitError> {
        let odb = self.repo.odb()?;
        let (size, found) = odb.read_header(git(id)).map_err(|error| unreadable(id, &error))?;
        if found != kind {
            let why = format!("it is a {found}, not a {kind}");
            return Err(GitError::Object { id, why });
        }
        if size > limit {
            return Err(GitError::TooLarge { id, size, limit });
        }
        let object = odb.read(git(id)).map_err(|error| unreadable(id, &error))?;
        Ok(object.data().to_vec())
    }

    /// A commit.
    ///
    /// # Errors
    /// If it is missing, too large, or no commit.
    pub fn commit(&self, id: Oid) -> Result<ParsedCommit, GitError> {
        let data = self.object(id, ObjectType::Commit, self.bounds.max_commit_bytes)?;
        parse_commit(&data)
            .ok_or_else(|| GitError::Object { id, why: "it is no readable commit".to_string() })
    }

    /// A tree's size is looked at after reading: Git's own check of a push has
    /// read every tree whole before, and asking for the size of a delta costs
    /// as much as reading it.
    fn parsed_tree(&self, id: Oid) -> Result<Tree, GitError> {
        let object = self.repo.odb()?;
        let object = object.read(git(id)).map_err(|error| unreadable(id, &error))?;
        let (size, limit) = (object.len(), self.bounds.max_tree_bytes);
        if size > limit {
            return Err(GitError::TooLarge { id, size, limit });
        }
        let is_tree = object.kind() == ObjectType::Tree;
        let tree = is_tree.then(|| Tree::parse(object.data().to_vec())).flatten();
        tree.ok_or_else(|| GitError::Object {
            id,
            why: "it is a tree that Git would not write".to_string(),
        })
    }

    /// A tree, from memory if it was read lately.
    pub(crate) fn tree(&self, id: Oid) -> Result<Rc<Tree>, GitError> {
        if let Some(known) = self.trees.borrow().get(&id) {
            return Ok(Rc::clone(known));
        }
        // The empty tree need not exist as an object.
        let tree = if id == EMPTY_TREE { Tree::default() } else { self.parsed_tree(id)? };
        let tree = Rc::new(tree);
        let mut trees = self.trees.borrow_mut();
        let kept = self.kept.get() + tree.size();
        if kept > TREES_KEPT {
            trees.clear();
            self.kept.set(0);
        } else {
            self.kept.set(kept);
        }
        trees.insert(id, Rc::clone(&tree));
        Ok(tree)
    }
}

/// The tree that holds nothing: what a commit without a parent comes after. Git
/// knows it without an object.
pub const EMPTY_TREE: Oid = Oid::new([
    0x4b, 0x82, 0x5d, 0xc6, 0x42, 0xcb, 0x6e, 0xb9, 0xa0, 0x60, 0xe5, 0x4b, 0xf8, 0xd6, 0x92, 0x88,
    0xfb, 0xee, 0x49, 0x04,
]);

pub(crate) fn oid(id: git2::Oid) -> Oid {
    let mut bytes = [0; 20];
    for (to, from) in bytes.iter_mut().zip(id.as_bytes()) {
        *to = *from;
    }
    Oid::new(bytes)
}

pub(crate) fn git(id: Oid) -> git2::Oid {
    git2::Oid::from_bytes(id.as_bytes()).unwrap_or(git2::Oid::ZERO_SHA1)
}

fn unreadable(id: Oid, error: &git2::Error) -> GitError {
    GitError::Object { id, why: error.message().to_string() }
}
