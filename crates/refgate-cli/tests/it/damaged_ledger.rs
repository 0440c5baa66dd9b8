//! Damages the ledger behind refgate's back: what can forbid a push rejects, what can only
//! permit one is skipped, and `doctor` and `ledger verify` report both.

use refgate_scenario::git_command;

use crate::test_world::World;

const NOW: &str = "2026-03-02 10:00";

/// Adds a file to the ledger past the hook, as an administrator could.
fn damage(world: &World, path: &str, text: &str) {
    let server = world.server();
    let git = |arguments: &[&str]| {
        let mut git = git_command(&server);
        git.env("GIT_INDEX_FILE", world.path("index"));
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "root").env(format!("GIT_{role}_EMAIL"), "x@x");
        }
        let output = git.args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    };
    let file = world.path("damage");
    std::fs::write(&file, text).unwrap();
    let _ = std::fs::remove_file(world.path("index"));
    let tip = git(&["rev-parse", "--verify", "-q", "refs/refgate/ledger"]);
    if !tip.is_empty() {
        git(&["read-tree", &tip]);
    }
    let blob = git(&["hash-object", "-w", file.to_str().unwrap()]);
    git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
    let tree = git(&["write-tree"]);
    let parents = if tip.is_empty() { vec![] } else { vec!["-p", &tip] };
    let commit = git(&[&["commit-tree", &tree, "-m", "x"][..], &parents].concat());
    let hooks = ["-c", "core.hooksPath=/dev/null"];
    git(&[&hooks[..], &["update-ref", "refs/refgate/ledger", &commit]].concat());
}

#[test]
fn a_damaged_record_that_can_forbid_rejects_every_landing() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    damage(&world, "freeze/2026-03/x.toml", "not a record\n");
    world.commits("ada", "dev", "fix: a", "src/app.rs");
    let (ok, said) = world.push("ada", &["dev"]);
    assert!(!ok && said.contains("freeze/2026-03/x.toml"), "{said}");
    assert!(said.contains("git update-ref refs/refgate/ledger"), "{said}");
}

#[test]
fn a_damaged_record_that_can_only_permit_is_skipped_and_listed() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    let tip = world.commits("ada", "dev", "fix: a", "src/app.rs");
    damage(&world, &format!("approval/{}/{}/x.toml", &tip[..2], &tip[2..]), "not a record\n");
    damage(&world, "waiver/refs%2Fheads%2Fdev/2026-03/x.toml", "not a record\n");
    world.lands("ada", &["dev"]);
    let (code, said) = world.refgate_in("ada", &world.server(), &["ledger", "verify"]);
    assert!(code != Some(0) && said.contains("NOT VALID"), "{code:?} {said}");
}
