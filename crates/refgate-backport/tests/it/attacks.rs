//! Regression tests for faults that hostile testing found: wrong guesses and lost work.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use refgate_scenario::HostileClone;

use crate::world::World;

/// A fix on main that conflicts on `release/1.0`.
fn conflict() -> (World, String) {
    let world = World::new();
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    (world, fix)
}

fn tree(world: &World, reference: &str) -> PathBuf {
    world.path().join(".git/refgate/backport").join(reference.replace('/', "%2F"))
}

/// A worktree at another commit is not used for the branch, and uncommitted changes in it
/// are not lost.
#[test]
fn does_not_use_a_worktree_at_another_commit() {
    let (world, fix) = conflict();
    world.does(1, &["apply", &fix, "--to", "release/1.0", "--straight", "--gap"]);
    let tree = tree(&world, "release/1.0");
    let before = world.git(&["rev-parse", "release/1.0"]);
    world.try_git(&tree, &["checkout", "-q", "-f", "main~0"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("does not descend from"), "{said}");
    assert_eq!(world.git(&["rev-parse", "release/1.0"]), before);
    world.try_git(&tree, &["checkout", "-q", "-f", &before]);
    fs::write(tree.join("app.txt"), "one\n2\n").unwrap();
    world.try_git(&tree, &["commit", "-q", "-a", "-m", "by hand"]);
    fs::write(tree.join("notes"), "mine\n").unwrap();
    let said = world.does(1, &["continue"]);
    assert!(said.contains("uncommitted changes"), "{said}");
    // `abort` prints the commit that was made there.
    let made = String::from_utf8(world.try_git(&tree, &["rev-parse", "HEAD"]).stdout).unwrap();
    let said = world.does(0, &["abort"]);
    assert!(said.contains(made.trim()), "{said}");
    assert!(!tree.exists());
    // A worktree of an earlier run is not reused.
    fs::create_dir_all(&tree).unwrap();
    let said = world.does(1, &["apply", &fix, "--to", "release/1.0", "--straight", "--gap"]);
    assert!(said.contains("earlier backport"), "{said}");
    assert!(said.contains("\n    rm -r REPO/.git/refgate"), "{said}");
}

/// A blocked branch does not stop the others, and is reported again at the end.
#[test]
fn continues_with_other_branches_when_one_is_blocked() {
    let (world, fix) = conflict();
    let mine = format!("backport/{}/release/1.1", &fix[..10]);
    world.git(&["branch", &mine, "main"]);
    let said = world.does(1, &["apply", &fix]);
    assert!(said.contains("release/1.2  done"), "{said}");
    assert!(said.contains("release/1.0  conflict"), "{said}");
    assert!(said.contains("already exists"), "{said}");
    let tree = tree(&world, &format!("backport/{}/release/1.0", &fix[..10]));
    fs::write(tree.join("app.txt"), "one\n2\n").unwrap();
    world.try_git(&tree, &["commit", "-q", "-a", "-m", "by hand"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("release/1.0  done"), "{said}");
    assert!(said.contains("already exists"), "{said}");
    assert_eq!(world.git(&["rev-parse", &mine]), world.git(&["rev-parse", "main"]));
}

/// Guesses, false trailers and quotations do not count as a copy of a fix.
#[test]
fn does_not_treat_a_guess_as_present() {
    let world = World::new();
    let same = "--date=2026-06-01T10:00:00Z";
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.git(&["commit", "-q", "-a", "-m", "feat: German", same]);
    world.git(&["switch", "-q", "main"]);
    world.edit("app.txt", "two\n", "2\n");
    world.git(&["commit", "-q", "-a", "-m", "fix: two", same]);
    let fix = world.git(&["rev-parse", "HEAD"]);
    let said = world.does(1, &["plan", &fix, "--to", "release/1.0"]);
    assert!(said.contains("conflict in app.txt"), "{said}");
    // A second part of the change has the same author, date and title.
    world.edit("app.txt", "seven\n", "7\n");
    world.git(&["commit", "-q", "-a", "-C", &fix]);
    let half = world.git(&["rev-parse", "HEAD"]);
    world.on("release/1.1", &["cherry-pick", &fix]);
    assert!(world.does(0, &["plan", &half, "--to", "release/1.1"]).contains("clean"));
    // A message names a fix whose files the commit does not change; another one quotes.
    let other = world.fix("fix: b", "lib.txt", "b\n", "B\n");
    world.git(&["switch", "-q", "release/1.2"]);
    world.write("doc", "a\n");
    world.commit(&format!("docs: a\n\n(cherry picked from commit {other})"));
    world.write("doc", "b\n");
    world.commit(&format!("docs: b\n\n> (cherry picked from commit {other})"));
    world.on("release/1.1", &["cherry-pick", "-x", &other]);
    let picked = world.git(&["rev-parse", "release/1.1"]);
    world.git(&["switch", "-q", "release/1.1"]);
    world.write("doc", "c\n");
    world.commit(&format!("docs: c\n\nWe thought of it, but: This reverts commit {picked}."));
    world.git(&["switch", "-q", "main"]);
    let said = world.does(0, &["plan", &other, "--to", "release/1.2", "--to", "release/1.1"]);
    assert!(said.contains("clean") && said.contains("present ("), "{said}");
}

/// A revert that was itself reverted is not a follow-up.
#[test]
fn ignores_a_revert_that_was_reverted() {
    let world = World::new();
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    for line in ["release/1.0", "release/1.1", "release/1.2"] {
        world.on(line, &["cherry-pick", "-x", &fix]);
    }
    world.git(&["revert", "--no-edit", "HEAD"]);
    let said = world.does(1, &["status", "--exit-code", &fix]);
    assert!(said.contains("Revert \"fix: two\" is not on"), "{said}");
    world.git(&["revert", "--no-edit", "HEAD"]);
    world.does(0, &["status", "--exit-code", &fix]);
}

/// The Git attributes of the branch apply, as they do for `git cherry-pick`.
#[test]
fn uses_the_attributes_of_the_branch() {
    let world = World::new();
    for line in ["release/1.0", "main"] {
        world.git(&["switch", "-q", line]);
        world.write(".gitattributes", "app.txt -merge\n");
        world.commit("chore: attributes");
    }
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "eight\n", "acht\n");
    world.commit("feat: German");
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    let said = world.does(1, &["plan", &fix, "--to", "release/1.0"]);
    assert!(said.contains("conflict in app.txt"), "{said}");
}

/// `undo` keeps a branch that is checked out, and `apply` names prerequisites before it
/// picks them.
#[test]
fn keeps_a_branch_that_is_checked_out() {
    let world = World::new();
    world.fix("refactor: two", "app.txt", "two\n", "TWO\n");
    let fix = world.fix("fix: two", "app.txt", "TWO\n", "2!\n");
    let said = world.does(1, &["apply", &fix, "--to", "release/1.1", "--gap"]);
    assert!(said.contains("add --prerequisites") && said.contains("refactor: two"), "{said}");
    world.does(1, &["apply", &fix, "--to", "origin/release/1.1", "--by-hand", "--gap"]);
    assert!(world.does(0, &["abort"]).contains("undo is complete"));
    world.does(0, &["apply", &fix, "--to", "release/1.1", "--prerequisites", "--gap"]);
    let branch = format!("backport/{}/release/1.1", &fix[..10]);
    world.git(&["switch", "-q", &branch]);
    let said = world.does(1, &["undo"]);
    assert!(said.contains("is checked out"), "{said}");
    world.git(&["rev-parse", &branch]);
    // After the checkout of another branch, `undo` succeeds.
    world.git(&["switch", "-q", "main"]);
    world.does(0, &["undo"]);
    assert_eq!(world.git(&["branch", "--list", "backport/*"]), "");
}

/// After a kill at any moment, the run can be continued or undone.
#[test]
fn recovers_from_a_kill_at_any_moment() {
    let (world, fix) = conflict();
    let before = world.git(&["for-each-ref"]);
    for round in 0..24_u64 {
        let mut apply = Command::new(env!("CARGO_BIN_EXE_git-backport"));
        apply.current_dir(world.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            apply.env(format!("GIT_{role}_NAME"), "ada").env(format!("GIT_{role}_EMAIL"), "a@x");
        }
        apply.args(["apply", &fix]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut apply = apply.process_group(0).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(4 * round));
        // The whole process group is killed.
        let group = format!("-{}", apply.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).output().unwrap();
        let _ = apply.wait();
        if world.path().join(".git/refgate/backport/run.json").exists() {
            let (code, said) = world.backport(&["continue"]);
            assert!(matches!(code, Some(1 | 3)), "round {round}: {said}");
            world.does(0, &["undo"]);
        }
        assert_eq!(world.git(&["for-each-ref"]), before, "round {round}");
        assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1, "round {round}");
    }
}

