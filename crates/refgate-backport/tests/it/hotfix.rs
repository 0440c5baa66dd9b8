//! Tests of `hotfix start` and `hotfix finish`.

use std::fs;

use crate::world::World;

/// `main`, `stg` and `dev` with the policy `portal`, each with its own version.
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

/// Starts a hotfix and commits it. It also increases the version of production.
fn fixed(world: &World) -> String {
    let said = world.does(0, &["hotfix", "start", "crash"]);
    assert!(said.contains("created hotfix/crash at the tip of main"), "{said}");
    assert_eq!(world.git(&["branch", "--show-current"]), "hotfix/crash");
    world.edit("app.txt", "two\n", "2\n");
    world.write("VERSION", "1.0.1\n");
    world.commit("hotfix: crash at start")
}

#[test]
fn brings_a_hotfix_to_all_branches() {
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
fn a_conflict_in_a_merge_waits_for_a_resolution() {
    let world = world();
    world.git(&["switch", "-q", "dev"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("fix: German");
    world.git(&["switch", "-q", "main"]);
    fixed(&world);
    world.git(&["switch", "-q", "--detach"]);
    let finish = ["hotfix", "finish", "hotfix/crash", "--straight"];
    let said = world.does(1, &finish);
    assert!(said.contains("dev  conflict in") && said.contains("1 unmerged file)"), "{said}");
    assert!(world.does(3, &finish).contains("another backport is unfinished"));
    let tree = world.path().join(".git/refgate/backport/dev");
    world.try_git(&tree, &["add", "-A"]);
    assert!(world.does(1, &["continue"]).contains("conflict markers are left"));
    // `continue` creates a deleted worktree again.
    fs::remove_dir_all(&tree).unwrap();
    world.does(1, &["continue"]);
    fs::write(tree.join("app.txt"), "one\n2\n").unwrap();
    world.try_git(&tree, &["add", "-A"]);
    assert!(world.does(0, &["continue"]).contains("dev  done"));
    assert_eq!(world.git(&["show", "dev:VERSION"]), "1.1-dev");
    let message = world.git(&["show", "-s", "--format=%B", "dev"]);
    assert_eq!(message, "Merge branch 'hotfix/crash' into dev\n\nChange-Class: hotfix");
    assert!(world.does(0, &finish).contains("is finished: every branch contains it"));
}

#[test]
fn does_not_finish_a_branch_that_is_no_hotfix() {
    let world = world();
    let said = world.does(3, &["hotfix", "finish"]);
    assert!(said.contains("no hotfix/... branch is checked out"), "{said}");
    world.edit("app.txt", "one\n", "1\n");
    let said = world.does(0, &["hotfix", "start", "hotfix/new"]);
    assert!(said.contains("the checkout is unchanged"), "{said}");
    world.git(&["checkout", "-q", "app.txt"]);
    let said = world.does(3, &["hotfix", "finish", "hotfix/new"]);
    assert!(said.contains("there are no commits on hotfix/new yet"), "{said}");
    world.git(&["switch", "-q", "hotfix/new"]);
    world.write("src/new.rs", "fn new() {}\n");
    world.commit("feat: new");
    let said = world.does(1, &["hotfix", "finish"]);
    assert!(said.contains("main  denied by policy"), "{said}");
    assert!(said.contains("not finished"), "{said}");
}

/// With `--pick`, production gets the merge with its version, and the earlier stages get
/// picks. A similar older change does not count as the fix. A change that production does
/// not allow goes to no branch.
#[test]
fn picks_a_hotfix_to_the_earlier_stages() {
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
    assert!(!said.contains("dev  already contains"), "{said}");
    assert_eq!(world.git(&["show", "main:VERSION"]), "1.0.1");
    assert_eq!(world.git(&["show", "stg:VERSION"]), "1.0");
    assert!(world.git(&["show", "stg:app.txt"]).contains("2\n"), "{said}");
    // If only the version changes, the earlier stages get an ancestry-only merge.
    world.backport(&["abort"]);
    world.does(0, &["hotfix", "start", "version"]);
    world.write("VERSION", "1.0.2\n");
    world.commit("hotfix: another version");
    world.git(&["switch", "-q", "--detach"]);
    let finish = ["hotfix", "finish", "hotfix/version", "--straight", "--pick"];
    assert!(world.does(0, &finish).contains("every branch contains it"));
    // A feature goes to no branch.
    world.does(0, &["hotfix", "start", "new"]);
    world.write("src/new.rs", "fn new() {}\n");
    world.commit("feat: new");
    world.git(&["switch", "-q", "--detach"]);
    let before = world.git(&["for-each-ref", "refs/heads"]);
    let said = world.does(1, &["hotfix", "finish", "hotfix/new", "--straight"]);
    assert!(said.contains("main  denied by policy"), "{said}");
    assert_eq!(world.git(&["for-each-ref", "refs/heads"]), before);
}

/// `--push` also pushes branches that an earlier run made without it.
#[test]
fn pushes_branches_of_an_earlier_run() {
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
