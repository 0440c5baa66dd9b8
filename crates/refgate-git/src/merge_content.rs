//! Finds content of a merge commit that Git's own merge of its parents does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

use refgate_core::Oid;

use crate::merge_store::limit_memory;
use crate::reader::Reader;
use crate::{GitError, Graph};

/// The maximum number of levels of directories. The limit of Git itself is lower.
pub(crate) const MAX_TREE_DEPTH: usize = 2_000;

/// The differences between a merge commit and Git's own merge of its parents.
#[derive(Debug, Default)]
pub(crate) struct MergeContent {
    /// Paths that Git merges without a conflict, but to other content: the merge commit has new
    /// content, or drops the change of one side.
    pub(crate) evil: Vec<String>,
    /// Whether Git's own merge has a conflict at a changed path, which a person resolved.
    pub(crate) resolved: bool,
}

const FOLDER: u32 = 0o40_000;
const SUBMODULE: u32 = 0o160_000;

/// The content at a path of a tree, as object and mode; `None` if the path does not exist.
pub(crate) type PathContent = Option<(Oid, u32)>;

/// Compares a merge commit with Git's own merge of its two parents. `trees` are those of the
/// merge commit and of its parents. First it compares path by path: a path is settled if only
/// one side changed it and the merge commit has that change. Git merges only if a path is left.
///
/// # Errors
/// Returns an error if an object cannot be read, or the time limit of the push has passed.
pub(crate) fn mixed(
    reader: &Reader,
    graph: &Graph<'_>,
    merge: Oid,
    trees: [Oid; 3],
    parents: [Oid; 2],
) -> Result<MergeContent, GitError> {
    let base = match graph.merge_base(parents)? {
        Some(base) => Some(reader.commit(base)?.tree),
        None => None,
    };
    let [result, first, second] = trees.map(Some);
    let mut suspects = SuspectPaths { reader, merge, path: Vec::new(), found: BTreeMap::new() };
    suspects.collect([result, first, second, base], 0)?;
    let suspects = suspects.found;
    if suspects.is_empty() {
        return Ok(MergeContent::default());
    }
    let plain = plain_merge(reader, None, parents)?;
    let mut mixed = MergeContent::default();
    for (path, found) in suspects {
        if plain.conflicts.contains(&path) {
            mixed.resolved = true;
        } else if reader.held(plain.tree, &path)? != found {
            mixed.evil.push(String::from_utf8_lossy(&path).into_owned());
        }
    }
    Ok(mixed)
}

struct SuspectPaths<'r> {
    reader: &'r Reader,
    merge: Oid,
    path: Vec<u8>,
    found: BTreeMap<Vec<u8>, PathContent>,
}

/// The result of a three-way merge of whole entries; `None` for a conflict.
fn expected<T: PartialEq + Copy>(first: T, second: T, base: T) -> Option<T> {
    match () {
        () if first == second => Some(first),
        () if base == first => Some(second),
        () if base == second => Some(first),
        () => None,
    }
}

impl SuspectPaths<'_> {
    fn collect(&mut self, four: [Option<Oid>; 4], depth: usize) -> Result<(), GitError> {
        let [result, first, second, base] = four;
        if expected(first, second, base) == Some(result) {
            return Ok(());
        }
        if depth > MAX_TREE_DEPTH {
            return Err(GitError::TooDeep(self.merge));
        }
        self.reader.check_deadline()?;
        let mut names: BTreeMap<Vec<u8>, [PathContent; 4]> = BTreeMap::new();
        for (side, tree) in four.into_iter().enumerate() {
            let Some(tree) = tree else { continue };
            for entry in self.reader.tree(tree)?.entries() {
                let slot = names.entry(entry.name.to_vec()).or_default();
                if let Some(place) = slot.get_mut(side) {
                    *place = Some((entry.id, entry.mode));
                }
            }
        }
        for (name, sides) in names {
            let length = self.path.len();
            self.path.extend_from_slice(&name);
            let files = sides.map(|held| held.filter(|(_, mode)| *mode != FOLDER));
            let [mine, one, two, was] = files;
            if expected(one, two, was) != Some(mine) {
                self.reader.mergeable(files)?;
                self.found.insert(self.path.clone(), mine);
                if self.found.len() > self.reader.bounds().max_changes {
                    return Err(GitError::TooManyChanges(self.merge));
                }
            }
            self.path.push(b'/');
            let folder =
                |held: PathContent| held.filter(|(_, mode)| *mode == FOLDER).map(|(id, _)| id);
            self.collect(sides.map(folder), depth + 1)?;
            self.path.truncate(length);
        }
        Ok(())
    }
}

