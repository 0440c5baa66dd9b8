//! Measures the cost of `refgate-sim start`, `tick` and `undo`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bench::ms;
use crate::bench_backport::{build_program, median};
use crate::stage::{Outcome, git, timed};

/// The number of measurements of each case.
const TIMES: usize = 21;

/// The number of commits of the larger world.
const COMMITS: usize = 200;

/// Measures all cases and compares each with `git clone` of the same server.
pub(crate) fn sim() -> Outcome<String> {
    let program = build_program("refgate-sim")?;
    build_program("refgate-hook")?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    // Each world has its own directory: ext4 does not reuse an inode for some seconds, so a removal
    // makes the next creation slower.
    let mut made = 0;
    let mut next = || {
        made += 1;
        folder.path().join(format!("world{made}"))
    };
    let mut world = next();
    let verb = |words: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(folder.path()).env("REFGATE_SIM_HOME", folder.path());
        command.args(words).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut rows =
        vec!["| case | own | git clone | ratio |".to_string(), "|---|---|---|---|".to_string()];
    for lesson in ["first-change", "hotfix", "release-and-merge-back"] {
        let start = median(TIMES, || {
            world = next();
            timed(&mut verb(&["start", lesson, "--dir", &world.display().to_string()]))
        })?;
        rows.push(row(&format!("start {lesson}"), start, clone(folder.path(), &world)?));
    }
    let at = world.display().to_string();
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
    let server = world.join("server.git");
    let peers = tempfile::tempdir_in(folder).map_err(|error| error.to_string())?;
    let mut made = 0;
    median(TIMES, || {
        made += 1;
        let mut clone = refgate_scenario::git_command(folder);
        clone.args(["clone", "-q"]).arg(&server).arg(peers.path().join(made.to_string()));
        timed(&mut clone)
    })
}

fn row(case: &str, own: f64, peer: f64) -> String {
    format!("| {case} | {} | {} | {:.2} |", ms(own), ms(peer), own / peer)
}
