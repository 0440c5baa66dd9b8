//! Tests a complete release with the policy `portal`, a real server and real keys.

use crate::test_world::World;

fn portal() -> String {
    let text = refgate_gate::builtin("portal").unwrap();
    text.replace("candidate = false", "candidate = true")
}

/// Makes every sign-off that the release gate requires.
fn sign_off(world: &World) {
    world.does("henry", &["sign-off", "--meaning", "validation", "--reason", "protocol 12"]);
    world.does("uma", &["sign-off", "--meaning", "uat", "--reason", "tested with cohort 3"]);
    world.does("carol", &["sign-off", "--meaning", "change-approval", "--reason", "CAB 77"]);
}

#[test]
fn release_from_first_candidate_to_next_iteration() {
    let mut world = World::new(&portal(), "2026-03-02T10:00:00Z");
    world.commits("ada", "dev", "feat: search", "src/search.rs");
    world.lands("ada", &["dev"]);
    world.does("grace", &["release", "open", "v2.0.0", "--reason", "sprint 12"]);

    // Candidate 1, and UAT fails.
    world.rejected("ada", &["origin/dev:stg"], &["[candidate]", "Only a release candidate"]);
    let candidate = ["release", "candidate", "v2.0.0", "--reason", "first try"];
    world.cannot("ada", &candidate, "no role that may make this record");
    world.does("grace", &candidate);
    world.lands("ada", &["origin/dev:stg"]);
    world.does("uma", &["release", "fail", "v2.0.0", "--reason", "search finds nothing"]);

    // Candidate 2.
    world.at("2026-03-04T10:00:00Z");
    world.commits("ada", "dev", "fix: search finds something", "src/search.rs");
    world.lands("ada", &["dev"]);
    world.does("grace", &["release", "candidate", "v2.0.0", "--reason", "second try"]);
    world.lands("ada", &["dev:stg"]);

    // The release gate.
    world.git("grace", &["fetch", "-q"]);
    let missing = [
        "[release-gate]",
        "validation by release-manager",
        "uat by stakeholder: 0 of 1, open: uma",
    ];
    world.rejected("grace", &["origin/stg:main"], &missing);
    world.cannot(
        "ben",
        &["sign-off", "--meaning", "uat", "--reason", "looks good"],
        "no role that may make this record",
    );
    world.cannot(
        "eve",
        &["sign-off", "--meaning", "uat", "--as", "uma", "--reason", "looks good"],
        "not one of uma's",
    );
    // What is unexpected is told before the signature.
    let old = ["sign-off", "--meaning", "uat", "origin/main", "--reason", "looks good"];
    world.cannot("uma", &old, "stg is at");
    for silence in ["", "n\n"] {
        world.answer = silence;
        let uat = ["sign-off", "--meaning", "uat", "--reason", "looks good"];
        world.cannot("uma", &uat, "nothing was signed");
    }
    world.answer = "y\n";
    sign_off(&world);
    world.rejected("grace", &["origin/stg:main"], &["no valid certificate for the course"]);
    world.certify("grace");
    world.lands("grace", &["origin/stg:main"]);
    world.git("grace", &["tag", "-a", "-m", "2.0", "v2.0.0", "origin/stg"]);
    world.lands("grace", &["v2.0.0"]);

    let dossier = told(&world);
    check_final_records(&world);
    freeze(&mut world);
    hotfix(&mut world);
    use_waivers(&mut world);
    thaw(&mut world);

    // Everything can be verified offline in a fresh clone.
    world.git("eve", &["fetch", "-q", "origin", "refs/refgate/*:refs/refgate/*"]);
    let said = world.does("eve", &["ledger", "verify"]);
    assert!(said.contains(", 0 not valid"), "{said}");
    let said = world.does("eve", &["ledger", "log", "--kind", "sign-off"]);
    assert_eq!(said.lines().count(), 3, "{said}");
    let (code, said) = world.refgate_in("grace", &world.server(), &["log", "verify"]);
    assert!(code == Some(0) && said.contains(", 0 wrong"), "{said}");
    assert_eq!(world.does("eve", &["log", "verify"]), said);
    check_dossier_verify(&world, &dossier);
    let (code, said) = world.refgate_in("grace", &world.server(), &["audit"]);
    assert!(code == Some(0) && said.contains(", 0 bypassed refgate"), "{said}");

    check_audit_of_bypasses(&mut world);
}

