//! Reads a repository, also inside the quarantine of a push. It never writes.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant as Moment;

use git2::{ObjectType, Odb, Repository};
use refgate_core::{Oid, RefName};

use crate::commit::{ParsedCommit, parse_commit};
use crate::merge_store::MergeStore;
use crate::repository_checks::{check_trust, explain_open};
use crate::tree::Tree;
use crate::{Bounds, GitError};

/// The maximum number of bytes of trees that are kept in memory. Commits that are close in
/// history share most of their trees.
const MAX_CACHED_TREE_BYTES: usize = 64 << 20;

/// The value of a ref, with the name of its target if it is a symbolic ref; `None` if the ref
/// does not exist.
pub type RefValue = Option<(Oid, Option<String>)>;

/// A repository that can only be read: it has no method that writes. The hook judges a push
/// with this type alone.
pub struct Reader {
    repo: Repository,
    bounds: Bounds,
    started: Moment,
    quarantined: bool,
    remote: Option<String>,
    rest: OnceCell<Odb<'static>>,
    trees: RefCell<HashMap<Oid, Rc<Tree>>>,
    sizes: RefCell<HashMap<Oid, usize>>,
    kept: Cell<usize>,
    pinned: RefCell<Option<BTreeMap<String, Option<Oid>>>>,
    references: RefCell<HashMap<RefName, RefValue>>,
    pub(crate) merges: RefCell<Option<MergeStore>>,
    pub(crate) object_directories: Vec<PathBuf>,
}

impl Reader {
    /// Opens the repository that Git names in the environment of a hook. The reader also sees
    /// the objects of the push in quarantine (docs/design/threats.md, R6).
    ///
    /// # Errors
    /// Returns an error if the repository cannot be opened, trusted or supported.
    pub fn open_from_env(bounds: Bounds) -> Result<Self, GitError> {
        let repo = Repository::open_from_env().map_err(|error| explain_open(&error))?;
        Self::new(repo, bounds, true)
    }

    /// Opens the repository at a path or above it. It can be bare.
    ///
    /// # Errors
    /// Returns the errors of [`Reader::open_from_env`].
    pub fn open(path: &Path, bounds: Bounds) -> Result<Self, GitError> {
        let repo = Repository::discover(path).map_err(|error| explain_open(&error))?;
        Self::new(repo, bounds, false)
    }

    /// Turns off hash checks and caches of libgit2. Git has checked the hash of every object
    /// on arrival, and a second check doubles the time of a large push. An object that was
    /// damaged later fails its zlib checksum, which is an error.
    fn trust_storage() {
        git2::opts::strict_hash_verification(false);
        // The reader keeps the trees that it needs, so a second copy only costs memory.
        git2::opts::enable_caching(false);
    }

