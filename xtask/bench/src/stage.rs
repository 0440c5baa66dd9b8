//! Prepares repositories for measurements, runs programs and measures their time.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use refgate_scenario::git_command;

pub(crate) type Outcome<T> = Result<T, String>;

/// Runs a program and returns its output, or an error if it failed.
pub(crate) fn run(command: &mut Command) -> Outcome<String> {
    let output = command.output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("cannot run {command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Outcome<String> {
    let mut git = git_command(folder);
    for key in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{key}_NAME"), "ada").env(format!("GIT_{key}_EMAIL"), "ada@x");
    }
    run(git.args(arguments))
}

/// Adds `landings` commits to a branch with `git fast-import`. Each commit changes a file in a tree
/// of a few hundred files.
pub(crate) fn history(
    repository: &Path,
    branch: &str,
    from: Option<&str>,
    landings: usize,
) -> Outcome<()> {
    let mut text = String::new();
    for number in 0..landings {
        let parent = match (number, from) {
            (0, Some(from)) => format!("from {from}\n"),
            _ => String::new(),
        };
        let message = format!("fix: number {number}\n");
        let content = format!("{branch} {number}\n");
        text.push_str(&format!(
            "commit refs/heads/{branch}\nauthor ada <ada@x> {0} +0000\n\
             committer ada <ada@x> {0} +0000\ndata {1}\n{message}{parent}M 100644 inline {2}\n\
             data {3}\n{content}",
            1_700_000_000 + number,
            message.len(),
            path(number, from.is_none()),
            content.len(),
        ));
    }
    let mut import = git_command(repository);
    import.args(["fast-import", "--quiet", "--force"]);
    let mut child = import.stdin(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    }
    let done = child.wait().map_err(|error| error.to_string())?;
    if done.success() { Ok(()) } else { Err("git fast-import failed".to_string()) }
}

/// The path that a commit changes: a new branch creates up to 400 files, and commits on top of an
/// existing branch change them.
fn path(number: usize, spread: bool) -> String {
    let place = if spread { number % 400 } else { (number * 7) % 400 };
    format!("src/part{}/deep{}/file{}.rs", place % 7, place % 20, place)
}

/// Measures several things in turn and returns their medians, so that a disturbance affects all.
pub(crate) fn measure_in_turn(
    times: usize,
    things: &mut [&mut dyn FnMut() -> Outcome<f64>],
) -> Outcome<Vec<f64>> {
    let mut all = vec![Vec::new(); things.len()];
    for _ in 0..times {
        for (thing, list) in things.iter_mut().zip(&mut all) {
            list.push(thing()?);
        }
    }
    Ok(all
        .into_iter()
        .map(|mut list| {
            list.sort_by(f64::total_cmp);
            list.get(list.len() / 2).copied().unwrap_or(0.0)
        })
        .collect())
}

/// The duration of a program in seconds.
pub(crate) fn timed(command: &mut Command) -> Outcome<f64> {
    let start = Instant::now();
    run(command)?;
    Ok(start.elapsed().as_secs_f64())
}

/// Builds `refgate` and `refgate-hook` in release mode and returns their paths.
pub(crate) fn build_programs() -> Outcome<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    run(Command::new("cargo").current_dir(&root).args(["build", "--release", "--quiet"]).args([
        "-p",
        "refgate-cli",
        "-p",
        "refgate-hook",
    ]))?;
    let target =
        std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), PathBuf::from);
    let folder = fs::canonicalize(target.join("release")).map_err(|error| error.to_string())?;
    Ok((folder.join("refgate"), folder.join("refgate-hook")))
}
