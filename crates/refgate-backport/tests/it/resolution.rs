//! What somebody does in a worktree of ours: is it taken for what it is, and is none of it lost?

use std::fs;
use std::path::PathBuf;

use crate::world::World;

/// Two fixes to one line, the first of which conflicts there: its worktree.
fn conflict() -> (World, [String; 2], PathBuf) {
    let world = World::new();
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    let first = world.fix("fix: two", "app.txt", "two\n", "2\n");
    let second = world.fix("fix: lib", "lib.txt", "c\n", "C\n");
    world.does(1, &["apply", &first, &second, "--to", "release/1.0", "--gap"]);
    let branch = format!("backport%2F{}%2Frelease%2F1.0", &first[..10]);
    let tree = world.path().join(".git/refgate/backport").join(branch);
    (world, [first, second], tree)
}

fn branch(fix: &str) -> String {
    format!("backport/{}/release/1.0", &fix[..10])
}

fn resolve(world: &World, tree: &std::path::Path) {
    let text = fs::read_to_string(tree.join("app.txt")).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with(['<', '=', '>'])).collect();
    fs::write(tree.join("app.txt"), kept.join("\n") + "\n").unwrap();
    world.try_git(tree, &["add", "-A"]);
}

/// A commit with a message of its own is the pick, and says so afterwards.
#[test]
fn a_message_by_hand_gets_the_line() {
    let (world, [first, second], tree) = conflict();
    resolve(&world, &tree);
    world.try_git(&tree, &["commit", "-q", "-m", "resolved by hand"]);
    let said = world.does(0, &["continue"]);
    assert!(said.contains(&format!("`(cherry picked from commit {first})` was added")), "{said}");
    let log = world.git(&["log", "-2", "--reverse", "--format=%s|%an|%b", &branch(&first)]);
    let line = |id: &str| format!("(cherry picked from commit {id})");
    assert!(log.starts_with("resolved by hand|"), "{log}");
    assert!(log.contains(&line(&first)) && log.contains(&line(&second)), "{log}");
}

/// What has nothing to do with the fix is not taken for it, and a branch that
/// is checked out there is not moved.
#[test]
fn other_work_is_not_the_fix() {
    let (world, [first, _], tree) = conflict();
    world.try_git(&tree, &["cherry-pick", "--abort"]);
    world.try_git(&tree, &["switch", "-q", "-c", "unrelated"]);
    fs::write(tree.join("wip"), "wip\n").unwrap();
    world.try_git(&tree, &["add", "wip"]);
    world.try_git(&tree, &["commit", "-q", "-m", "wip"]);
    let wip = world.git(&["rev-parse", "unrelated"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("has nothing to do with"), "{said}");
    assert!(said.contains(&format!("your unrelated, which stays at {wip}")), "{said}");
    // The way back that it names works, and moves nothing of mine.
    let back = said.lines().find_map(|line| line.trim().strip_prefix("git -C ")).unwrap();
    let words: Vec<&str> = back.split_whitespace().skip(1).collect();
    world.try_git(&tree, &words);
    world.does(1, &["continue"]);
    resolve(&world, &tree);
    world.does(0, &["continue"]);
    assert_eq!(world.git(&["rev-parse", "unrelated"]), wip);
    let log = world.git(&["log", "--format=%s", &format!("release/1.0..{}", branch(&first))]);
    assert_eq!(log, "fix: lib\nfix: two");
}

/// Of several fixes one is left out.
#[test]
fn one_fix_of_several_is_left_out() {
    let (world, [first, second], tree) = conflict();
    world.try_git(&tree, &["cherry-pick", "--skip"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains(&format!("git backport skip release/1.0 {}", &first[..10])), "{said}");
    world.does(3, &["skip", "release/1.0", &second]);
    let said = world.does(0, &["skip", "release/1.0", &first]);
    assert!(said.contains("what stood there, uncommitted, is"), "{said}");
    let log = world.git(&["log", "--format=%s", &format!("release/1.0..{}", branch(&first))]);
    assert_eq!(log, "fix: lib");
}

/// Giving up tells what was worked on, and leaves a locked worktree alone.
#[test]
fn nothing_that_was_worked_on_is_lost() {
    let (world, _, tree) = conflict();
    resolve(&world, &tree);
    fs::write(tree.join("notes"), "mine\n").unwrap();
    world.git(&["worktree", "lock", &tree.display().to_string()]);
    let said = world.does(0, &["abort"]);
    assert!(said.contains("is locked, and stays"), "{said}");
    assert_eq!(fs::read_to_string(tree.join("notes")).unwrap(), "mine\n");
    let (world, _, tree) = conflict();
    fs::write(tree.join("notes"), "mine\n").unwrap();
    let said = world.does(0, &["abort"]);
    assert!(!tree.exists());
    let kept = said.lines().find_map(|line| line.split_once("uncommitted, is ")).unwrap().1;
    assert_eq!(world.git(&["show", &format!("{kept}:notes")]), "mine");
}
