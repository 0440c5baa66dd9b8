//! Tests that forecasts agree with the policy, as the server enforces it.

use crate::world::World;

/// A policy with stages and lines. The backport window of its release is long over.
fn world() -> World {
    let world = World::new();
    world.git(&["branch", "dev"]);
    world.write(".refgate/policy.toml", include_str!("../../../../policies/release-lines.toml"));
    world.commit("chore: policy");
    world.git(&["tag", "-a", "-m", "1.0", "v1.0.0", "main"]);
    world
}

#[test]
fn does_not_pick_what_the_policy_denies() {
    let world = world();
    world.git(&["switch", "-q", "dev"]);
    world.edit("app.txt", "two\n", "2\n");
    let feature = world.commit("feat: two");
    world.edit("app.txt", "five\n", "5\n");
    let security = world.commit("security: five");
    let policy = ["--policy", "main:.refgate/policy.toml"];
    let ask = |code: i32, arguments: &[&str]| world.does(code, &[arguments, &policy].concat());
    let said = ask(1, &["plan", &feature]);
    assert!(said.contains("denied by policy: feature is never backported"), "{said}");
    let said = ask(0, &["plan", &security]);
    assert!(said.contains("clean") && !said.contains("denied"), "{said}");
    let said = ask(0, &["status", &feature]);
    assert!(said.contains("not-eligible") && said.contains("original       dev"), "{said}");
    let said = ask(1, &["apply", &feature, "--to", "release/1.1"]);
    assert!(said.contains("nothing to do"), "{said}");
    assert_eq!(world.git(&["for-each-ref", "refs/heads/backport"]), "");
}

/// A change that the policy denies is not used as a prerequisite. The conflict remains.
#[test]
fn does_not_use_a_denied_change_as_prerequisite() {
    let world = world();
    world.git(&["switch", "-q", "dev"]);
    world.edit("app.txt", "two\n", "TWO\n");
    let feature = world.commit("feat: two");
    world.edit("app.txt", "TWO\n", "2!\n");
    let fix = world.commit("security: two");
    world.edit("lib.txt", "g\n", "G\n");
    let other = world.commit("security: g");
    let policy = ["--policy", "main:.refgate/policy.toml", "--to", "release/1.1"];
    let ask = |code: i32, arguments: &[&str]| world.does(code, &[arguments, &policy].concat());
    let said = ask(1, &["plan", &fix]);
    assert!(said.contains("conflict in app.txt") && !said.contains(&feature[..10]), "{said}");
    // With several fixes, the output names the fix.
    let said = ask(1, &["apply", &feature, &other, "--json", "--gap"]);
    assert!(said.contains(&format!("\"fix\":\"{feature}\"")), "{said}");
    assert!(said.contains("\"state\":\"done\""), "{said}");
}

#[test]
fn lists_debts_with_the_commands_that_pay_them() {
    let world = world();
    world.git(&["switch", "-q", "main"]);
    world.edit("app.txt", "two\n", "2\n");
    let fix = world.commit("hotfix: two");
    let policy = ["--policy", "main:.refgate/policy.toml"];
    let ask = |arguments: &[&str]| world.backport(&[arguments, &policy].concat()).1;
    let said = ask(&["debts"]);
    assert!(said.contains("dev is missing it, landed on main"), "{said}");
    assert!(said.contains(&format!("git backport apply {} --to dev", &fix[..10])), "{said}");
    assert!(ask(&["plan", "--debts"]).contains("clean"));
    let said = ask(&["apply", "--debts", "--straight"]);
    assert!(said.contains("dev  done"), "{said}");
    let said = ask(&["debts"]);
    assert!(!said.contains("hotfix: two"), "{said}");
    // A branch whose content already has the fix does not owe it.
    world.git(&["switch", "-q", "main"]);
    world.edit("app.txt", "five\n", "5\n");
    let fix = world.commit("hotfix: five");
    world.git(&["switch", "-q", "dev"]);
    world.edit("app.txt", "five\n", "5\n");
    world.edit("lib.txt", "a\n", "A\n");
    let said = ask(&["debts"]);
    assert!(said.contains(&fix[..10]), "{said}");
    world.commit("fix: five, and more");
    let said = ask(&["debts"]);
    assert!(!said.contains(&fix[..10]), "{said}");
}

/// The forecast names a freeze that the server enforces.
#[test]
fn forecasts_a_freeze() {
    let world = world();
    let policy = include_str!("../../../../policies/release-lines.toml");
    let freeze = "\n[[freeze]]\nname = \"long\"\nreason = \"a test\"\nstages = [\"dev\"]\n\
                  lines = true\nlets-through = [\"security\"]\nfrom = \"2020-01-01\"\n\
                  to = \"2120-01-01\"\n";
    world.write("frozen.toml", &format!("{policy}{freeze}"));
    world.git(&["switch", "-q", "main"]);
    world.edit("app.txt", "two\n", "2\n");
    let hotfix = world.commit("hotfix: two");
    world.edit("app.txt", "five\n", "5\n");
    let security = world.commit("security: five");
    let policy = ["--policy", "frozen.toml"];
    let ask = |code: i32, arguments: &[&str]| world.does(code, &[arguments, &policy].concat());
    let said = ask(1, &["plan", &hotfix, "--to", "dev"]);
    assert!(said.contains("denied by policy: the freeze \"long\" blocks hotfix until"), "{said}");
    let said = ask(0, &["plan", &security, "--to", "release/1.1", "--to", "dev"]);
    assert!(!said.contains("denied"), "{said}");
}

/// A resolved pick needs an approval, and the command for it is printed.
#[test]
fn a_resolved_pick_needs_an_approval() {
    let world = world();
    world.git(&["switch", "-q", "release/1.1"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    world.git(&["switch", "-q", "dev"]);
    world.edit("app.txt", "two\n", "2\n");
    let fix = world.commit("security: two");
    let policy = ["--policy", "main:.refgate/policy.toml"];
    let ask = |code: i32, arguments: &[&str]| world.does(code, &[arguments, &policy].concat());
    ask(1, &["apply", &fix, "--to", "release/1.1", "--gap"]);
    let branch = format!("backport/{}/release/1.1", &fix[..10]);
    let tree = world.path().join(".git/refgate/backport").join(branch.replace('/', "%2F"));
    std::fs::write(tree.join("app.txt"), "one\n2\nthree\n").unwrap();
    world.try_git(&tree, &["add", "app.txt"]);
    let said = ask(0, &["continue"]);
    let made = world.git(&["rev-parse", "--short=10", &branch]);
    let command = format!("refgate approve backport {made} --onto release/1.1");
    assert!(said.contains(&format!("\n    {command}")), "{said}");
}

/// A clone without the log of the server does not know when a fix landed: its own reflog and
/// the dates of commits say something else.
#[test]
fn a_debt_has_no_time_without_the_log() {
    let world = world();
    world.git(&["clone", "-q", ".", "clone"]);
    let clone = world.path().join("clone");
    world.git(&["switch", "-q", "main"]);
    world.edit("app.txt", "two\n", "2\n");
    world.commit("hotfix: two");
    world.try_git(&clone, &["fetch", "-q"]);
    let ask = |more: &[&str]| {
        let policy = ["--policy", "main:.refgate/policy.toml"];
        world.backport(&[&["-C", "clone", "debts"][..], &policy, more].concat()).1
    };
    let said = ask(&["--json"]);
    assert!(said.contains("\"since\":null") && said.contains("\"due\":null"), "{said}");
    let said = ask(&[]);
    assert!(said.contains("at an unknown time") && said.contains("refs/refgate/log"), "{said}");
}
