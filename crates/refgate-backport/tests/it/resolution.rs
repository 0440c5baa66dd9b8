//! Tests of the worktrees: work of the user is recognised, and none of it is lost.

use std::fs;
use std::path::PathBuf;

use crate::world::World;

/// Applies two fixes to one line, where the first one conflicts. Returns the worktree.
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

/// A commit with another message counts as the pick, and gets the line that names the
/// original.
#[test]
fn adds_the_original_to_a_custom_message() {
    let (world, [first, second], tree) = conflict();
    resolve(&world, &tree);
    world.try_git(&tree, &["commit", "-q", "-m", "resolved by hand"]);
    let said = world.does(0, &["continue"]);
    assert!(said.contains(&format!("added `(cherry picked from commit {first})`")), "{said}");
    let log = world.git(&["log", "-2", "--reverse", "--format=%s|%an|%b", &branch(&first)]);
    let line = |id: &str| format!("(cherry picked from commit {id})");
    assert!(log.starts_with("resolved by hand|"), "{log}");
    assert!(log.contains(&line(&first)) && log.contains(&line(&second)), "{log}");
}

/// An unrelated commit does not count as the fix, and a branch that is checked out in the
/// worktree is not moved.
#[test]
fn stops_at_an_unrelated_commit() {
    let (world, [first, _], tree) = conflict();
    world.try_git(&tree, &["cherry-pick", "--abort"]);
    world.try_git(&tree, &["switch", "-q", "-c", "unrelated"]);
    fs::write(tree.join("wip"), "wip\n").unwrap();
    world.try_git(&tree, &["add", "wip"]);
    world.try_git(&tree, &["commit", "-q", "-m", "wip"]);
    let wip = world.git(&["rev-parse", "unrelated"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("is unrelated to"), "{said}");
    assert!(said.contains(&format!("your branch unrelated, which stays at {wip}")), "{said}");
    // The command in the hint works, and does not move the user's branch.
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

/// `skip BRANCH FIX` leaves out one of several fixes.
#[test]
fn skips_one_fix_of_several() {
    let (world, [first, _], tree) = conflict();
    world.try_git(&tree, &["cherry-pick", "--skip"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains(&format!("git backport skip release/1.0 {}", &first[..10])), "{said}");
    world.does(3, &["skip", "release/1.0", "release/1.1"]);
    let said = world.does(0, &["skip", "release/1.0", &first]);
    assert!(said.contains("uncommitted changes saved as"), "{said}");
    let log = world.git(&["log", "--format=%s", &format!("release/1.0..{}", branch(&first))]);
    assert_eq!(log, "fix: lib");
    // A fix that waits for the conflicting one can be left out, too.
    let (world, [first, second], tree) = conflict();
    world.does(1, &["skip", "release/1.0", &second]);
    resolve(&world, &tree);
    world.does(0, &["continue"]);
    assert_eq!(titles(&world, &first), "fix: two");
}

/// `abort` saves the user's work, and keeps a locked worktree and a nested repository.
#[test]
fn abort_loses_no_work() {
    let (world, _, tree) = conflict();
    resolve(&world, &tree);
    fs::write(tree.join("notes"), "mine\n").unwrap();
    world.git(&["worktree", "lock", &tree.display().to_string()]);
    let said = world.does(0, &["abort"]);
    assert!(said.contains("it is locked"), "{said}");
    assert_eq!(fs::read_to_string(tree.join("notes")).unwrap(), "mine\n");
    let (world, _, tree) = conflict();
    world.try_git(&tree, &["init", "-q", "nested"]);
    world.try_git(&tree.join("nested"), &["commit", "-q", "--allow-empty", "-m", "mine"]);
    let said = world.does(0, &["abort"]);
    assert!(said.contains("is a separate repository"), "{said}");
    assert!(tree.join("nested/.git").exists());
    let (world, _, tree) = conflict();
    fs::write(tree.join("notes"), "mine\n").unwrap();
    let said = world.does(0, &["abort"]);
    assert!(!tree.exists());
    let kept =
        said.lines().find_map(|line| line.split_once("uncommitted changes saved as ")).unwrap().1;
    assert_eq!(world.git(&["show", &format!("{kept}:notes")]), "mine");
}

/// Applies three fixes to one line, where the first two conflict. Returns the worktree.
fn twice() -> (World, [String; 3], PathBuf) {
    let world = World::new();
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.edit("lib.txt", "c\n", "ce\n");
    world.commit("feat: German");
    let first = world.fix("fix: two", "app.txt", "two\n", "2\n");
    let second = world.fix("fix: lib", "lib.txt", "c\n", "C\n");
    let third = world.fix("fix: eight", "app.txt", "eight\n", "8\n");
    world.does(1, &["apply", &first, &second, &third, "--to", "release/1.0", "--gap"]);
    let branch = format!("backport%2F{}%2Frelease%2F1.0", &first[..10]);
    let tree = world.path().join(".git/refgate/backport").join(branch);
    (world, [first, second, third], tree)
}

fn settle(world: &World, tree: &std::path::Path, path: &str) {
    let text = fs::read_to_string(tree.join(path)).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with(['<', '=', '>'])).collect();
    fs::write(tree.join(path), kept.join("\n") + "\n").unwrap();
    world.try_git(tree, &["add", "-A"]);
}

fn titles(world: &World, fix: &str) -> String {
    world.git(&["log", "--format=%s", &format!("release/1.0..{}", branch(fix))])
}

/// With two conflicts, the first resolution is kept while the second one is resolved.
#[test]
fn keeps_finished_picks_while_another_one_conflicts() {
    let (world, [first, second, third], tree) = twice();
    settle(&world, &tree, "app.txt");
    world.does(1, &["continue"]);
    // `continue` runs too early, and the pick is aborted once.
    world.does(1, &["continue"]);
    world.try_git(&tree, &["cherry-pick", "--abort"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains(&format!("picking {}", &second[..10])), "{said}");
    // An unrelated commit does not count as the second fix.
    world.try_git(&tree, &["cherry-pick", "--abort"]);
    fs::write(tree.join("z"), "z\n").unwrap();
    world.try_git(&tree, &["add", "z"]);
    world.try_git(&tree, &["commit", "-q", "-m", "z"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("is unrelated to"), "{said}");
    world.try_git(&tree, &["reset", "-q", "--hard", "HEAD^"]);
    world.does(1, &["continue"]);
    settle(&world, &tree, "lib.txt");
    world.does(0, &["continue"]);
    assert_eq!(titles(&world, &first), "fix: eight\nfix: lib\nfix: two");
    let log = world.git(&["log", "--format=%b", &format!("release/1.0..{}", branch(&first))]);
    for id in [first, second, third] {
        assert_eq!(log.matches(&id).count(), 1, "{log}");
    }
}

/// A fix can be left out after somebody has committed it.
#[test]
fn skips_a_fix_that_was_committed() {
    let (world, [first, second, _], tree) = twice();
    settle(&world, &tree, "app.txt");
    world.does(1, &["continue"]);
    settle(&world, &tree, "lib.txt");
    world.try_git(&tree, &["commit", "-q", "-a", "-m", "mine"]);
    let said = world.does(0, &["skip", "release/1.0", &second]);
    assert!(said.contains("committed work saved as"), "{said}");
    assert_eq!(titles(&world, &first), "fix: eight\nfix: two");
}

/// A rebase that is in progress is not interrupted.
#[test]
fn does_not_interrupt_a_rebase() {
    let (world, [first, ..], tree) = twice();
    settle(&world, &tree, "app.txt");
    world.try_git(&tree, &["commit", "-q", "-a", "-m", "mine"]);
    let rebase = ["-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-q", "-i", "HEAD^"];
    world.try_git(&tree, &rebase);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("a rebase is in progress"), "{said}");
    world.does(3, &["skip", "release/1.0", &first]);
    world.try_git(&tree, &["rebase", "--continue"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("to your commit"), "{said}");
}

/// A moved worktree is found, and the commits of a deleted one are kept.
#[test]
fn finds_a_moved_or_deleted_worktree() {
    let (world, [first, ..], tree) = conflict_and_move();
    world.does(0, &["continue"]);
    assert!(!tree.exists());
    assert_eq!(titles(&world, &first), "fix: lib\nfix: two");
    let (world, [first, _], tree) = conflict();
    resolve(&world, &tree);
    world.try_git(&tree, &["commit", "-q", "-m", "by hand"]);
    fs::remove_dir_all(&tree).unwrap();
    world.does(0, &["continue"]);
    assert_eq!(titles(&world, &first), "fix: lib\nby hand");
    // After `cherry-pick --quit`, the resolution is not overwritten.
    let (world, _, tree) = conflict();
    resolve(&world, &tree);
    world.try_git(&tree, &["cherry-pick", "--quit"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("your local changes"), "{said}");
}

fn conflict_and_move() -> (World, [String; 2], PathBuf) {
    let (world, fixes, tree) = conflict();
    let moved = world.path().join("elsewhere");
    world.git(&["worktree", "move", &tree.display().to_string(), &moved.display().to_string()]);
    resolve(&world, &moved);
    (world, fixes, moved)
}

/// A Git that was killed after its commit still shows the pick as in progress.
#[test]
fn ends_a_pick_that_is_already_committed() {
    let (world, [first, ..], tree) = twice();
    settle(&world, &tree, "app.txt");
    world.try_git(&tree, &["commit", "-q", "--no-edit"]);
    world.try_git(&tree, &["update-ref", "--no-deref", "CHERRY_PICK_HEAD", &first]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("release/1.0  conflict in") && !said.contains("allow-empty"), "{said}");
    settle(&world, &tree, "lib.txt");
    world.does(0, &["continue"]);
    assert_eq!(titles(&world, &first), "fix: eight\nfix: lib\nfix: two");
}

/// Of a resolution in several commits, the commit that changes a file of the fix gets the
/// line that names the original. `abort` prints the id of the committed work.
#[test]
fn accepts_a_resolution_in_several_commits() {
    let (world, [first, ..], tree) = twice();
    settle(&world, &tree, "app.txt");
    world.try_git(&tree, &["commit", "-q", "-m", "part 1"]);
    fs::write(tree.join("more"), "more\n").unwrap();
    world.try_git(&tree, &["add", "more"]);
    world.try_git(&tree, &["commit", "-q", "-m", "part 2"]);
    world.does(1, &["continue"]);
    let log = world.try_git(&tree, &["log", "--format=%s|%b", "release/1.0..HEAD"]);
    let log = String::from_utf8(log.stdout).unwrap();
    assert!(log.contains(&format!("part 1|(cherry picked from commit {first})")), "{log}");
    assert!(log.starts_with("part 2|\n"), "{log}");
    let head = world.try_git(&tree, &["rev-parse", "HEAD"]);
    let head = String::from_utf8(head.stdout).unwrap();
    world.try_git(&tree, &["cherry-pick", "--abort"]);
    let said = world.does(0, &["abort"]);
    assert!(said.contains(&format!("committed work saved as {}", head.trim())), "{said}");
}
