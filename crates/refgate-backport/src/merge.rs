//! What does Git make of a pick? One `git merge-tree` for all of them; nothing is checked out.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use refgate_core::Oid;
use refgate_gate::Exit;

use crate::output::Failure;

/// What Git makes of one pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merged {
    /// A tree, without a conflict.
    Clean(Oid),
    /// Conflicts: the tree with its marks, the paths, and what Git says of them.
    Conflict { paths: Vec<String>, said: Vec<String> },
}

/// `git merge-tree --stdin`, started when it is first asked.
pub(crate) struct MergeTree {
    repository: PathBuf,
    running: Option<(Child, ChildStdin, BufReader<ChildStdout>)>,
}

impl MergeTree {
    pub(crate) fn new(repository: &Path) -> Self {
        Self { repository: repository.to_path_buf(), running: None }
    }

    /// The tree of `ours` with what leads from `base` to `theirs`. Commits or trees.
    pub(crate) fn pick(&mut self, base: Oid, ours: Oid, theirs: Oid) -> Result<Merged, Failure> {
        if self.running.is_none() {
            self.start()?;
        }
        let Some((_, to, from)) = &mut self.running else { return Err(broken("it has ended")) };
        let answer = writeln!(to, "{base} -- {ours} {theirs}")
            .and_then(|()| to.flush())
            .map_err(|error| broken(&error.to_string()))
            .and_then(|()| read(from));
        if answer.is_err() {
            // What is out of step stays so; the next question gets a new one.
            let said = self.end();
            return answer.map_err(|failure| match said {
                Some(said) => broken(&said),
                None => failure,
            });
        }
        answer
    }

    fn start(&mut self) -> Result<(), Failure> {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.repository).args(["merge-tree", "--write-tree", "--stdin"]);
        git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = git.spawn()?;
        if let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) {
            self.running = Some((child, to, BufReader::new(from)));
        }
        Ok(())
    }

    fn end(&mut self) -> Option<String> {
        let (mut child, to, _) = self.running.take()?;
        drop(to);
        let mut said = String::new();
        child.stderr.take()?.read_to_string(&mut said).ok()?;
        let _ = child.wait();
        said.lines().next().map(ToString::to_string)
    }
}

impl Drop for MergeTree {
    fn drop(&mut self) {
        self.end();
    }
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
            return Ok(Merged::Conflict { paths, said });
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
