//! Tests that `git backport`, the ledger and the hook agree about fixes.

use std::process::Command;

use crate::test_world::World;

/// Runs `git backport` in a clone. Returns its exit code and output.
fn backport(world: &World, who: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let program = crate::hook().with_file_name("git-backport");
    assert!(program.is_file(), "build it first: cargo build -p refgate-backport");
    let mut backport = Command::new(program);
    world.set_identity(&mut backport, who);
    let output = backport.current_dir(world.path(who)).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_not_applicable_record_settles_a_debt() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), "2026-03-02T10:00:00Z");
    world.certify("grace");
    let fix = world.commits("grace", "main", "hotfix: crash", "src/app.rs");
    world.lands("grace", &["main"]);
    world.git("grace", &["fetch", "-q"]);
    let (_, said) = backport(&world, "grace", &["status", &fix]);
    assert!(said.contains("original       main"), "{said}");
    let reason = "dev has another parser";
    world.does("henry", &["not-applicable", &fix, "--to", "dev", "--reason", reason]);
    world.git("grace", &["fetch", "-q", "origin", "refs/refgate/*:refs/refgate/*"]);
    let (_, said) = backport(&world, "grace", &["status", &fix]);
    assert!(said.contains("not-applicable dev"), "{said}");
    let (_, said) = backport(&world, "grace", &["status", &fix, "--json"]);
    assert!(said.contains("\"state\":\"not-applicable\""), "{said}");
    // stg is still missing the fix. A commit that only dev has comes with the next promotion.
    assert!(said.contains("\"branch\":\"stg\",\"commit\":null"), "{said}");
    let chore = world.commits("ada", "dev", "docs: a sentence", "README.md");
    world.lands("ada", &["dev"]);
    world.git("ada", &["fetch", "-q"]);
    let (_, said) = backport(&world, "ada", &["status", &chore]);
    assert!(said.contains("baking         stg, main"), "{said}");
}

/// An exact backport is accepted. An edited backport needs an approval, and its receipt
/// states this before the push.
#[test]
fn an_edited_backport_needs_an_approval() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), "2026-03-02T10:00:00Z");
    world.certify("grace");
    // Because of this commit on dev, the tree of a backport differs from the tree of dev.
    world.commits("ada", "dev", "docs: a sentence", "README.md");
    world.lands("ada", &["dev"]);
    let fix = world.commits("ada", "dev", "hotfix: rounding", "src/app.rs");
    world.lands("ada", &["dev"]);
    world.git("grace", &["fetch", "-q"]);
    let apply = ["apply", &fix, "--to", "main", "--to", "stg", "--straight"];
    world.git("grace", &["switch", "-q", "--detach"]);
    for branch in ["main", "stg"] {
        world.git("grace", &["branch", "-f", branch, &format!("origin/{branch}")]);
    }
    let (code, said) = backport(&world, "grace", &apply);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = backport(&world, "grace", &["receipt", "stg"]);
    assert!(code == Some(0) && said.contains("exact"), "{said}");
    world.lands("grace", &["stg"]);
    // Adds one line to the cherry-pick of Git.
    world.git("grace", &["switch", "-q", "main"]);
    std::fs::write(world.path("grace").join("src/app.rs"), "a\nhotfix: rounding\nmore\n").unwrap();
    world.git("grace", &["commit", "-q", "-a", "--amend", "--no-edit"]);
    let (code, said) = backport(&world, "grace", &["receipt", "main"]);
    assert!(code == Some(1) && said.contains("edited") && said.contains("+more"), "{said}");
    let why = ["[backport]", "differs from what Git makes of the original", "src/app.rs"];
    world.rejected("grace", &["main"], &why);
    world.lands("grace", &["main:refs/heads/topic/rounding"]);
    world.git("henry", &["fetch", "-q"]);
    let approve = ["approve", "backport", "origin/topic/rounding", "--onto", "main"];
    world.does("henry", &[&approve[..], &["--reason", "looked at the line"]].concat());
    world.lands("grace", &["main"]);
}
