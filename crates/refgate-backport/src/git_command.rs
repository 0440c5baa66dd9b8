//! Runs Git commands with the user's configuration. It never uses a shell.

use std::fs::File;
use std::io::Write as _;
#[cfg(unix)]
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use refgate_gate::Exit;

use crate::output::Failure;

pub(crate) fn command(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder);
    // `git status` must not take a lock, because a killed process would leave it behind.
    git.env("GIT_OPTIONAL_LOCKS", "0");
    // A hook and `git --git-dir` set these variables for every child process. Git would
    // then use that repository instead of the worktree in `folder`.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    git
}

/// Runs a command that must succeed. Returns its standard output.
pub(crate) fn output(folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let output = command(folder).args(arguments).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(arguments, &output.stderr))
}

/// Runs a command that must succeed, with `input` on its standard input. Returns its
/// standard output.
pub(crate) fn run_with_input(mut git: Command, input: &[u8]) -> Result<String, Failure> {
    git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = git.spawn()?;
    finished(&git, child, input)
}

/// Runs a command that must not be interrupted. The command holds the lock until it
/// ends, because the lock file is its standard output, so its output is lost. With
/// `apart` it runs in its own process group, so that a kill of our group does not reach
/// it.
pub(crate) fn run_uninterrupted(
    mut git: Command,
    lock: &File,
    apart: bool,
    input: &[u8],
) -> Result<(), Failure> {
    #[cfg(unix)]
    if apart {
        git.process_group(0);
    }
    git.stdin(Stdio::piped()).stdout(lock.try_clone()?).stderr(Stdio::piped());
    let child = git.spawn()?;
    finished(&git, child, input).map(|_| ())
}

fn finished(git: &Command, mut child: Child, input: &[u8]) -> Result<String, Failure> {
    if let Some(mut to) = child.stdin.take() {
        // If the command does not read its input, it fails and reports why.
        let _ = to.write_all(input);
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let name: Vec<String> =
        git.get_args().skip(2).map(|word| word.to_string_lossy().into_owned()).collect();
    Err(failed(&[&name.join(" ")], &output.stderr))
}

/// The paths that differ between two trees, two commits, or the ends of a range.
pub(crate) fn differing_paths(folder: &Path, what: &[&str]) -> Result<Vec<String>, Failure> {
    let diff = ["diff", "--name-only", "-z", "--no-renames"];
    let listed = output(folder, &[&diff, what].concat())?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(ToString::to_string).collect())
}

pub(crate) fn failed(arguments: &[&str], said: &[u8]) -> Failure {
    let said = String::from_utf8_lossy(said);
    let said = Some(said.trim()).filter(|said| !said.is_empty());
    let said = said.unwrap_or("it failed without a message (perhaps in a hook)");
    let verb = arguments.first().unwrap_or(&"");
    Failure::new(Exit::Failed, format!("git {verb}: {said}"))
}
