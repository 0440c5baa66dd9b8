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
    let (world, [first, _], tree) = conflict();
    world.try_git(&tree, &["cherry-pick", "--skip"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains(&format!("git backport skip release/1.0 {}", &first[..10])), "{said}");
    world.does(3, &["skip", "release/1.0", "release/1.1"]);
    let said = world.does(0, &["skip", "release/1.0", &first]);
    assert!(said.contains("what stood there, uncommitted, is"), "{said}");
    let log = world.git(&["log", "--format=%s", &format!("release/1.0..{}", branch(&first))]);
    assert_eq!(log, "fix: lib");
    // One that waits for the one that conflicts.
    let (world, [first, second], tree) = conflict();
    world.does(1, &["skip", "release/1.0", &second]);
    resolve(&world, &tree);
    world.does(0, &["continue"]);
    assert_eq!(titles(&world, &first), "fix: two");
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
    world.try_git(&tree, &["init", "-q", "nested"]);
    world.try_git(&tree.join("nested"), &["commit", "-q", "--allow-empty", "-m", "mine"]);
    let said = world.does(0, &["abort"]);
    assert!(said.contains("is a repository of its own"), "{said}");
    assert!(tree.join("nested/.git").exists());
    let (world, _, tree) = conflict();
    fs::write(tree.join("notes"), "mine\n").unwrap();
    let said = world.does(0, &["abort"]);
    assert!(!tree.exists());
    let kept = said.lines().find_map(|line| line.split_once("uncommitted, is ")).unwrap().1;
    assert_eq!(world.git(&["show", &format!("{kept}:notes")]), "mine");
}

/// Three fixes to one line, of which the first two conflict: its worktree.
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

/// One conflict after the other; what is settled stays settled.
#[test]
fn what_is_settled_stays_so() {
    let (world, [first, second, third], tree) = twice();
    settle(&world, &tree, "app.txt");
    world.does(1, &["continue"]);
    // Asked again too early, and given up once.
    world.does(1, &["continue"]);
    world.try_git(&tree, &["cherry-pick", "--abort"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains(&format!("picks {}", &second[..10])), "{said}");
    // A commit that has nothing to do with the second is not taken for it.
    world.try_git(&tree, &["cherry-pick", "--abort"]);
    fs::write(tree.join("z"), "z\n").unwrap();
    world.try_git(&tree, &["add", "z"]);
    world.try_git(&tree, &["commit", "-q", "-m", "z"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("has nothing to do with"), "{said}");
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

/// The second of three is left out, also where somebody has committed for it.
#[test]
fn one_that_was_committed_is_left_out() {
    let (world, [first, second, _], tree) = twice();
    settle(&world, &tree, "app.txt");
    world.does(1, &["continue"]);
    settle(&world, &tree, "lib.txt");
    world.try_git(&tree, &["commit", "-q", "-a", "-m", "mine"]);
    let said = world.does(0, &["skip", "release/1.0", &second]);
    assert!(said.contains("what was committed there is"), "{said}");
    assert_eq!(titles(&world, &first), "fix: eight\nfix: two");
}

/// What somebody is in the middle of is not cut short.
#[test]
fn a_rebase_under_way_is_not_cut_short() {
    let (world, [first, ..], tree) = twice();
    settle(&world, &tree, "app.txt");
    world.try_git(&tree, &["commit", "-q", "-a", "-m", "mine"]);
    let rebase = ["-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-q", "-i", "HEAD^"];
    world.try_git(&tree, &rebase);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("a rebase is under way"), "{said}");
    world.does(3, &["skip", "release/1.0", &first]);
    world.try_git(&tree, &["rebase", "--continue"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("was added to what you committed"), "{said}");
}

/// A worktree that was moved is found, and one that was removed remembered.
#[test]
fn a_worktree_may_go_elsewhere() {
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
    // Begun, resolved, and then forgotten by git: nothing is picked over it.
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

/// A git that was killed after its commit still takes the pick for begun.
#[test]
fn a_pick_that_is_committed_is_over() {
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

/// A resolution in several commits says where it was picked from where it
/// touches what the fix touches; giving up names what was settled.
#[test]
fn several_commits_are_one_resolution() {
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
    assert!(said.contains(&format!("what was committed there is {}", head.trim())), "{said}");
}