/// Checks the text of the dossier. Returns the dossier as JSON.
fn told(world: &World) -> String {
    world.git("eve", &["fetch", "-q", "origin", "+refs/refgate/*:refs/refgate/*"]);
    let said = world.does("eve", &["release", "dossier", "v2.0.0"]);
    for wanted in [
        "# portal v2.0.0",
        "## Changes: feature (2)",
        "feat: search | ada | by its type \\`feat:\\`",
        "| henry | certificate of operator for grace",
        "fix: search finds something",
        "| uma | uat-failed | search finds nothing |",
        "candidate 2: ",
        "signs off validation of tree ",
        "signs off uat of tree ",
        "| carol | signs off change-approval of tree ",
        "reject main by grace (release-gate)",
        "accept main by grace",
        "accept v2.0.0 by grace",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let page = world.does("eve", &["release", "dossier", "v2.0.0", "--format", "html"]);
    assert!(page.contains("<td>feat: search</td><td>ada</td>"), "{page}");
    world.does("eve", &["release", "dossier", "v2.0.0", "--json"])
}

/// The old dossier can still be verified. A changed dossier cannot.
fn check_dossier_verify(world: &World, dossier: &str) {
    let path = world.path("dossier.json");
    let verify = ["release", "dossier", "v2.0.0", "--verify", path.to_str().unwrap()];
    std::fs::write(&path, dossier).unwrap();
    assert!(world.does("eve", &verify).contains("the dossier is correct"));
    std::fs::write(&path, dossier.replace("tested with cohort 3", "not tested")).unwrap();
    world.cannot("eve", &verify, "is missing here, or is different");
    std::fs::write(&path, dossier.replace("\"previous\":null", "\"previous\":\"v1.0.0\"")).unwrap();
    world.cannot("eve", &verify, "previous: dossier \"v1.0.0\", here null");
    let records = dossier.find("\"records\":[").unwrap();
    let cut = format!("{}\"records\":[],\"release\"", &dossier[..records]);
    let cut = cut + dossier[records..].split_once("\"release\"").unwrap().1;
    std::fs::write(&path, cut).unwrap();
    world.cannot("eve", &verify, "is missing in the dossier");
    std::fs::write(&path, dossier.replace("\"log\":\"", "\"log\":\"x")).unwrap();
    world.cannot("eve", &verify, "its `log` is not an object id");
    let absent = ["release", "dossier", "v9.0.0"];
    world.cannot("eve", &absent, "cannot find the release `v9.0.0`");
}

/// The audit finds ref updates that bypassed the hook.
fn check_audit_of_bypasses(world: &mut World) {
    let server = world.server();
    let audit = |world: &World, sees: &str| {
        let (code, said) = world.refgate_in("grace", &server, &["audit"]);
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == Some(9) && flat.contains(sees), "{sees}: {said}");
    };
    let past = |world: &World, arguments: &[&str]| {
        let arguments = [&["-c", "core.hooksPath=/dev/null"], arguments].concat();
        assert!(world.try_git("eve", &world.server(), &arguments).status.success());
    };
    // A write to the ref file, hidden by a normal push on top of it.
    let dev = world.server().join("refs/heads/dev");
    let honest = std::fs::read_to_string(&dev).unwrap();
    let evil = world.commits("eve", "dev", "feat: smuggled", "src/smuggled.rs");
    world.git("eve", &["push", "-q", "origin", "HEAD:topic/smuggled"]);
    std::fs::write(&dev, format!("{evil}\n")).unwrap();
    world.commits("ada", "dev", "docs: nothing to see", "README.md");
    world.lands("ada", &["dev"]);
    audit(world, "the ref was changed without a reflog entry between two updates");
    past(world, &["update-ref", "refs/heads/dev", honest.trim()]);
    past(world, &["update-ref", "refs/heads/main", "refs/heads/dev"]);
    audit(world, "refs/heads/main");
    past(world, &["update-ref", "-d", "refs/tags/v2.0.0"]);
    audit(world, "refs/tags/v2.0.0");
    past(world, &["update-ref", "-d", "refs/refgate/ledger"]);
    audit(world, "refs/refgate/ledger");
}

/// A record that had its effect cannot be withdrawn. A missing release cannot be named.
fn check_final_records(world: &World) {
    let id = |said: &str| said.split("\"id\":\"").nth(1).unwrap()[..64].to_string();
    let start = ["freeze", "start", "dev", "--for", "1 days", "--lets-through", "docs"];
    let said = world.does("grace", &[&start[..], &["--reason", "audit", "--json"]].concat());
    let end = ["freeze", "end", &id(&said), "--reason", "done", "--json"];
    let thaw = id(&world.does("grace", &end));
    world.cannot("grace", &["withdraw", &thaw, "--reason", "go on"], "cannot be withdrawn");
    let blocker = ["evidence", "blocker", "--release", "../../x", "--reason", "r"];
    world.cannot("ada", &blocker, "as the record says");
}

