//! Writes picked commits and sets refs, so that a run can be continued and undone.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use refgate_core::Oid;
use refgate_gate::Exit;
use refgate_git::{KeptHeaders, Writer};
use refgate_report::wrap;
use serde_json::json;

use crate::args::RepositoryArgs;
use crate::git_command;
use crate::output::{Failure, say, tell};
use crate::plan::Step;
use crate::run_state::{Journal, Line, SkippedTarget, State};
use crate::{run_loop, worktree};

/// Writes commits and refs of one repository.
pub(crate) struct PickWriter {
    writer: Writer,
    pub(crate) git_dir: PathBuf,
    /// The path that the user named with `-C`.
    pub(crate) repository: PathBuf,
    committer: OnceCell<String>,
    signs: bool,
    /// Whether results are printed as JSON.
    pub(crate) json: bool,
    /// Allows one run at a time. This process and the Git processes that it started hold
    /// the lock until they end.
    pub(crate) lock: File,
}

/// How long a run waits for another one, in tenths of a second.
const LOCK_WAIT_TENTHS: u32 = 50;

impl PickWriter {
    pub(crate) fn open(place: &RepositoryArgs) -> Result<Self, Failure> {
        let writer = Writer::open(&place.repository, false)?;
        let git_dir = writer.git_dir();
        let committer = OnceCell::new();
        let mut sign = git_command::command(&git_dir);
        sign.args(["config", "--type=bool", "--get", "commit.gpgSign"]);
        let signs = sign.output()?.stdout.starts_with(b"true");
        let repository = place.repository.clone();
        let lock = locked(&git_dir)?;
        Ok(Self { writer, git_dir, repository, committer, signs, json: place.json, lock })
    }

    /// The committer. It is read only before the first commit, so a command that commits
    /// nothing needs no configured name.
    fn committer(&self) -> Result<&str, Failure> {
        if let Some(known) = self.committer.get() {
            return Ok(known);
        }
        let said = git_command::output(&self.git_dir, &["var", "GIT_COMMITTER_IDENT"])?;
        Ok(self.committer.get_or_init(|| said.trim().to_string()))
    }

    /// Runs a command that must not be interrupted. It holds the lock until it ends. If
    /// commits are signed, the command stays in our process group, because Git might ask
    /// for a passphrase on the terminal.
    pub(crate) fn run(&self, git: Command) -> Result<(), Failure> {
        let apart = !self.signs;
        git_command::run_uninterrupted(git, &self.lock, apart, &[])
    }

    /// Prints the result for a branch.
    pub(crate) fn report(&self, branch: &str, state: &str, words: &str) {
        self.leaves(&SkippedTarget::new(branch, Oid::default(), state, words.to_string()));
    }

    /// Prints why a branch, or a fix on it, is skipped.
    pub(crate) fn leaves(&self, left: &SkippedTarget) {
        let SkippedTarget { branch, fix, state, words } = left;
        if self.json {
            let mut told = json!({ "branch": branch, "state": state, "words": words });
            if let (false, Some(told)) = (fix.is_empty(), told.as_object_mut()) {
                told.insert("fix".to_string(), json!(fix));
            }
            say(&told.to_string());
        } else {
            // Each command is on its own line, so that it can be copied.
            let mut lines = words.lines();
            say(&wrap(&format!("{branch}  "), "  ", lines.next().unwrap_or_default()));
            lines.for_each(|command| say(&format!("    {command}")));
        }
    }

    /// Writes the picks of a branch on top of `parent`. Returns the last commit.
    pub(crate) fn write(&self, parent: Oid, steps: &[Step]) -> Result<Oid, Failure> {
        let mut at = parent;
        for step in steps {
            let kept = self.writer.kept(step.change.commit, Some(step.change.commit))?;
            at = self.commit(&kept, step.tree, &[at])?;
        }
        Ok(at)
    }

    fn commit(&self, kept: &KeptHeaders, tree: Oid, parents: &[Oid]) -> Result<Oid, Failure> {
        if self.signs {
            return self.signed(kept, tree, parents);
        }
        Ok(self.writer.pick(kept, tree, parents, self.committer()?)?)
    }

