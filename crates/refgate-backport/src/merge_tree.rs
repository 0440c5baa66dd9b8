//! What does Git make of a pick? `git merge-tree` for many at once; nothing is checked out.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::sync::OnceLock;

use refgate_core::Oid;
use refgate_gate::Exit;
use refgate_git::{Writer, git_version};

use crate::output::{Failure, tell};

/// What Git makes of one pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merged {
    /// A tree, without a conflict.
    Clean(Oid),
    /// Conflicts: the tree with its marks, the paths, and what Git says of them.
    Conflict { tree: Oid, paths: Vec<String>, said: Vec<String> },
}

/// A pick: what leads from `base` to `theirs`, onto `ours`; commits or trees. Of
/// two commits, without a base, a merge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PickQuery {
    pub(crate) base: Option<Oid>,
    pub(crate) ours: Oid,
    pub(crate) theirs: Oid,
}

/// So many questions are asked of one process: with more, both could wait for
/// the other to read.
const MOST_AT_ONCE: usize = 200;

/// What Git makes of some picks, in order; below 2.40, what libgit2 makes of
/// them, which is said. The attributes (such as merge drivers) are those of a
/// tree, or of what is picked to.
pub(crate) fn picks(
    repository: &Path,
    asked: &[PickQuery],
    attributes: Option<Oid>,
) -> Result<Vec<Merged>, Failure> {
    // Where the questions are answered, nobody asks for the version.
    static OLD: OnceLock<Option<(String, (u32, u32))>> = OnceLock::new();
    let old = match OLD.get() {
        Some(old) => old.as_ref(),
        None => match asked_of_git(repository, asked, attributes) {
            Ok(merged) => return Ok(merged),
            Err(failure) => Some(OLD.get_or_init(|| old(repository)).as_ref().ok_or(failure)?),
        },
    };
    match old {
        None => asked_of_git(repository, asked, attributes),
        Some((_, numbers)) if *numbers >= (2, 40) => {
            asked_of_git(repository, &of_commits(repository, asked)?, attributes)
        }
        Some((version, _)) => approximate(repository, asked, version),
    }
}

/// Git's version, if it merges no trees.
fn old(repository: &Path) -> Option<(String, (u32, u32))> {
    let said = crate::git_command::output(repository, &["version"]).ok()?;
    git_version(&said).filter(|(_, numbers)| *numbers < (2, 45))
}

/// The same questions with a commit for each tree.
fn of_commits(repository: &Path, asked: &[PickQuery]) -> Result<Vec<PickQuery>, Failure> {
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

/// A forecast that git's own pick may differ from.
fn approximate(
    repository: &Path,
    asked: &[PickQuery],
    version: &str,
) -> Result<Vec<Merged>, Failure> {
    static SAID: std::sync::Once = std::sync::Once::new();
    SAID.call_once(|| {
        tell(&format!("approximate: git {version} cannot be asked for picks; 2.40 or newer can"));
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

/// What Git makes of some picks, in order. `git merge-tree` writes its answers
/// when it likes, so all questions are asked before the first answer is read.
fn asked_of_git(
    repository: &Path,
    asked: &[PickQuery],
    attributes: Option<Oid>,
) -> Result<Vec<Merged>, Failure> {
    let mut all = Vec::with_capacity(asked.len());
    let together = asked.chunk_by(|one, other| attributes.is_some() || one.ours == other.ours);
    for some in together.flat_map(|some| some.chunks(MOST_AT_ONCE)) {
        let mut git = crate::git_command::command(repository);
        if let Some(ask) = some.first() {
            // Git 2.40 does not know it, and takes those of the working tree.
            git.env("GIT_ATTR_SOURCE", attributes.unwrap_or(ask.ours).to_string());
        }
        git.args(["merge-tree", "--write-tree", "--stdin"]);
        git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = git.spawn()?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (Some(mut to), Some(from)) = (to, from) else { return Err(broken("no pipe")) };
        let script: String = some
            .iter()
            .map(|ask| match ask.base {
                Some(base) => format!("{base} -- {} {}\n", ask.ours, ask.theirs),
                None => format!("{} {}\n", ask.ours, ask.theirs),
            })
            .collect();
        // If it has ended, it says why below.
        let _ = to.write_all(script.as_bytes());
        drop(to);
        let mut from = BufReader::new(from);
        let read: Result<Vec<Merged>, Failure> = some.iter().map(|_| read(&mut from)).collect();
        drop(from);
        let said = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        match (read, said.lines().next()) {
            (Ok(read), _) => all.extend(read),
            (Err(_), Some(why)) => return Err(broken(why)),
            (Err(failure), None) => return Err(failure),
        }
    }
    Ok(all)
}

fn broken(why: &str) -> Failure {
    Failure::new(Exit::Failed, format!("git merge-tree: {why}"))
}

fn part(from: &mut BufReader<ChildStdout>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    from.read_until(0, &mut bytes).map_err(|error| broken(&error.to_string()))?;
    if bytes.pop() != Some(0) {
        return Err(broken("it ended in the middle of an answer"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// One answer: a digit, a tree, then for a conflict its files and its messages.
fn read(from: &mut BufReader<ChildStdout>) -> Result<Merged, Failure> {
    let clean = match part(from)?.trim() {
        "1" => true,
        "0" => false,
        other => return Err(broken(&format!("`{other}` is no answer"))),
    };
    let tree = part(from)?;
    let tree = Oid::from_hex(&tree).ok_or_else(|| broken(&format!("`{tree}` is no tree")))?;
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
        let count: usize = count.parse().map_err(|_| broken(&format!("`{count}` is no number")))?;
        for _ in 0..count {
            part(from)?;
        }
        let (kind, text) = (part(from)?, part(from)?);
        if kind.starts_with("CONFLICT") {
            said.push(text.trim().to_string());
        }
    }
}
