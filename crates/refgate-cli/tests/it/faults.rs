//! Tests races between a freeze and pushes, killed pushes and parallel writers.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::test_world::World;

const NOW: &str = "2026-03-02T10:00:00Z";

/// The number of rounds. `REFGATE_ROUNDS` sets another number for long runs.
pub(crate) fn rounds(usual: u32) -> u32 {
    std::env::var("REFGATE_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// A pseudo-random number below `most`, the same in every run.
fn pseudo_random(number: u32, most: u64) -> u64 {
    (u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % most.max(1)
}

pub(crate) fn guard(world: &World, mode: &str) {
    let hook = crate::hook();
    let identity = if mode == "strict" { "http" } else { "gitolite" };
    let arguments = ["install", ".", "--hook", hook.to_str().unwrap(), "--guard", mode];
    // The exit code is ignored, because `doctor` rejects every training repository.
    world.refgate_in("ada", &world.server(), &[&arguments[..], &["--identity", identity]].concat());
}

/// Installs a chained hook that sleeps. It runs after the decision, so the time between
/// the decision and the ref update is long.
fn install_slow_hook(world: &World) {
    let path = world.server().join("hooks/pre-receive.chained");
    fs::write(&path, "#!/bin/sh\ncat > /dev/null\nsleep \"0.$(date +%N | cut -c1 | tr 3456789 0120120)$(date +%N | cut -c2)\"\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The number of release lines. In each race, one landing for each line and for dev is pushed.
const LINES: u32 = 7;

/// Makes a fix on top of each tip. One process makes all of them, so that long runs are fast.
fn fixes(world: &World, tips: &[String], round: u32) -> Vec<String> {
    let mut import = refgate_scenario::git_command(&world.path("ada"));
    import.args(["fast-import", "--quiet", "--force", "--export-marks=../marks"]);
    let mut child = import.stdin(Stdio::piped()).spawn().unwrap();
    let script: String = tips
        .iter()
        .enumerate()
        .map(|(place, tip)| {
            let message = format!("security: {round} {place}");
            format!(
                "commit refs/race/{place}\nmark :{}\ncommitter ada <ada@x> {} +0000\n\
                 data {}\n{message}\nfrom {tip}\nM 100644 inline src/app.rs\ndata {}\n{message}\n",
                place + 1,
                1_772_440_000 + round,
                message.len(),
                message.len(),
            )
        })
        .collect();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let mut marks: Vec<(usize, String)> = fs::read_to_string(world.path("marks"))
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix(':')?.split_once(' '))
        .map(|(mark, id)| (mark.parse().unwrap(), id.to_string()))
        .collect();
    marks.sort();
    marks.into_iter().map(|(_, id)| id).collect()
}

/// Starts a push in the background after `moment` milliseconds.
fn later(world: &World, new: &str, branch: &str, moment: u64) -> std::process::Child {
    let mut push = Command::new("sh");
    push.current_dir(world.path("ada"));
    world.set_identity(&mut push, "ada");
    let command = format!("sleep 0.{moment:03}; exec git push -q origin {new}:refs/heads/{branch}");
    push.args(["-c", &command]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[expect(clippy::print_stdout, reason = "a long run prints its figures")]
fn race_freeze_with_pushes(mode: &str) {
    let portal = refgate_gate::builtin("portal").unwrap();
    let world = World::new(&format!("{portal}\n[[line]]\nbranches = \"release/*\"\n"), NOW);
    guard(&world, mode);
    world.certify("grace");
    let branches: Vec<String> =
        (0..LINES).map(|n| format!("release/1.{n}")).chain(["dev".to_string()]).collect();
    for line in branches.iter().filter(|name| *name != "dev") {
        world.lands("grace", &[&format!("origin/main:refs/heads/{line}")]);
    }
    install_slow_hook(&world);
    let file = |branch: &String| world.server().join("refs/heads").join(branch);
    let tip = |branch: &String| fs::read_to_string(file(branch)).unwrap().trim().to_string();
    let (mut landed, mut kept_out) = (0, 0);
    // On a busy machine the freeze can be late. More rounds let it win at least one race.
    for round in 0..10 * rounds(3) {
        if round >= rounds(3) && kept_out > 0 {
            break;
        }
        let news = fixes(&world, &branches.iter().map(tip).collect::<Vec<_>>(), round);
        let pushes: Vec<_> = news
            .iter()
            .zip(&branches)
            .zip(round * (LINES + 1)..)
            .map(|((new, branch), number)| later(&world, new, branch, pseudo_random(number, 400)))
            .collect();
        std::thread::sleep(Duration::from_millis(pseudo_random(round, 300)));
        let why = format!("stop {round}");
        let stop = ["freeze", "start", "dev", "release/*", "--for", "1 days", "--reason", &why];
        let stop = [&stop[..], &["--lets-through", "docs", "--json"]].concat();
        let (code, said) = world.refgate_in("grace", &world.path("grace"), &stop);
        let answered = SystemTime::now();
        assert_eq!(code, Some(0), "{said}");
        for mut push in pushes {
            push.wait().unwrap();
        }
        for (new, branch) in news.iter().zip(&branches) {
            if tip(branch) == *new {
                let moved = fs::metadata(file(branch)).unwrap().modified().unwrap();
                assert!(moved <= answered, "{mode}: {branch} moved after the freeze was recorded");
                landed += 1;
            } else {
                kept_out += 1;
            }
        }
        let id = said.split("\"id\":\"").nth(1).unwrap();
        let end = ["freeze", "end", &id[..64], "--reason", "go on"];
        assert_eq!(world.refgate_in("grace", &world.path("grace"), &end).0, Some(0));
    }
    println!("{mode}: {landed} landed before the freeze, {kept_out} were rejected by it");
    assert!(kept_out > 0, "the freeze won no race");
}

#[test]
fn nothing_lands_after_a_recorded_freeze_portable() {
    race_freeze_with_pushes("portable");
}

#[test]
fn nothing_lands_after_a_recorded_freeze_strict() {
    race_freeze_with_pushes("strict");
}

/// Checks after a fault that the branch has its old or its new value, that the repository
/// is sound, and that `doctor --fix` cleans up. Returns whether it has the new value.
pub(crate) fn check_old_or_new_value(
    world: &World,
    before: &str,
    commit: &str,
    what: &str,
) -> bool {
    let after = world.git("ada", &["ls-remote", "origin", "refs/heads/dev"]);
    let moved = after.starts_with(commit);
    assert!(moved || after == before, "{what}: neither old nor new: {before} {after}");
    // Makes the locks of killed processes old enough for `doctor --fix`.
    let _ = Command::new("find")
        .arg(world.server())
        .args(["-name", "*.lock", "-exec", "touch", "-d", "1 hour ago", "{}", ";"])
        .status();
    world.refgate_in("ada", &world.server(), &["doctor", ".", "--fix"]);
    let fsck = world.try_git("ada", &world.server(), &["fsck", "--strict"]);
    assert!(fsck.status.success(), "{what}: {}", String::from_utf8_lossy(&fsck.stderr));
    let (code, said) = world.refgate_in("ada", &world.server(), &["audit"]);
    assert_eq!(code, Some(0), "{what}: a landing without a decision: {said}");
    world.lands("ada", &["dev"]);
    moved
}

/// Kills all processes of a push at different times.
#[expect(clippy::print_stdout, reason = "a long run prints its figures")]
fn kill_pushes(mode: &str) {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    guard(&world, mode);
    let (mut old, mut new) = (0, 0);
    for round in 0..rounds(24) {
        let before = world.git("ada", &["ls-remote", "origin", "refs/heads/dev"]);
        let commit = world.commits("ada", "dev", &format!("fix: {round}"), "src/app.rs");
        // The push runs in its own session, so that all of it can be killed at once.
        let mut push = Command::new("setsid");
        push.arg("--wait").arg("git").current_dir(world.path("ada"));
        world.set_identity(&mut push, "ada");
        push.args(["push", "-q", "origin", "dev"]);
        let mut push = push.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(5 + pseudo_random(round, 90)));
        let _ =
            Command::new("pkill").args(["-KILL", "-f", world.server().to_str().unwrap()]).status();
        let _ = push.wait();
        std::thread::sleep(Duration::from_millis(20));
        let moved = check_old_or_new_value(&world, &before, &commit, mode);
        (old, new) = if moved { (old, new + 1) } else { (old + 1, new) };
    }
    println!("{mode}: {old} kills left the old value, {new} came after the ref update");
}

#[test]
fn a_kill_leaves_old_or_new_value_portable() {
    kill_pushes("portable");
}

#[test]
fn a_kill_leaves_old_or_new_value_strict() {
    kill_pushes("strict");
}

/// Parallel writers of the ledger lose no record that the server accepted.
#[test]
fn parallel_writers_lose_no_record() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    guard(&world, "strict");
    let people = ["ada", "ben", "grace", "henry", "uma", "carol"];
    let each = rounds(3);
    let world = &world;
    std::thread::scope(|scope| {
        for who in people {
            scope.spawn(move || {
                for number in 0..each {
                    let why = format!("{who} {number}");
                    let blocker = ["evidence", "blocker", "--release", "v1.0.0", "--reason", &why];
                    world.does(who, &blocker);
                }
            });
        }
    });
    world.git("eve", &["fetch", "-q", "origin", "refs/refgate/ledger:refs/refgate/ledger"]);
    let said = world.does("eve", &["ledger", "verify"]);
    let all = people.len() * each as usize;
    assert!(said.contains(&format!("{all} records, 0 not valid")), "{said}");
}
