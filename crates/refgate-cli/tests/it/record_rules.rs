//! Tests which records are not accepted, and which stay valid after a change of roles.

use crate::test_world::World;

const NOW: &str = "2026-03-02T10:00:00Z";

fn portal() -> &'static str {
    refgate_gate::builtin("portal").unwrap()
}

/// Commits a change of the policy on top of production in a clone.
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

/// The author and the pusher of a policy change cannot approve it.
#[test]
fn rejects_approvals_by_author_or_pusher_of_a_policy_change() {
    let world = World::new(portal(), NOW);
    world.certify("grace");
    edits(&world, "henry", newer);
    world.git("henry", &["push", "-q", "origin", "main:policy/two"]);
    let approve = ["approve", "policy-change", "origin/policy/two", "--reason", "time for it"];
    world.does("henry", &approve);
    world.git("carol", &["fetch", "-q"]);
    let wants = ["[policy-change]", "0 of 1"];
    world.rejected("carol", &["origin/policy/two:main"], &wants);
    world.git("grace", &["fetch", "-q"]);
    world.rejected("grace", &["origin/policy/two:main"], &wants);
    world.does("grace", &approve);
    world.rejected("grace", &["origin/policy/two:main"], &wants);
    // Another person's policy change can be approved by henry.
    edits(&world, "ada", |text| newer(text) + "# As the board wants it.\n");
    world.git("ada", &["push", "-q", "origin", "+main:policy/two"]);
    world.does("henry", &approve);
    world.git("grace", &["fetch", "-q"]);
    world.lands("grace", &["origin/policy/two:main"]);
}

/// A freeze stays valid after its maker loses the role.
#[test]
fn a_freeze_stays_valid_after_its_maker_loses_the_role() {
    let world = World::new(portal(), NOW);
    let start = ["freeze", "start", "dev", "--for", "9 days", "--lets-through", "docs"];
    world.does("henry", &[&start[..], &["--reason", "the database moves"]].concat());
    edits(&world, "grace", |text| newer(text).replace("\"henry\"", "\"ben\""));
    let past = ["-c", "core.hooksPath=/dev/null", "fetch", "-q", "../grace", "main:main"];
    assert!(world.try_git("eve", &world.server(), &past).status.success());
    world.cannot("henry", &[&start[..], &["--reason", "again"]].concat(), "no role");
    world.commits("ada", "dev", "fix: a", "src/app.rs");
    world.rejected("ada", &["dev"], &["[freeze]", "the database moves"]);
    let said = world.does("ada", &["ledger", "verify"]);
    assert!(said.contains(", 0 not valid"), "{said}");
}

/// The server rejects sign-offs, candidates and deletion requests for objects that it
/// does not have, and deletion requests for an old value of a ref.
#[test]
fn rejects_records_about_missing_objects() {
    let world = World::new(portal(), NOW);
    for who in ["uma", "grace"] {
        world.commits(who, "dev", "fix: kept here", "src/app.rs");
    }
    let absent = "as the record says";
    world.cannot(
        "uma",
        &["sign-off", "--force", "--meaning", "uat", "HEAD", "--reason", "fine"],
        absent,
    );
    let candidate = ["release", "candidate", "v1.0.0", "HEAD", "--reason", "first"];
    world.cannot("grace", &candidate, absent);
    let gone = ["delete-request", "gone", "--reason", "old"];
    world.cannot("grace", &gone, "gone");
    let nowhere = ["waive", "freeze", "--onto", "nosuch", "--for", "2 days", "--reason", "so"];
    world.cannot("grace", &nowhere, "not a stage, a line or a release tag");
    for reason in ["a\u{1b}[31m", "a\u{202e}b", &"a".repeat(2_001)] {
        let odd = ["evidence", "blocker", "--release", "v1.0.0", "--reason", reason];
        world.cannot("ada", &odd, "use 1 to 2000 visible characters");
    }
    // The branch moves after the clone signed the request.
    world.git("grace", &["push", "-q", "origin", "origin/main:refs/heads/old"]);
    world.git("grace", &["fetch", "-q"]);
    world.lands("ada", &["origin/dev:refs/heads/topic"]);
    let offline = ["delete-request", "dev", "--reason", "old", "--offline"];
    world.does("grace", &offline);
    world.commits("ada", "dev", "fix: b", "src/app.rs");
    world.lands("ada", &["dev"]);
    world.cannot("grace", &["ledger", "push"], absent);
}

/// A ref that was deleted with an approval can be restored, with both guards.
#[test]
fn restores_a_deleted_branch() {
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
        world.cannot("grace", &["restore", "release/2.x"], "has no deleted ref");
        let said = world.does("grace", &["restore", "release/1.x"]);
        assert!(said.contains("restored refs/heads/release/1.x"), "{mode}: {said}");
        let now = world.git("grace", &["ls-remote", "origin", "refs/heads/release/1.x"]);
        assert!(now.starts_with(&was), "{mode}: {now}");
        let (ok, said) = world.push("grace", &[":refs/refgate/deleted/heads/release/1.x/x"]);
        assert!(!ok, "{mode}: {said}");
    }
}

/// A landing that was undone in the ref file stays visible after it is pushed again.
#[test]
fn audit_reports_a_landing_that_was_undone_in_the_ref_file() {
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
    assert!(code == Some(9) && flat.contains("changed without a reflog entry"), "{said}");
}
