//! What does a training world cost: to begin, to let time pass, and to go back?

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bench::ms;
use crate::bench_backport::{built, median};
use crate::stage::{Outcome, git, timed};

/// How often each is measured.
const TIMES: usize = 21;

/// Commits of the larger world.
const COMMITS: usize = 200;

/// The rows. The peer of all is `git clone` of the same server.
pub(crate) fn sim() -> Outcome<String> {
    let program = built("refgate-sim")?;
    built("refgate-hook")?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let world = folder.path().join("world");
    let verb = |words: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(folder.path()).env("REFGATE_SIM_HOME", folder.path());
        command.args(words).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let at = world.display().to_string();
    let mut rows =
        vec!["| case | own | git clone | ratio |".to_string(), "|---|---|---|---|".to_string()];
    for lesson in ["first-change", "hotfix", "release-and-merge-back"] {
        let start = median(TIMES, || {
            let _ = fs::remove_dir_all(&world);
            timed(&mut verb(&["start", lesson, "--dir", &at]))
        })?;
        rows.push(row(&format!("start {lesson}"), start, clone(folder.path(), &world)?));
    }
    let you = world.join("you");
    for number in 0..COMMITS {
        fs::write(you.join("docs/guide.md"), format!("{number}\n"))
            .map_err(|error| error.to_string())?;
        git(&you, &["commit", "-q", "-a", "-m", &format!("docs: {number}")])?;
    }
    let peer = clone(folder.path(), &world)?;
    let tick = median(TIMES, || timed(&mut verb(&["-C", &at, "tick", "1d"])))?;
    rows.push(row(&format!("tick 1d, {COMMITS} commits"), tick, peer));
    let undo = median(TIMES, || timed(&mut verb(&["-C", &at, "undo"])))?;
    rows.push(row(&format!("undo, {COMMITS} commits"), undo, peer));
    Ok(rows.join("\n"))
}

fn clone(folder: &Path, world: &Path) -> Outcome<f64> {
    let to = folder.join("peer");
    let server = world.join("server.git");
    median(TIMES, || {
        let _ = fs::remove_dir_all(&to);
        let mut clone = refgate_scenario::git_command(folder);
        timed(clone.args(["clone", "-q"]).arg(&server).arg(&to))
    })
}

fn row(case: &str, own: f64, peer: f64) -> String {
    format!("| {case} | {} | {} | {:.2} |", ms(own), ms(peer), own / peer)
}