    /// Rewrites a commit with one parent: with the parent `onto`, and with a line that
    /// names the original `from`.
    pub(crate) fn again(
        &self,
        commit: &str,
        from: Option<Oid>,
        onto: Option<Oid>,
    ) -> Result<Oid, Failure> {
        let said =
            git_command::output(&self.git_dir, &["show", "-s", "--format=%H %T %P", commit])?;
        let ids: Vec<Oid> = said.split_whitespace().filter_map(Oid::from_hex).collect();
        let [id, tree, parent] = ids.as_slice() else {
            return Err(Failure::new(Exit::Failed, format!("{commit} must have a single parent")));
        };
        self.commit(&self.writer.kept(*id, from)?, *tree, &[onto.unwrap_or(*parent)])
    }

    /// Writes a merge commit with these parents.
    pub(crate) fn merge(&self, tree: Oid, parents: &[Oid], message: &str) -> Result<Oid, Failure> {
        let author = git_command::output(&self.git_dir, &["var", "GIT_AUTHOR_IDENT"])?;
        let author = author.trim().as_bytes().to_vec();
        let kept = KeptHeaders { author, encoding: None, message: message.as_bytes().to_vec() };
        self.commit(&kept, tree, parents)
    }

    /// Writes a commit that Git signs as configured.
    fn signed(&self, kept: &KeptHeaders, tree: Oid, parents: &[Oid]) -> Result<Oid, Failure> {
        let author = String::from_utf8_lossy(&kept.author).into_owned();
        let (name, rest) = author.split_once('<').unwrap_or((&author, ""));
        let (address, date) = rest.split_once('>').unwrap_or((rest, ""));
        let mut commit = git_command::command(&self.git_dir);
        if let Some(encoding) = &kept.encoding {
            let encoding = String::from_utf8_lossy(encoding);
            commit.arg("-c").arg(format!("i18n.commitEncoding={encoding}"));
        }
        commit.env("GIT_AUTHOR_NAME", name.trim()).env("GIT_AUTHOR_EMAIL", address.trim());
        commit.env("GIT_AUTHOR_DATE", date.trim());
        commit.args(["commit-tree", "-S"]);
        for parent in parents {
            commit.args(["-p", &parent.to_string()]);
        }
        commit.arg(tree.to_string());
        let id = git_command::run_with_input(commit, &kept.message)?;
        Oid::from_hex(id.trim())
            .ok_or_else(|| Failure::new(Exit::Failed, "git commit-tree printed no commit id"))
    }

    /// Sets the refs of all written lines in one transaction. A ref that has moved or is
    /// checked out keeps its value, and does not stop the others.
    pub(crate) fn set(&self, journal: &mut Journal) -> Result<(), Failure> {
        let mut script = String::new();
        for line in &mut journal.lines {
            if line.state != State::Written {
                continue;
            }
            let value = self.value(&line.reference)?;
            if let Some(why) = self.reason_not_to_set(line, &value)? {
                tell(&format!("git backport: {}: {why}", line.branch));
                continue;
            }
            // A run that was killed after the transaction has already set the ref.
            if value != line.new {
                let (reference, new, old) = (&line.reference, &line.new, value_or_zeros(&line.old));
                script.push_str(&format!("update {reference} {new} {old}\n"));
            }
            line.state = State::Done;
        }
        self.update(&script, "git backport")?;
        journal.save(&self.git_dir)
    }

    /// Why a ref with this value cannot be set. `None` if it can be set.
    fn reason_not_to_set(&self, line: &Line, value: &str) -> Result<Option<String>, Failure> {
        let Line { reference, new, old, .. } = line;
        if value == new {
            return Ok(None);
        }
        if value != old {
            let now = match value {
                "" => "was deleted".to_string(),
                value => format!("moved to {value}"),
            };
            let was = match old.as_str() {
                "" => "is deleted".to_string(),
                old => format!("is at {old}"),
            };
            return Ok(Some(format!(
                "cannot set {reference} to {new}: it {now}\nhint: when it {was} again, run `git \
                 backport continue`; to undo everything, run `git backport undo`"
            )));
        }
        let held = !old.is_empty() && worktree::holds(&self.git_dir, reference)?;
        Ok(held.then(|| {
            let why = worktree::checked_out_message(reference);
            format!("{why}\nhint: check out another branch, then run `git backport continue`")
        }))
    }