/// A conflict that was committed as Git left it is resolved, not exact. Of a merge
/// commit, only the changes against its first parent count.
#[test]
fn a_committed_conflict_is_not_exact() {
    let world = World::new();
    world.write("logo.bin", "a\0b");
    world.commit("feat: logo");
    world.on("release/1.0", &["cherry-pick", "main"]);
    world.git(&["switch", "-q", "release/1.0"]);
    world.write("logo.bin", "line\0b");
    world.commit("feat: a logo of its own");
    world.git(&["switch", "-q", "main"]);
    world.write("logo.bin", "c\0d");
    world.edit("app.txt", "two\n", "2\n");
    let fix = world.commit("fix: two and the logo");
    world.git(&["switch", "-q", "release/1.0"]);
    world.try_git(&world.path(), &["cherry-pick", "-x", &fix]);
    world.git(&["add", "-A"]);
    world.git(&["-c", "core.editor=true", "cherry-pick", "--continue"]);
    let said = world.does(1, &["receipt", "HEAD"]);
    assert!(said.contains("resolved") && said.contains("logo.bin"), "{said}");
    // A fix on a branch from before a feature, into which `main` is then merged.
    world.git(&["switch", "-q", "-c", "old", "release/1.1"]);
    world.edit("app.txt", "five\n", "5\n");
    world.commit("fix: five");
    world.git(&["merge", "-q", "--no-ff", "-m", "fix: five, merged", "main"]);
    let merge = world.git(&["rev-parse", "HEAD"]);
    world.git(&["switch", "-q", "main"]);
    world.git(&["merge", "-q", "--ff-only", "old"]);
    world.git(&["switch", "-q", "-C", "other", "release/1.2"]);
    world.git(&["cherry-pick", "-x", "-m", "2", &merge]);
    assert!(world.does(1, &["receipt", "HEAD"]).contains("edited"));
}

