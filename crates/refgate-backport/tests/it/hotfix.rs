//! Does a hotfix come to all three branches, and is it not called done before?

use std::fs;

use crate::world::World;

/// `main`, `stg` and `dev` under the portal's policy, each with its own version.
fn world() -> World {
    let world = World::new();
    let recipe =
        "\n[[recipe]]\npaths = [\"VERSION\"]\nkeep = \"branch\"\nthen = \"make version\"\n";
    let policy = include_str!("../../../../policies/portal.toml");
    world.write(".refgate/policy.toml", &format!("{policy}{recipe}"));
    world.write("VERSION", "1.0\n");
    world.commit("chore: policy");
    world.git(&["branch", "stg"]);
    world.git(&["switch", "-q", "-c", "dev"]);
    world.write("VERSION", "1.1-dev\n");
    world.edit("app.txt", "eight\n", "8\n");
    world.commit("fix: eight");
    world.git(&["switch", "-q", "main"]);
    world
}

/// The fix is begun, and bumps the version of production.
fn fixed(world: &World) -> String {
    let said = world.does(0, &["hotfix", "start", "crash"]);
    assert!(said.contains("hotfix/crash begins where main stands"), "{said}");
    assert_eq!(world.git(&["branch", "--show-current"]), "hotfix/crash");
    world.edit("app.txt", "two\n", "2\n");
    world.write("VERSION", "1.0.1\n");
    world.commit("hotfix: crash at start")
}

#[test]
fn a_hotfix_comes_to_all_three_branches() {
    let world = world();
    let fix = fixed(&world);
    let finish = ["hotfix", "finish", "hotfix/crash"];
    let mut story = vec![world.does(1, &finish), world.does(1, &finish)];
    for (stage, version) in [("main", "1.0.1"), ("stg", "1.0"), ("dev", "1.1-dev")] {
        let made = format!("backport/hotfix/crash/{stage}");
        assert_eq!(world.git(&["show", &format!("{made}:VERSION")]), version);
        assert!(world.git(&["show", &format!("{made}:app.txt")]).contains("2\n"));
        let parents = world.git(&["rev-parse", &format!("{made}^@")]);
        assert_eq!(parents, format!("{}\n{fix}", world.git(&["rev-parse", stage])));
    }
    // Somebody merges two of them.
    world.on("main", &["merge", "-q", "--ff-only", "backport/hotfix/crash/main"]);
    world.on("dev", &["merge", "-q", "--ff-only", "backport/hotfix/crash/dev"]);
    story.push(world.does(1, &finish));
    world.on("stg", &["merge", "-q", "--ff-only", "backport/hotfix/crash/stg"]);
    story.push(world.does(0, &finish));
    insta::assert_snapshot!("hotfix", story.join("---\n"));
}

