//! Tests a control repository that governs several repositories.

use std::fs;
use std::path::{Path, PathBuf};

use crate::test_world::World;

const NOW: &str = "2026-03-02T10:00:00Z";

/// A repository with three stages at one commit. The repository of `world` governs it.
fn governed(world: &World, name: &str, more: &[&str]) -> PathBuf {
    let server = world.path(&format!("{name}.git"));
    let clone = world.path(&format!("{name}-ada"));
    let at = |folder: &Path, arguments: &[&str]| {
        let output = world.try_git("ada", folder, arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    at(&world.path("."), &["init", "-q", "--bare", server.to_str().unwrap()]);
    at(&world.path("."), &["clone", "-q", server.to_str().unwrap(), clone.to_str().unwrap()]);
    fs::create_dir_all(clone.join("src")).unwrap();
    fs::write(clone.join("src/app.rs"), "a\n").unwrap();
    at(&clone, &["add", "-A"]);
    at(&clone, &["commit", "-q", "-m", "start"]);
    at(&clone, &["push", "-q", "origin", "HEAD:main", "HEAD:dev", "HEAD:stg"]);
    at(&clone, &["fetch", "-q"]);
    let (hook, control) = (crate::hook(), world.server());
    let install = ["install", ".", "--hook", hook.to_str().unwrap(), "--identity", "http"];
    let control = ["--control", control.to_str().unwrap()];
    let (code, said) = world.refgate_in("ada", &server, &[&install[..], &control, more].concat());
    // A mirror that was never fetched rejects every push, and doctor says so.
    assert!(code == Some(0) || said.contains("it was never fetched"), "{said}");
    world.trains(&server);
    clone
}

fn lands(world: &World, clone: &Path, message: &str) -> (bool, String) {
    let git = |arguments: &[&str]| world.try_git("ada", clone, arguments);
    git(&["fetch", "-q"]);
    git(&["switch", "-q", "-C", "dev", "origin/dev"]);
    let file = clone.join("src/app.rs");
    let before = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{before}{message}\n")).unwrap();
    git(&["commit", "-q", "-a", "-m", message]);
    let output = git(&["push", "origin", "dev"]);
    let said = String::from_utf8_lossy(&output.stderr).replace("remote: ", " ");
    (output.status.success(), said.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn one_freeze_applies_to_three_repositories() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    let clones = ["backend", "frontend", "infrastructure"].map(|name| governed(&world, name, &[]));
    let hook = crate::hook();
    let mut govern = vec!["install", ".", "--hook", hook.to_str().unwrap()];
    let pairs = ["backend", "frontend", "infrastructure"]
        .map(|name| format!("{name}={}", world.path(&format!("{name}.git")).display()));
    pairs.iter().for_each(|pair| govern.extend(["--governs", pair]));
    world.refgate_in("ada", &world.server(), &govern);
    for clone in &clones {
        let (ok, said) = lands(&world, clone, "fix: before");
        assert!(ok, "{said}");
    }
    let stop = ["freeze", "start", "dev", "--for", "2 days", "--lets-through", "docs"];
    let id =
        world.does("grace", &[&stop[..], &["--reason", "the database moves", "--json"]].concat());
    for clone in &clones {
        let (ok, said) = lands(&world, clone, "fix: during");
        assert!(!ok && said.contains("the database moves (ordered by grace)"), "{said}");
    }
    let id = id.split("\"id\":\"").nth(1).unwrap();
    world.does("grace", &["freeze", "end", &id[..64], "--reason", "it has moved"]);
    for clone in &clones {
        let (ok, said) = lands(&world, clone, "fix: after");
        assert!(ok, "{said}");
    }
    // Without the control repository, every push is rejected.
    fs::rename(world.server(), world.path("gone.git")).unwrap();
    let (ok, said) = lands(&world, &clones[0], "fix: alone");
    assert!(!ok && said.contains("the control repository"), "{said}");
}

#[test]
fn rejects_pushes_when_the_mirror_is_too_old() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    let clone = governed(&world, "backend", &["--control-max-age", "10 minutes"]);
    let (ok, said) = lands(&world, &clone, "fix: a");
    assert!(!ok && said.contains("never fetched"), "{said}");
    let fetched = world.server().join("FETCH_HEAD");
    fs::write(&fetched, "").unwrap();
    let (ok, said) = lands(&world, &clone, "fix: b");
    assert!(ok, "{said}");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
    fs::File::options().write(true).open(&fetched).unwrap().set_modified(old).unwrap();
    let (ok, said) = lands(&world, &clone, "fix: c");
    assert!(!ok && said.contains("is 1 hour old"), "{said}");
}

/// Two teams have a `backend` with the same signers. A record of one does not count in the
/// other, and a copy must say whether it replaces the original.
#[test]
fn records_bind_the_id_of_a_repository() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    let hook = crate::hook();
    let hook = hook.to_str().unwrap();
    let policy = "main:.refgate/policy.toml";
    let install = ["install", ".", "--hook", hook, "--identity", "gitolite", "--policy", policy];
    let id_of = |server: &Path| {
        let output = world.try_git("ada", server, &["cat-file", "-p", "refs/refgate/repository"]);
        String::from_utf8(output.stdout).unwrap()
    };
    let copy = world.path("team2/portal.git");
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    let server = world.server().display().to_string();
    world.try_git(
        "ada",
        &world.path("."),
        &["clone", "-q", "--mirror", &server, "team2/portal.git"],
    );
    let (code, said) = world.refgate_in("ada", &copy, &install);
    assert!(code != Some(0) && said.contains("has the id `portal`"), "{said}");
    assert!(said.contains("--restored") && said.contains("--new-id"), "{said}");
    let (code, said) = world.refgate_in("ada", &copy, &[&install[..], &["--restored"]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(id_of(&copy), "portal");
    let (code, said) = world.refgate_in("ada", &copy, &[&install[..], &["--new-id"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let id = id_of(&copy);
    assert!(id.starts_with("portal-") && id.len() == "portal-".len() + 8, "{id}");
    // A renewed installation keeps the id, and a directory copy is noticed.
    assert_eq!(world.refgate_in("ada", &copy, &install).0, Some(0));
    assert_eq!(id_of(&copy), id);
    let moved = world.path("team2/moved.git");
    fs::rename(&copy, &moved).unwrap();
    let (code, said) = world.refgate_in("ada", &moved, &["doctor", "."]);
    assert!(code == Some(9) && said.contains("was installed in"), "{said}");
    let (code, said) = world.refgate_in("ada", &moved, &install);
    assert!(code != Some(0) && said.contains(&id), "{said}");
    assert_eq!(
        world.refgate_in("ada", &moved, &[&install[..], &["--restored"]].concat()).0,
        Some(0)
    );
    // A clone knows the id without a setting. A record of the other repository is rejected.
    let pushes = |server: &Path, reason: &str| {
        let address = server.display().to_string();
        world.git("grace", &["remote", "set-url", "origin", &address]);
        let stop = ["freeze", "start", "dev", "--for", "2 days", "--reason", reason];
        world.does("grace", &stop)
    };
    world.trains(&moved);
    pushes(&moved, "one");
    let text = world.git("grace", &["log", "-1", "-p", "--format=", "refs/refgate/ledger"]);
    assert!(text.contains(&format!("+repository = \"{id}\"")), "{text}");
    let ledger = "refs/refgate/ledger";
    let address = world.server().display().to_string();
    world.git("grace", &["remote", "set-url", "origin", &address]);
    let (ok, said) = world.push("grace", &[&format!("{ledger}:{ledger}")]);
    assert!(!ok && said.contains("repository"), "{said}");
}