/// The prerequisite of a fix to a renamed file is the commit that added the file.
#[test]
fn finds_the_prerequisite_of_a_renamed_file() {
    let world = World::new();
    world.write("new.txt", "one\ntwo\nthree\nfour\nfive\nsix\n");
    let brought = world.commit("feat: new");
    world.git(&["mv", "new.txt", "newer.txt"]);
    world.edit("newer.txt", "two\n", "2\n");
    let fix = world.commit("fix: new, moved");
    let said = world.does(0, &["plan", &fix, "--to", "release/1.1"]);
    assert!(said.contains(&format!("clean after {}", &brought[..10])), "{said}");
}

/// A clone that a stranger sent: no verb that reads runs its programs or writes through its
/// link, and a verb that writes says why it does not.
#[test]
fn hostile_clones_run_and_write_nothing() {
    let (world, fix) = conflict();
    let other = world.fix("fix: eight", "app.txt", "eight\n", "8\n");
    let folder = tempfile::TempDir::new().unwrap();
    let clone = HostileClone::make(&world.path().join(".git"), folder.path()).unwrap();
    for (code, arguments) in [
        (0, &["status"][..]),
        (1, &["plan", &fix, "--to", "release/1.0"]),
        (0, &["plan", &other, "--to", "release/1.1"]),
        (3, &["receipt", "release/1.0"]),
    ] {
        let (found, said) = world.backport(arguments);
        assert_eq!((found, clone.traces().as_str()), (Some(code), ""), "{arguments:?}: {said}");
    }
    for arguments in [&["continue"][..], &["abort"], &["undo"]] {
        let (_, said) = world.backport(arguments);
        assert!(said.contains("is a symbolic link"), "{arguments:?}: {said}");
        assert_eq!(clone.traces(), "", "{arguments:?}");
    }
    let (code, said) = world.backport(&["apply", &other, "--to", "release/1.1", "--gap"]);
    assert!(code != Some(0) && said.contains("is a symbolic link"), "{said}");
    assert_eq!(fs::read_dir(folder.path().join("outside")).unwrap().count(), 0);
}