#[test]
fn a_conflict_in_a_merge_back_waits_for_somebody() {
    let world = world();
    world.git(&["switch", "-q", "dev"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("fix: German");
    world.git(&["switch", "-q", "main"]);
    fixed(&world);
    world.git(&["switch", "-q", "--detach"]);
    let finish = ["hotfix", "finish", "hotfix/crash", "--straight"];
    let said = world.does(1, &finish);
    assert!(said.contains("dev  conflict in") && said.contains("1 file(s) wait"), "{said}");
    assert!(world.does(3, &finish).contains("waits to be finished"));
    let tree = world.path().join(".git/refgate/backport/dev");
    world.try_git(&tree, &["add", "-A"]);
    assert!(world.does(1, &["continue"]).contains("conflict marks left"));
    // Killed in between: the worktree is made again.
    fs::remove_dir_all(&tree).unwrap();
    world.does(1, &["continue"]);
    fs::write(tree.join("app.txt"), "one\n2\n").unwrap();
    world.try_git(&tree, &["add", "-A"]);
    assert!(world.does(0, &["continue"]).contains("dev  done"));
    assert_eq!(world.git(&["show", "dev:VERSION"]), "1.1-dev");
    let message = world.git(&["show", "-s", "--format=%B", "dev"]);
    assert_eq!(message, "Merge branch 'hotfix/crash' into dev\n\nChange-Class: hotfix");
    assert!(world.does(0, &finish).contains("is finished: every branch has it"));
}

#[test]
fn what_is_no_hotfix_is_not_carried() {
    let world = world();
    let said = world.does(3, &["hotfix", "finish"]);
    assert!(said.contains("no hotfix/... branch is checked out"), "{said}");
    world.edit("app.txt", "one\n", "1\n");
    let said = world.does(0, &["hotfix", "start", "hotfix/new"]);
    assert!(said.contains("left as it is"), "{said}");
    world.git(&["checkout", "-q", "app.txt"]);
    let said = world.does(3, &["hotfix", "finish", "hotfix/new"]);
    assert!(said.contains("nothing is committed on hotfix/new yet"), "{said}");
    world.git(&["switch", "-q", "hotfix/new"]);
    world.write("src/new.rs", "fn new() {}\n");
    world.commit("feat: new");
    let said = world.does(1, &["hotfix", "finish"]);
    assert!(said.contains("main  denied by policy"), "{said}");
    assert!(said.contains("not finished"), "{said}");
}

/// Picked to the earlier stages: production gets the merge and its own version,
/// a guess that some older change might be the same keeps nothing out, and what
/// production may not have goes nowhere.
#[test]
fn a_hotfix_is_picked_where_that_is_wanted() {
    let world = world();
    // Another change of the same author, second and file.
    world.git(&["switch", "-q", "dev"]);
    world.edit("app.txt", "five\n", "5\n");
    world.git(&["add", "-A"]);
    let at = "1780001000 +0000";
    let dated = |message: &str| {
        world.git(&["-c", "user.name=ada", "commit", "-q", "-m", message, "--date", at]);
    };
    dated("fix: five");
    world.git(&["switch", "-q", "main"]);
    world.does(0, &["hotfix", "start", "crash"]);
    world.edit("app.txt", "five\n", "5\n");
    world.edit("app.txt", "two\n", "2\n");
    world.write("VERSION", "1.0.1\n");
    world.git(&["add", "-A"]);
    dated("hotfix: crash at start");
    world.git(&["switch", "-q", "--detach"]);
    let finish = ["hotfix", "finish", "hotfix/crash", "--straight", "--pick"];
    let said = world.backport(&finish).1;
    assert!(!said.contains("dev  has it"), "{said}");
    assert_eq!(world.git(&["show", "main:VERSION"]), "1.0.1");
    assert_eq!(world.git(&["show", "stg:VERSION"]), "1.0");
    assert!(world.git(&["show", "stg:app.txt"]).contains("2\n"), "{said}");
    // Only a version: the earlier stages join histories.
    world.backport(&["abort"]);
    world.does(0, &["hotfix", "start", "version"]);
    world.write("VERSION", "1.0.2\n");
    world.commit("hotfix: another version");
    world.git(&["switch", "-q", "--detach"]);
    let finish = ["hotfix", "finish", "hotfix/version", "--straight", "--pick"];
    assert!(world.does(0, &finish).contains("every branch has it"));
    // A feature is carried nowhere.
    world.does(0, &["hotfix", "start", "new"]);
    world.write("src/new.rs", "fn new() {}\n");
    world.commit("feat: new");
    world.git(&["switch", "-q", "--detach"]);
    let before = world.git(&["for-each-ref", "refs/heads"]);
    let said = world.does(1, &["hotfix", "finish", "hotfix/new", "--straight"]);
    assert!(said.contains("main  denied by policy"), "{said}");
    assert_eq!(world.git(&["for-each-ref", "refs/heads"]), before);
}

/// What was made first and is to be pushed later is pushed.
#[test]
fn what_was_made_without_a_push_is_pushed_with_one() {
    let world = world();
    let server = world.path().join(".git/server");
    world.git(&["clone", "-q", "--bare", ".", &server.display().to_string()]);
    world.git(&["remote", "add", "origin", &server.display().to_string()]);
    world.git(&["fetch", "-q", "origin"]);
    fixed(&world);
    world.git(&["switch", "-q", "--detach"]);
    let finish = ["hotfix", "finish", "hotfix/crash", "--straight"];
    assert!(world.does(1, &finish).contains("not finished"));
    let said = world.does(0, &[&finish[..], &["--push"]].concat());
    assert!(said.contains("is finished"), "{said}");
    for stage in ["main", "stg", "dev"] {
        let there = world.git(&["ls-remote", "origin", &format!("refs/heads/{stage}")]);
        assert!(there.starts_with(&world.git(&["rev-parse", stage])), "{stage}: {there}");
    }
}