pub(crate) struct PlainMerge {
    pub(crate) tree: Oid,
    pub(crate) conflicts: BTreeSet<Vec<u8>>,
}

/// Parses the output of `git version` into the version and its first two numbers.
#[must_use]
pub fn git_version(said: &str) -> Option<(String, (u32, u32))> {
    let version = said.split_whitespace().nth(2)?;
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    Some((version.to_string(), (numbers.next()?, numbers.next()?)))
}

/// Runs `git merge-tree`: a merge, or with a `base` a cherry-pick. In a hook, Git writes the new
/// objects into the quarantine of the push.
pub(crate) fn plain_merge(
    reader: &Reader,
    base: Option<Oid>,
    [ours, theirs]: [Oid; 2],
) -> Result<PlainMerge, GitError> {
    let failed = |why: String| GitError::Merge { ours, theirs, why };
    let mut git = reader.merge_command().map_err(|error| failed(error.to_string()))?;
    git.args(["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"]);
    match base {
        Some(base) => git.arg(format!("--merge-base={base}")),
        None => git.arg("--allow-unrelated-histories"),
    };
    git.args([ours.to_string(), theirs.to_string()]);
    // The attributes of the branch apply, for example `merge=union`, as in a worktree of the
    // branch. A Git that is too old for this variable ignores it.
    git.env("GIT_ATTR_SOURCE", ours.to_string());
    git.stdin(Stdio::null()).stderr(Stdio::null());
    let spawned = git.stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| failed(error.to_string()))?;
    limit_memory(&child);
    let pipe = child.stdout.take();
    let output = std::thread::spawn(move || {
        let mut all = Vec::new();
        pipe.map(|mut pipe| pipe.read_to_end(&mut all)).transpose().map(|_| all)
    });
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => std::thread::sleep(Duration::from_millis(1)),
            Err(error) => return Err(failed(error.to_string())),
        }
        if let Err(error) = reader.check_deadline() {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
    };
    let output = output.join().ok().and_then(Result::ok).unwrap_or_default();
    if !matches!(status.code(), Some(0 | 1)) {
        return Err(failed(format!("`git merge-tree` ended with {status}")));
    }
    let mut parts = output.split(|byte| *byte == 0);
    let tree = parts.next().and_then(|hex| Oid::from_hex(std::str::from_utf8(hex).ok()?));
    let tree = tree.ok_or_else(|| failed("`git merge-tree` printed no tree".to_string()))?;
    let conflicts = parts.filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect();
    reader.refresh_objects();
    Ok(PlainMerge { tree, conflicts })
}

impl Reader {
    /// Returns an error if a version of a file is too large to merge. Git reads each version
    /// completely, and a few packed megabytes can become gigabytes (docs/design/threats.md,
    /// "Resource attacks").
    pub(crate) fn mergeable(&self, versions: [PathContent; 4]) -> Result<(), GitError> {
        let limit = self.bounds().max_merged_bytes;
        for (id, mode) in versions.into_iter().flatten() {
            let size = if mode == SUBMODULE { 0 } else { self.size(id)? };
            if size > limit {
                return Err(GitError::TooLarge { id, size, limit });
            }
        }
        Ok(())
    }

    /// The content at a path of a tree; `None` for a directory or a missing path.
    pub(crate) fn held(&self, tree: Oid, path: &[u8]) -> Result<PathContent, GitError> {
        let mut at = (tree, FOLDER);
        for part in path.split(|byte| *byte == b'/') {
            if at.1 != FOLDER {
                return Ok(None);
            }
            match self.tree(at.0)?.entries().find(|entry| entry.name == part) {
                Some(entry) => at = (entry.id, entry.mode),
                None => return Ok(None),
            }
        }
        Ok(Some(at).filter(|(_, mode)| *mode != FOLDER))
    }
}
