//! Which words of people do not count, and which outlive their office?

use crate::people::World;

const NOW: &str = "2026-03-02T10:00:00Z";

fn portal() -> &'static str {
    refgate_gate::builtin("portal").unwrap()
}

/// Changes the policy in somebody's clone on top of production.
fn edits(world: &World, who: &str, edit: impl Fn(&str) -> String) {
    world.git(who, &["fetch", "-q"]);
    world.git(who, &["switch", "-q", "-C", "main", "origin/main"]);
    let file = world.path(who).join(".refgate/policy.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, edit(&text)).unwrap();
    world.git(who, &["commit", "-qam", "hotfix: policy"]);
}

fn newer(text: &str) -> String {
    text.replace("\nrevision = 1\n", "\nrevision = 2\n")
}

/// Who wrote a policy, or pushes it, does not approve it.
#[test]
fn nobody_approves_their_own_policy() {
    let world = World::new(portal(), NOW);
    edits(&world, "henry", newer);
    world.git("henry", &["push", "-q", "origin", "main:policy/two"]);
    let approve = ["approve", "policy-change", "origin/policy/two", "--reason", "time for it"];
    world.does("henry", &approve);
    world.git("carol", &["fetch", "-q"]);
    let wants = ["[policy-change]", "0 of 1"];
    world.refused("carol", &["origin/policy/two:main"], &wants);
    world.git("grace", &["fetch", "-q"]);
    world.refused("grace", &["origin/policy/two:main"], &wants);
    world.does("grace", &approve);
    world.refused("grace", &["origin/policy/two:main"], &wants);
    // The same from somebody else is theirs to approve.
    edits(&world, "ada", |text| newer(text) + "# As the board wants it.\n");
    world.git("ada", &["push", "-q", "origin", "+main:policy/two"]);
    world.does("henry", &approve);
    world.git("grace", &["fetch", "-q"]);
    world.lands("grace", &["origin/policy/two:main"]);
}

/// A freeze holds when who ordered it may no longer order one.
#[test]
fn a_freeze_outlives_its_makers_office() {
    let world = World::new(portal(), NOW);
    let start = ["freeze", "start", "dev", "--for", "9 days", "--lets-through", "docs"];
    world.does("henry", &[&start[..], &["--reason", "the database moves"]].concat());
    edits(&world, "grace", |text| newer(text).replace("\"henry\"", "\"ben\""));
    let past = ["-c", "core.hooksPath=/dev/null", "fetch", "-q", "../grace", "main:main"];
    assert!(world.try_git("eve", &world.server(), &past).status.success());
    world.cannot("henry", &[&start[..], &["--reason", "again"]].concat(), "no role");
    world.commits("ada", "dev", "fix: a", "src/app.rs");
    world.refused("ada", &["dev"], &["[freeze]", "the database moves"]);
    let said = world.does("ada", &["ledger", "verify"]);
    assert!(said.contains(", 0 that do not count"), "{said}");
}

/// What is not on the server is neither signed off, nor a candidate, nor
/// deleted; nor is it asked for under the value that it no longer has.
#[test]
fn what_is_not_there_is_not_spoken_of() {
    let world = World::new(portal(), NOW);
    for who in ["uma", "grace"] {
        world.commits(who, "dev", "fix: kept here", "src/app.rs");
    }
    let absent = "is not here as it says";
    world.cannot("uma", &["sign-off", "--meaning", "uat", "HEAD", "--reason", "fine"], absent);
    let candidate = ["release", "candidate", "v1.0.0", "HEAD", "--reason", "first"];
    world.cannot("grace", &candidate, absent);
    let gone = ["delete-request", "gone", "--reason", "old"];
    world.cannot("grace", &gone, "gone");
    let nowhere = ["waive", "freeze", "--onto", "nosuch", "--for", "2 days", "--reason", "so"];
    world.cannot("grace", &nowhere, "no stage, line or release");
    for reason in ["a\u{1b}[31m", "a\u{202e}b", &"a".repeat(2_001)] {
        let odd = ["evidence", "blocker", "--release", "v1.0.0", "--reason", reason];
        world.cannot("ada", &odd, "use 1 to 2000 visible characters");
    }
    // It has moved since the clone saw it.
    world.git("grace", &["push", "-q", "origin", "origin/main:refs/heads/old"]);
    world.git("grace", &["fetch", "-q"]);
    world.lands("ada", &["origin/dev:refs/heads/topic"]);
    let offline = ["delete-request", "dev", "--reason", "old", "--offline"];
    world.does("grace", &offline);
    world.commits("ada", "dev", "fix: b", "src/app.rs");
    world.lands("ada", &["dev"]);
    world.cannot("grace", &["ledger", "push"], absent);
}

/// What was deleted as agreed can be brought back, in both modes.
#[test]
fn what_was_deleted_comes_back() {
    for mode in ["strict", "portable"] {
        let lines = refgate_gate::builtin("release-lines").unwrap();
        let lines = lines.replace("name = \"release-lines\"", "name = \"portal\"");
        let mut world = World::new(&lines, NOW);
        crate::faults::guard(&world, mode);
        world.lands("grace", &["origin/main:refs/heads/release/1.x"]);
        world.does("grace", &["delete-request", "release/1.x", "--reason", "no longer sold"]);
        world.does("henry", &["approve", "deletion", "release/1.x", "--reason", "agreed"]);
        let was = world.git("grace", &["rev-parse", "origin/release/1.x"]);
        world.at("2026-03-10T10:00:00Z");
        world.lands("grace", &[":release/1.x"]);
        world.git("grace", &["fetch", "-q", "--prune"]);
        world.git("grace", &["gc", "-q", "--prune=now"]);
        assert_eq!(world.git("grace", &["ls-remote", "origin", "refs/heads/release/1.x"]), "");
        world.cannot("grace", &["restore", "release/2.x"], "keeps nothing of a deleted");
        let said = world.does("grace", &["restore", "release/1.x"]);
        assert!(said.contains("is back"), "{mode}: {said}");
        let now = world.git("grace", &["ls-remote", "origin", "refs/heads/release/1.x"]);
        assert!(now.starts_with(&was), "{mode}: {now}");
        let (ok, said) = world.push("grace", &[":refs/refgate/deleted/heads/release/1.x/x"]);
        assert!(!ok, "{mode}: {said}");
    }
}

/// Who turns a landing back by hand does not hide that by having it pushed again.
#[test]
fn a_landing_turned_back_by_hand_stays_seen() {
    let mut world = World::new(portal(), NOW);
    crate::faults::guard(&world, "strict");
    let dev = world.server().join("refs/heads/dev");
    let before = std::fs::read_to_string(&dev).unwrap();
    world.at("2026-03-03T10:00:00Z");
    world.commits("ada", "dev", "fix: a", "src/app.rs");
    world.lands("ada", &["dev"]);
    std::fs::write(&dev, before).unwrap();
    world.at("2026-03-04T10:00:00Z");
    world.lands("ada", &["dev"]);
    let (code, said) = world.refgate_in("grace", &world.server(), &["audit"]);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == Some(9) && flat.contains("between two moves somebody wrote"), "{said}");
}
