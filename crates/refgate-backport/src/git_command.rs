//! How is Git itself asked? By its plumbing, as configured, and never through a shell.

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
    // To ask for a status is no reason for a lock, which a kill would leave.
    git.env("GIT_OPTIONAL_LOCKS", "0");
    // In a hook, and after `git --git-dir`, these name a repository for every
    // child: a worktree of ours would be taken for another one.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    git
}

/// What a command says, which must succeed.
pub(crate) fn output(folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let output = command(folder).args(arguments).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(arguments, &output.stderr))
}

/// The same, with something on its standard input.
pub(crate) fn fed(mut git: Command, input: &[u8]) -> Result<String, Failure> {
    git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = git.spawn()?;
    finished(&git, child, input)
}

/// The same for what must not be left half done: it keeps our lock until it has
/// ended, and what kills all of our process group does not reach what is
/// `apart` from it. It gets the lock as its standard output, so it must say
/// nothing that is wanted.
pub(crate) fn to_the_end(
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
        // Who does not want it says why.
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

/// The paths in which two trees or commits differ, or the ends of a range.
pub(crate) fn differing(folder: &Path, what: &[&str]) -> Result<Vec<String>, Failure> {
    let diff = ["diff", "--name-only", "-z", "--no-renames"];
    let listed = output(folder, &[&diff, what].concat())?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(ToString::to_string).collect())
}

pub(crate) fn failed(arguments: &[&str], said: &[u8]) -> Failure {
    let said = String::from_utf8_lossy(said);
    let said = Some(said.trim()).filter(|said| !said.is_empty());
    let said = said.unwrap_or("it failed, and did not say why (did one of your hooks?)");
    let verb = arguments.first().unwrap_or(&"");
    Failure::new(Exit::Failed, format!("git {verb}: {said}"))
}
