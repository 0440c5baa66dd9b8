//! Tests a full disk and a kill at each single system call of a push.
//!
//! The tests need `strace`, which makes a chosen system call of a program fail. They make
//! one push for each call, so they run only with `-- --ignored`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::faults::{check_old_or_new_value, guard, rounds};
use crate::test_world::World;

const NOW: &str = "2026-03-02T10:00:00Z";

/// The system calls that change a disk or wait for it.
const CALLS: &str = "openat,write,pwrite64,fsync,fdatasync,rename,renameat2,link,linkat,unlink,\
    mkdir,ftruncate,utimensat";

/// The command line of `strace` that injects a fault at the `number`th call.
fn traced(log: &Path, fault: &str, number: u32) -> String {
    let calls: String = CALLS.split_whitespace().collect();
    let log = log.display();
    format!("strace -qq -A -o {log} -e trace={calls} -e inject={calls}:{fault}:when={number}")
}

/// Replaces a hook by a script that runs it under `strace`.
fn wrap(world: &World, hook: &str, strace: &str) {
    let path = world.server().join("hooks").join(hook);
    let text = format!("#!/bin/sh\nexec {strace} {}.own {hook} \"$@\"\n", path.display());
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Tests all calls of one program. Returns the number of calls, and the number of pushes
/// that were completed.
fn points(world: &World, program: &str, fault: &str) -> (u32, u32) {
    let (log, step) = (world.path("strace.log"), 8 / rounds(1).clamp(1, 8));
    let hook = world.server().join("hooks").join(program);
    let is_hook = program != "git-receive-pack";
    if is_hook {
        fs::rename(&hook, own(&hook)).unwrap();
    }
    let (mut all, mut new, mut number) = (0, 0, 1);
    loop {
        let before = world.git("ada", &["ls-remote", "origin", "refs/heads/dev"]);
        let what = format!("{program}, {fault}, call {number}");
        let commit = world.commits("ada", "dev", &format!("fix: {what}"), "src/app.rs");
        let strace = traced(&log, fault, number);
        let _ = fs::remove_file(&log);
        let pack = if is_hook {
            wrap(world, program, &strace);
            String::from("git-receive-pack")
        } else {
            format!("{strace} git-receive-pack")
        };
        let pack = format!("--receive-pack={pack}");
        let _ = world.try_git("ada", &world.path("ada"), &["push", "-q", &pack, "origin", "dev"]);
        if is_hook {
            fs::remove_file(&hook).unwrap();
            fs::copy(own(&hook), &hook).unwrap();
        }
        let log = fs::read_to_string(&log).unwrap_or_default();
        let hit = log.contains("(INJECTED)") || log.contains("killed by SIGKILL");
        let moved = check_old_or_new_value(world, &before, &commit, &what);
        if !hit {
            assert!(moved, "{what}: rejected without a fault");
            break;
        }
        (all, new, number) = (all + 1, new + u32::from(moved), number + step);
    }
    if is_hook {
        fs::rename(own(&hook), &hook).unwrap();
    }
    (all, new)
}

fn own(hook: &Path) -> PathBuf {
    hook.with_extension("own")
}

#[expect(clippy::print_stdout, reason = "a long run prints its figures")]
fn every_point(mode: &str, programs: &[&str]) {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    guard(&world, mode);
    for program in programs {
        for fault in ["error=ENOSPC", "signal=KILL"] {
            let (all, new) = points(&world, program, fault);
            println!("{mode}, {program}, {fault}: {all} points, {new} pushes completed");
            assert!(all > 2, "no fault was injected");
        }
    }
}

#[test]
#[ignore = "needs strace"]
fn strict_is_old_or_new_at_every_call() {
    every_point("strict", &["git-receive-pack", "pre-receive", "proc-receive"]);
}

#[test]
#[ignore = "needs strace"]
fn portable_is_old_or_new_at_every_call() {
    every_point("portable", &["git-receive-pack", "pre-receive", "reference-transaction"]);
}