fn freeze(world: &mut World) {
    // The derived freeze. A minor feature uses the fast track.
    world.at("2026-03-12T10:00:00Z");
    world.commits("ada", "dev", "feat: sorting", "src/sort.rs");
    world.rejected("ada", &["dev"], &["[freeze]", "2 production runs (0 so far)"]);
    world.commits("ada", "dev", "feat: flag\n\nChange-Class: minor-feature", "src/flag.rs");
    world.rejected("ada", &["dev"], &["fast track"]);
    world.git("ada", &["push", "-q", "origin", "dev:feature/flag"]);
    let minor = "origin/feature/flag";
    for who in ["henry", "grace"] {
        world.git(who, &["fetch", "-q"]);
        world.does(who, &["approve", "freeze", minor, "--reason", "small, and asked for"]);
    }
    world.lands("ada", &["dev"]);
}

fn hotfix(world: &mut World) {
    // A hotfix directly on production is a debt of staging and development.
    let hotfix = world.commits("grace", "main", "hotfix: crash", "src/app.rs");
    world.lands("grace", &["main"]);
    // A trailer alone pays no debt: a copy must change the paths of its original.
    let lie = format!("docs: sorting\n\n(cherry picked from commit {hotfix})");
    world.commits("ada", "dev", &lie, "docs/sort.md");
    world.lands("ada", &["dev"]);
    let now = ["status", "--at", "2026-03-22T10:00:00Z"];
    let said = world.does("henry", &now);
    assert!(said.contains("dev is missing it, landed on main at an unknown time"), "{said}");
    world.git("henry", &["fetch", "-q", "origin", "refs/refgate/log:refs/refgate/log"]);
    let said = world.does("henry", &now);
    for line in [
        "after-major-release: frozen since",
        "dev is missing it, landed on main 2026-03-",
        "sign-off --meaning freeze-exit",
        "tag a release of main (",
        "notes and documentation are done: refgate release finish v2.0.0",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    world.does("grace", &["release", "finish", "v2.0.0", "--reason", "notes are out"]);
    assert!(!world.does("grace", &now).contains("release finish"));
    world.at("2026-03-21T10:00:00Z");
    world.commits("ada", "dev", "fix: typo in code", "src/app2.rs");
    world.rejected("ada", &["dev"], &["[class]"]);
    world.commits("ada", "dev", "docs: how to sort", "README.md");
    world.lands("ada", &["dev"]);
    world.does("grace", &["release", "candidate", "v2.1.0", "--reason", "for April"]);
    world.git("ada", &["switch", "-q", "-C", "stg", "origin/stg"]);
    world.git("ada", &["merge", "-q", "--no-ff", "-m", "Promote dev", "dev"]);
    world.rejected("ada", &["stg"], &["[debts]", "hotfix: crash", "stg is missing it"]);
    world.git("ada", &["fetch", "-q"]);
    world.git("ada", &["reset", "-q", "--hard", "origin/stg"]);
    world.git("ada", &["merge", "-q", "--no-ff", "-m", "Merge branch 'main'", "origin/main"]);
    world.lands("ada", &["stg"]);
    world.git("ada", &["switch", "-q", "dev"]);
    world.git("ada", &["merge", "-q", "-m", "Merge branch 'stg'", "stg"]);
    world.lands("ada", &["dev"]);
}

fn use_waivers(world: &mut World) {
    // One waiver is used up. Another waiver expires.
    world.commits("ada", "dev", "feat: the law changed", "src/law.rs");
    world.rejected("ada", &["dev"], &["[freeze]"]);
    let waive = ["waive", "freeze", "--onto", "dev", "--reason", "the law changed", "--for"];
    world.cannot("ben", &[&waive[..], &["2 days"]].concat(), "no role that may make this record");
    world.cannot("grace", &[&waive[..], &["99 days"]].concat(), "within 14 days");
    world.does("grace", &[&waive[..], &["2 days"]].concat());
    world.rejected("ada", &["dev"], &["[freeze]", "2 of release-manager"]);
    world.does("henry", &[&waive[..], &["2 days"]].concat());
    world.lands("ada", &["dev"]);
    world.commits("ada", "dev", "feat: and again", "src/again.rs");
    world.rejected("ada", &["dev"], &["[freeze]"]);
    for who in ["grace", "henry"] {
        world.does(who, &[&waive[..], &["1 days"]].concat());
    }
    world.at("2026-03-23T10:00:00Z");
    world.rejected("ada", &["dev"], &["[freeze]"]);
}

fn thaw(world: &mut World) {
    // The exit criteria end the freeze.
    for run in ["run 1", "run 2"] {
        let record = ["evidence", "production-run", "--reason", "complete", "--run", run];
        world.does("grace", &record);
    }
    let unnamed = ["evidence", "production-run", "--reason", "complete"];
    world.cannot("grace", &unnamed, "requires its id");
    world.does("grace", &["evidence", "notice", "--reason", "mail to all"]);
    let blocker = ["evidence", "blocker", "--reason", "slow", "--json"];
    let said = world.does("uma", &blocker);
    let blocker = said.split("\"id\":\"").nth(1).unwrap()[..64].to_string();
    let exit = ["sign-off", "--meaning", "freeze-exit", "--reason", "stable"];
    world.cannot("grace", &exit, "while the blocker \"slow\" is open");
    world.does("uma", &["withdraw", &blocker, "--reason", "fast again"]);
    world.does("grace", &["sign-off", "--meaning", "freeze-exit", "--reason", "stable"]);
    world.rejected("ada", &["dev"], &["2026-04-03 10:00 UTC"]);
    world.at("2026-04-03T10:00:00Z");
    world.lands("ada", &["dev"]);
    world.does("grace", &["release", "next", "--reason", "sprint 13"]);

    // On day 90, only security fixes are accepted as backports to production.
    world.at("2026-06-02T10:00:00Z");
    world.commits("grace", "main", "fix: small", "src/app.rs");
    world.rejected("grace", &["main"], &["[backport]", "deferred to the next iteration"]);
    world.commits("grace", "main", "security: CVE-2026-1", "src/app.rs");
    world.lands("grace", &["main"]);
}

/// A use of a waiver stays used after the landing is rewritten.
#[test]
fn a_rewrite_does_not_restore_a_waiver_use() {
    let world = World::new(&portal(), "2026-03-02T10:00:00Z");
    world.commits("ada", "dev", "fix: a", "src/app.rs");
    world.lands("ada", &["dev"]);
    let waive = ["waive", "rewrite", "--onto", "dev", "--for", "2 days", "--uses", "1"];
    for who in ["grace", "henry"] {
        world.does(who, &[&waive[..], &["--reason", "a secret was committed"]].concat());
    }
    let again = |message: &str| {
        world.git("ada", &["reset", "-q", "--hard", "origin/main"]);
        world.git("ada", &["commit", "-q", "--allow-empty", "-m", message]);
    };
    again("docs: b");
    world.lands("ada", &["+dev"]);
    again("docs: c");
    world.rejected("ada", &["+dev"], &["[rewrite]"]);
}

/// The follow-up of a used waiver is open until it is settled, also after the waiver ends.
#[test]
fn the_follow_up_of_a_used_waiver_stays_open_until_settled() {
    let mut world = World::new(&portal(), "2026-03-02T10:00:00Z");
    world.commits("ada", "dev", "fix: a", "src/app.rs");
    world.lands("ada", &["dev"]);
    let waive = ["waive", "rewrite", "--onto", "dev", "--for", "2 days", "--reason", "a secret"];
    let owing = [&waive[..], &["--owes", "new keys"]].concat();
    world.does("henry", &waive);
    let said = world.does("grace", &owing);
    assert!(said.contains("owes = \"new keys\""), "{said}");
    let said = world.does("grace", &["status"]);
    assert!(said.contains("number of uses unknown") && !said.contains("new keys"), "{said}");
    world.git("ada", &["reset", "-q", "--hard", "origin/main"]);
    world.git("ada", &["commit", "-q", "--allow-empty", "-m", "docs: b"]);
    world.lands("ada", &["+dev"]);
    world.does("grace", &waive);
    world.git("grace", &["fetch", "-q", "origin", "refs/refgate/log:refs/refgate/log"]);
    let said = world.does("grace", &["status"]);
    assert!(said.contains("\"new keys\", due 2026-03-04 10:00 UTC"), "{said}");
    // After the waiver is no longer listed.
    world.at("2026-05-02T10:00:00Z");
    let said = world.does("grace", &["status"]);
    assert!(said.contains("\"new keys\", OVERDUE since 2026-03-04"), "{said}");
    assert!(!said.contains("Waivers:"), "{said}");
    let id = said.split("refgate settle ").nth(1).unwrap().split_whitespace().next().unwrap();
    let settle = ["settle", id, "--reason", "rolled over, PORTAL-9"];
    world.cannot("ben", &settle, "no role that may make this record");
    let log = world.does("grace", &["ledger", "log", "--json"]);
    let plain = log.lines().find(|one| !one.contains("owes = ")).unwrap();
    let plain: serde_json::Value = serde_json::from_str(plain).unwrap();
    let plain = plain["id"].as_str().unwrap();
    world.cannot("grace", &["settle", plain, "--reason", "r"], "as the record says");
    world.does("grace", &settle);
    assert!(!world.does("grace", &["status"]).contains("new keys"));
    world.does("grace", &["ledger", "verify"]);
}