    fn new(repo: Repository, bounds: Bounds, quarantined: bool) -> Result<Self, GitError> {
        Self::trust_storage();
        check_trust(&repo)?;
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
            sizes: RefCell::default(),
            merges: RefCell::default(),
            object_directories: Vec::new(),
        })
    }

    pub(crate) fn into_repo(self) -> Repository {
        self.repo
    }

    /// Makes this reader take the remote-tracking branches of `remote` as the branches at rest.
    /// A clone can thus compute the answer of the server.
    pub fn use_remote(&mut self, remote: &str) {
        self.remote = Some(remote.to_string());
    }

    /// Makes this reader use these values of refs instead of the stored ones. A ref that is not
    /// in `values` does not exist. `None` restores the stored values.
    pub fn pin(&self, values: Option<BTreeMap<String, Option<Oid>>>) {
        *self.pinned.borrow_mut() = values;
    }

    /// Whether the repository is bare, as on a server.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.repo.is_bare()
    }

    /// The name of the ref that holds the value of `name` at rest.
    pub(crate) fn at_rest_name(&self, name: &RefName) -> String {
        match (&self.remote, name.branch_name()) {
            (Some(remote), Some(branch)) => format!("refs/remotes/{remote}/{branch}"),
            _ => name.as_str().to_string(),
        }
    }

    /// Replaces the bounds. The settings of the server are read after the repository is opened.
    pub const fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// Makes libgit2 look for new objects, after a Git process has written some.
    pub(crate) fn refresh_objects(&self) {
        if let Ok(odb) = self.repo.odb() {
            // Without a refresh an object is not found, and the caller gets that error.
            let _ = odb.refresh();
        }
    }

    /// The Git directory that all worktrees share.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        self.repo.commondir()
    }

    /// The bounds of this reader.
    #[must_use]
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The objects at rest, without those of the push. `None` if no push is in quarantine, or
    /// the objects at rest cannot be opened alone.
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

    /// Whether the server had an object before the push.
    #[must_use]
    pub fn has_at_rest(&self, id: Oid) -> bool {
        match self.rest() {
            Some(odb) => odb.exists(git(id)),
            None => self.repo.odb().is_ok_and(|odb| odb.exists(git(id))),
        }
    }

    pub(crate) const fn repository(&self) -> &Repository {
        &self.repo
    }

    /// Returns an error after the time limit for one push has passed (docs/design/threats.md,
    /// R19).
    pub(crate) fn check_deadline(&self) -> Result<(), GitError> {
        if self.started.elapsed().as_secs() >= self.bounds.max_seconds {
            return Err(GitError::Deadline(self.bounds.max_seconds));
        }
        Ok(())
    }

    /// The value of a ref at rest.
    ///
    /// # Errors
    /// Returns an error if the ref exists and cannot be read.
    pub fn reference(&self, name: &RefName) -> Result<RefValue, GitError> {
        if let Some(pinned) = self.pinned.borrow().as_ref() {
            return Ok(pinned.get(name.as_str()).copied().flatten().map(|id| (id, None)));
        }
        if let Some(known) = self.references.borrow().get(name) {
            return Ok(known.clone());
        }
        let found = self.read_reference(name)?;
        // One state of the refs must judge the whole push, so a ref is read only once.
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
                            why: "it points to no object".to_string(),
                        })?;
                        Ok(Some((oid(target), alias)))
                    }
                    Err(error) => Err(unreadable(&error)),
                }
            }
        }
    }

    /// The type of an object, read from its header only.
    pub(crate) fn kind(&self, id: Oid) -> Result<ObjectType, GitError> {
        let odb = self.repo.odb()?;
        let (_, kind) = odb.read_header(git(id)).map_err(|error| unreadable(id, &error))?;
        Ok(kind)
    }

    /// The size of an object in bytes, from its header. It is remembered for the next landing.
    pub(crate) fn size(&self, id: Oid) -> Result<usize, GitError> {
        if let Some(size) = self.sizes.borrow().get(&id) {
            return Ok(*size);
        }
        let read = self.repo.odb()?.read_header(git(id));
        let (size, _) = read.map_err(|error| unreadable(id, &error))?;
        let mut sizes = self.sizes.borrow_mut();
        if sizes.len() >= 100_000 {
            sizes.clear();
        }
        sizes.insert(id, size);
        Ok(size)
    }

    /// The bytes of an object. Its size is checked against `limit` before it is read
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

    /// Reads a commit.
    ///
    /// # Errors
    /// Returns an error if the object is missing, is too large, or is not a commit.
    pub fn commit(&self, id: Oid) -> Result<ParsedCommit, GitError> {
        let data = self.object(id, ObjectType::Commit, self.bounds.max_commit_bytes)?;
        parse_commit(&data)
            .ok_or_else(|| GitError::Object { id, why: "it is not a valid commit".to_string() })
    }

    /// Reads and parses a tree. Its size is checked after it is read: Git has already read
    /// every tree of the push on arrival, and the size of a delta costs as much as the tree.
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
            why: "it is a malformed tree object".to_string(),
        })
    }

    /// A tree, from memory if it was read before.
    pub(crate) fn tree(&self, id: Oid) -> Result<Rc<Tree>, GitError> {
        if let Some(known) = self.trees.borrow().get(&id) {
            return Ok(Rc::clone(known));
        }
        // The empty tree need not be stored as an object.
        let tree = if id == EMPTY_TREE { Tree::default() } else { self.parsed_tree(id)? };
        let tree = Rc::new(tree);
        let mut trees = self.trees.borrow_mut();
        let kept = self.kept.get() + tree.size();
        if kept > MAX_CACHED_TREE_BYTES {
            trees.clear();
            self.kept.set(0);
        } else {
            self.kept.set(kept);
        }
        trees.insert(id, Rc::clone(&tree));
        Ok(tree)
    }
}

/// The tree without entries. A commit without a parent is compared with it. Git knows this
/// tree without a stored object.
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
