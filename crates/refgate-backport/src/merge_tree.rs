//! Computes the results of many picks with `git merge-tree`. It never checks anything out.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::sync::OnceLock;

use refgate_core::Oid;
use refgate_gate::Exit;
use refgate_git::{MergeStore, Writer, git_version, limit_memory};

use crate::output::{Failure, tell};

/// The result of one pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merged {
    /// The resulting tree, without a conflict.
    Clean(Oid),
    /// A conflict: the tree with conflict markers, the paths, and Git's messages.
    Conflict { tree: Oid, paths: Vec<String>, said: Vec<String> },
}

/// A pick of the changes from `base` to `theirs` onto `ours`. Each is a commit or a tree.
/// Without a base, a merge of two commits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PickQuery {
    pub(crate) base: Option<Oid>,
    pub(crate) ours: Oid,
    pub(crate) theirs: Oid,
}

/// The number of queries for one process. With more queries, both processes could wait
/// for the other one to read.
const MAX_QUERIES: usize = 200;

/// Computes picks, and returns the results in order. Below Git 2.40 libgit2 computes
/// them, which is reported. The Git attributes (such as merge drivers) are those of the
/// tree `attributes`, or of `ours`.
pub(crate) fn picks(
    repository: &Path,
    asked: &[PickQuery],
    attributes: Option<Oid>,
) -> Result<Vec<Merged>, Failure> {
    // Git's version is read only if a query fails.
    static OLD: OnceLock<Option<(String, (u32, u32))>> = OnceLock::new();
    let old = match OLD.get() {
        Some(old) => old.as_ref(),
        None => match merge_with_git(repository, asked, attributes) {
            Ok(merged) => return Ok(merged),
            Err(failure) => Some(OLD.get_or_init(|| old(repository)).as_ref().ok_or(failure)?),
        },
    };
    match old {
        None => merge_with_git(repository, asked, attributes),
        Some((_, numbers)) if *numbers >= (2, 40) => {
            merge_with_git(repository, &wrap_trees_in_commits(repository, asked)?, attributes)
        }
        Some((version, _)) => approximate(repository, asked, version),
    }
}

/// Git's version, if this version cannot merge trees.
fn old(repository: &Path) -> Option<(String, (u32, u32))> {
    let said = crate::git_command::output(repository, &["version"]).ok()?;
    git_version(&said).filter(|(_, numbers)| *numbers < (2, 45))
}

/// The same queries, with a commit in place of each tree.
fn wrap_trees_in_commits(
    repository: &Path,
    asked: &[PickQuery],
) -> Result<Vec<PickQuery>, Failure> {
    let writer = Writer::open(repository, false)?;
    let one = |ask: &PickQuery| {
        Ok(PickQuery {
            base: ask.base.map(|base| writer.commit_of_tree(base)).transpose()?,
            ours: writer.commit_of_tree(ask.ours)?,
            theirs: writer.commit_of_tree(ask.theirs)?,
        })
    };
    asked.iter().map(one).collect()
}

/// Computes picks with libgit2. The results can differ from Git's own picks.
fn approximate(
    repository: &Path,
    asked: &[PickQuery],
    version: &str,
) -> Result<Vec<Merged>, Failure> {
    static SAID: std::sync::Once = std::sync::Once::new();
    SAID.call_once(|| {
        tell(&format!("approximate: git {version} cannot forecast picks; 2.40 or newer can"));
    });
    let writer = Writer::open(repository, false)?;
    let one = |ask: &PickQuery| {
        Ok(match writer.pick_with_libgit2(ask.base, [ask.ours, ask.theirs])? {
            Ok(tree) => Merged::Clean(tree),
            Err(paths) => Merged::Conflict { tree: ask.ours, paths, said: Vec::new() },
        })
    };
    asked.iter().map(one).collect()
}

/// Computes picks with Git, and returns the results in order. `git merge-tree` can delay
/// its output, so all queries are written before the first result is read.
fn merge_with_git(
    repository: &Path,
    asked: &[PickQuery],
    attributes: Option<Oid>,
) -> Result<Vec<Merged>, Failure> {
    let mut all = Vec::with_capacity(asked.len());
    let together = asked.chunk_by(|one, other| attributes.is_some() || one.ours == other.ours);
    // Settings and merge drivers of a repository that somebody sent must not run. The trees
    // go to the repository, because `apply` makes commits of them.
    let objects = Writer::open(repository, false)?.git_dir().join("objects");
    let store = MergeStore::new(std::slice::from_ref(&objects))?;
    for some in together.flat_map(|some| some.chunks(MAX_QUERIES)) {
        let mut git = store.command_writing_to(&objects);
        if let Some(ask) = some.first() {
            // Git 2.40 ignores this variable, and uses the attributes of the working tree.
            git.env("GIT_ATTR_SOURCE", attributes.unwrap_or(ask.ours).to_string());
        }
        git.args(["merge-tree", "--write-tree", "--stdin"]);
        git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = git.spawn()?;
        limit_memory(&child);
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (Some(mut to), Some(from)) = (to, from) else {
            return Err(merge_tree_failure("no pipe"));
        };
        let script: String = some
            .iter()
            .map(|ask| match ask.base {
                Some(base) => format!("{base} -- {} {}\n", ask.ours, ask.theirs),
                None => format!("{} {}\n", ask.ours, ask.theirs),
            })
            .collect();
        // If Git has already ended, its standard error says why.
        let _ = to.write_all(script.as_bytes());
        drop(to);
        let mut from = BufReader::new(from);
        let read: Result<Vec<Merged>, Failure> = some.iter().map(|_| read(&mut from)).collect();
        drop(from);
        let said = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        match (read, said.lines().next()) {
            (Ok(read), _) => all.extend(read),
            (Err(_), Some(why)) => return Err(merge_tree_failure(why)),
            (Err(failure), None) => return Err(failure),
        }
    }
    Ok(all)
}

fn merge_tree_failure(why: &str) -> Failure {
    Failure::new(Exit::Failed, format!("git merge-tree failed: {why}"))
}

fn part(from: &mut BufReader<ChildStdout>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    from.read_until(0, &mut bytes).map_err(|error| merge_tree_failure(&error.to_string()))?;
    if bytes.pop() != Some(0) {
        return Err(merge_tree_failure("its output is incomplete"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads one result: a digit, a tree, then for a conflict the files and the messages.
fn read(from: &mut BufReader<ChildStdout>) -> Result<Merged, Failure> {
    let clean = match part(from)?.trim() {
        "1" => true,
        "0" => false,
        other => return Err(merge_tree_failure(&format!("unexpected output `{other}`"))),
    };
    let tree = part(from)?;
    let tree = Oid::from_hex(&tree)
        .ok_or_else(|| merge_tree_failure(&format!("`{tree}` is not an id")))?;
    let mut paths = Vec::new();
    loop {
        let line = part(from)?;
        if line.is_empty() {
            break;
        }
        let path = line.split_once('\t').map_or("", |(_, path)| path).to_string();
        if paths.last() != Some(&path) {
            paths.push(path);
        }
    }
    if clean {
        return Ok(Merged::Clean(tree));
    }
    let mut said = Vec::new();
    loop {
        let count = part(from)?;
        let count = count.trim();
        if count.is_empty() {
            return Ok(Merged::Conflict { tree, paths, said });
        }
        let count: usize =
            count.parse().map_err(|_| merge_tree_failure(&format!("bad count `{count}`")))?;
        for _ in 0..count {
            part(from)?;
        }
        let (kind, text) = (part(from)?, part(from)?);
        if kind.starts_with("CONFLICT") {
            said.push(text.trim().to_string());
        }
    }
}