    /// Updates refs in one transaction: all or none.
    fn update(&self, script: &str, why: &str) -> Result<(), Failure> {
        if script.is_empty() {
            return Ok(());
        }
        let mut update = git_command::command(&self.git_dir);
        update.args(["update-ref", "-m", why, "--stdin"]);
        git_command::run_uninterrupted(
            update,
            &self.lock,
            true,
            format!("start\n{script}prepare\ncommit\n").as_bytes(),
        )
    }

    /// The commit id of a ref; empty if the ref does not exist.
    pub(crate) fn value(&self, reference: &str) -> Result<String, Failure> {
        let mut parse = git_command::command(&self.git_dir);
        let output = parse.args(["rev-parse", "-q", "--verify", reference]).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
    }

    /// Undoes a run: resets each ref that still has the value that the run gave it, and
    /// removes the worktrees. A ref that is checked out stays in the journal, so that it
    /// can be undone later.
    pub(crate) fn undo_run(&self, journal: &Journal) -> Result<UndoResult, Failure> {
        let (mut script, mut kept) = (String::new(), Vec::new());
        let mut was = BTreeMap::new();
        let mut later = Journal { lines: Vec::new(), ..journal.clone() };
        for line in &journal.lines {
            worktree::remove(self, line)?;
            if line.new.is_empty() || matches!(line.state, State::Skipped) {
                continue;
            }
            let value = self.value(&line.reference)?;
            if value == line.new && worktree::holds(&self.git_dir, &line.reference)? {
                kept.push(format!("{} is checked out", line.reference));
                later.lines.push(Line { state: State::Done, ..line.clone() });
            } else if value == line.new {
                was.insert(line.reference.clone(), value.clone());
                let (reference, to) = (&line.reference, value_or_zeros(&line.old));
                script.push_str(&format!("update {reference} {to} {value}\n"));
            } else if value != line.old {
                let (reference, new) = (&line.reference, &line.new);
                kept.push(format!("{reference} has moved since; its backport is {new}"));
            }
        }
        self.update(&script, "git backport: undo")?;
        for line in journal.lines.iter().filter(|line| was.contains_key(&line.reference)) {
            run_loop::forget_notes(self, line)?;
        }
        match later.lines.is_empty() {
            true => Journal::remove(&self.git_dir)?,
            false => {
                // The remaining lines must not be pushed any more.
                later.has_pushed |= later.tried;
                if !later.has_pushed {
                    later.pushed.clear();
                }
                later.save(&self.git_dir)?;
            }
        }
        Ok(UndoResult { was, kept })
    }
}

/// The result of an undo.
pub(crate) struct UndoResult {
    /// The refs that were reset, with the values that they had before.
    pub(crate) was: BTreeMap<String, String>,
    /// The refs that were not reset, each with the reason.
    pub(crate) kept: Vec<String>,
}

/// Acquires the lock of a repository. The operating system releases the lock when its holder
/// ends, even if it was killed.
fn locked(git_dir: &Path) -> Result<File, Failure> {
    let folder = refgate_git::create_own_directory(git_dir, "backport")?;
    let lock = refgate_git::open_lock_file(&folder.join("lock"))?;
    for _ in 0..LOCK_WAIT_TENTHS {
        match lock.try_lock() {
            Ok(()) => {
                Journal::remove_temporary_files(&folder);
                return Ok(lock);
            }
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(100)),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    let message = "cannot start: another git backport is running in this repository\nhint: wait \
                   until it has finished";
    Err(Failure::new(Exit::Failed, message))
}

/// A value for `update-ref`, which expects zeros for a ref that does not exist.
fn value_or_zeros(value: &str) -> String {
    if value.is_empty() { Oid::default().to_string() } else { value.to_string() }
}
