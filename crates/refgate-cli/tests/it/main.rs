//! Runs the `refgate` program and checks its output and exit codes.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod backport_records;
mod control;
mod damaged_ledger;
mod faults;
mod forgery;
mod hostile_clone;
mod points;
mod record_rules;
mod story;
mod test_world;
mod vectors;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use refgate_scenario::git_command;
use tempfile::TempDir;

/// The hook program, which Cargo builds next to `refgate` in a test of the whole workspace.
fn hook() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_refgate")).with_file_name("refgate-hook");
    assert!(path.is_file(), "build it first: cargo build -p refgate-hook");
    path
}

fn refgate(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refgate"));
    command.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = git_command(folder);
    for key in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{key}_NAME"), "ada").env(format!("GIT_{key}_EMAIL"), "ada@x");
    }
    let output = git.args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
}

/// A server with three stages, and a clone of it.
fn server() -> (TempDir, PathBuf, PathBuf) {
    let folder = TempDir::new().unwrap();
    let (server, clone) = (folder.path().join("server.git"), folder.path().join("clone"));
    git(folder.path(), &["init", "-q", "--bare", "server.git"]);
    git(folder.path(), &["clone", "-q", "server.git", "clone"]);
    fs::write(clone.join("app.rs"), "a\n").unwrap();
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-q", "-m", "start"]);
    git(&clone, &["push", "-q", "origin", "HEAD:main", "HEAD:dev", "HEAD:stg"]);
    git(&clone, &["fetch", "-q"]);
    (folder, server, clone)
}

fn install(server: &Path, more: &[&str]) -> (Option<i32>, String) {
    let hook = hook();
    let first = ["install", server.to_str().unwrap(), "--hook", hook.to_str().unwrap()];
    refgate(server, &[&first, more].concat())
}

#[test]
fn doctor_finds_every_reason_why_git_skips_a_hook() {
    let (_folder, server, _) = server();
    let (code, said) = install(&server, &["--policy", "portal", "--identity", "gitolite"]);
    assert_eq!(code, Some(0), "{said}");
    let path = server.join("hooks/pre-receive");
    let good = fs::read(&path).unwrap();
    let restore = || {
        let _ = fs::remove_file(&path);
        fs::write(&path, &good).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let doctor = || refgate(&server, &["doctor", "."]);
    assert_eq!(doctor().0, Some(0));
    let check = |why: &str| {
        let (code, said) = doctor();
        assert!(code == Some(9) && said.contains(why), "{why}: {said}");
        assert!(!said.contains("\nprotected"), "{said}");
        restore();
    };
    fs::remove_file(&path).unwrap();
    check("is missing");
    fs::write(&path, "").unwrap();
    check("is empty");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    check("is not executable");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    check("a dangling symbolic link");
    fs::write(&path, "#!/bin/sh\nexit 0\n").unwrap();
    check("is not a hook of refgate");
    git(&server, &["config", "core.hooksPath", "elsewhere"]);
    check("is missing");
    git(&server, &["config", "--unset", "core.hooksPath"]);
    git(&server, &["config", "core.useReplaceRefs", "true"]);
    check("core.useReplaceRefs is not false");
    assert_eq!(refgate(&server, &["doctor", ".", "--fix"]).0, Some(0));
    fs::write(server.join("refgate/training.toml"), "at = \"2026-01-01\"\n").unwrap();
    check("training repository");
    fs::remove_file(server.join("refgate/training.toml")).unwrap();
    git(&server, &["symbolic-ref", "refs/heads/trunk", "refs/heads/dev"]);
    check("is a symbolic ref to another branch");
}

/// The policy `portal` compares cherry-picks. With a Git that cannot make them, the hook
/// would reject all of them.
#[test]
fn doctor_reports_a_git_that_is_too_old() {
    let (folder, server, _) = server();
    assert_eq!(install(&server, &["--policy", "portal", "--identity", "gitolite"]).0, Some(0));
    let old = folder.path().join("git");
    let path = std::env::var("PATH").unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *version) echo git version 2.40.9; exit;; esac\nPATH='{path}'\n\
         exec git \"$@\"\n"
    );
    fs::write(&old, script).unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_refgate"));
    doctor.args(["doctor", "."]).current_dir(&server);
    doctor.env("PATH", format!("{}:{path}", folder.path().display()));
    let said = String::from_utf8(doctor.output().unwrap().stdout).unwrap();
    assert!(
        said.contains("git 2.40.9 cannot make cherry-picks") && said.contains("git 2.41"),
        "{said}"
    );
}

#[test]
fn a_second_install_keeps_settings_and_uninstall_restores_hooks() {
    let (_folder, server, _) = server();
    let former = server.join("hooks/pre-receive");
    fs::create_dir_all(server.join("hooks")).unwrap();
    fs::write(&former, "#!/bin/sh\ncat > former-was-here\n").unwrap();
    fs::set_permissions(&former, fs::Permissions::from_mode(0o755)).unwrap();
    let config = fs::read_to_string(server.join("config")).unwrap();
    assert_eq!(install(&server, &["--policy", "minimal", "--identity", "gitolite"]).0, Some(0));
    let settings = fs::read_to_string(server.join("refgate/server.toml")).unwrap();
    let policy = fs::read_to_string(server.join("refgate/policy.toml")).unwrap();
    fs::write(server.join("refgate/policy.toml"), format!("# mine\n{policy}")).unwrap();
    assert_eq!(install(&server, &[]).0, Some(0));
    assert_eq!(fs::read_to_string(server.join("refgate/server.toml")).unwrap(), settings);
    assert!(fs::read_to_string(server.join("refgate/policy.toml")).unwrap().starts_with("# mine"));
    assert!(server.join("hooks/pre-receive.chained").exists());
    assert_eq!(refgate(&server, &["uninstall", "."]).0, Some(0));
    assert!(fs::read_to_string(&former).unwrap().contains("former-was-here"));
    assert!(!server.join("refgate").exists());
    // Empty sections can stay in the configuration. No setting stays.
    let settings = |text: &str| text.lines().filter(|l| l.contains('=')).count();
    assert_eq!(settings(&fs::read_to_string(server.join("config")).unwrap()), settings(&config));
}

#[test]
fn runs_the_former_hook_after_its_own() {
    let (_folder, server, clone) = server();
    fs::create_dir_all(server.join("hooks")).unwrap();
    let former = server.join("hooks/pre-receive");
    fs::write(&former, "#!/bin/sh\ncat > seen\n! grep -q forbidden seen\n").unwrap();
    fs::set_permissions(&former, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(install(&server, &["--policy", "minimal"]).0, Some(0));
    git(&clone, &["push", "-q", "origin", "HEAD:refs/heads/topic"]);
    assert!(fs::read_to_string(server.join("seen")).unwrap().contains("refs/heads/topic"));
    let mut push = git_command(&clone);
    push.args(["push", "-q", "origin", "HEAD:refs/heads/forbidden"]);
    assert!(!push.output().unwrap().status.success());
}

#[test]
fn check_and_when_give_the_answer_of_the_server() {
    let (_folder, _server, clone) = server();
    git(&clone, &["switch", "-q", "-c", "dev", "origin/dev"]);
    fs::write(clone.join("search.rs"), "a\n").unwrap();
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-q", "-m", "feat: search"]);
    let check = |arguments: &[&str]| {
        refgate(&clone, &[&["check", "--policy", "portal", "--as", "ada"], arguments].concat())
    };
    let (code, said) = check(&[]);
    assert!(code == Some(0) && said.contains("would accept"), "{said}");
    let (code, said) = check(&["dev:main"]);
    assert!(code == Some(1) && said.contains("the server would reject"), "{said}");
    let (code, said) = check(&["dev:main", "--json"]);
    assert!(code == Some(1) && said.contains("\"verdict\":\"reject\""), "{said}");
    let (_, said) = check(&["dev:main", "--format", "github"]);
    assert!(said.starts_with("::error title=refgate "), "{said}");
    let (code, said) = check(&["--remote", "nowhere"]);
    assert!(code == Some(3) && said.contains("git fetch nowhere"), "{said}");
    let at = ["--policy", "strict", "--at", "2026-12-24 10:00", "--onto", "main"];
    let (code, said) = refgate(&clone, &[&["when", "docs"][..], &at].concat());
    assert!(code == Some(0) && said.contains("2027-01-04 07:00 UTC"), "{said}");
    // `when BRANCH` applies every rule at the earliest possible time.
    let when = |arguments: &[&str]| {
        let who = ["when", "dev", "--policy", "portal", "--as", "ada"];
        refgate(&clone, &[&who[..], arguments].concat())
    };
    let (_, said) = when(&["--json"]);
    assert!(said.contains("\"lands\":true"), "{said}");
    let mut tag = git_command(&clone);
    tag.env("GIT_COMMITTER_NAME", "grace").env("GIT_COMMITTER_EMAIL", "grace@x");
    tag.env("GIT_COMMITTER_DATE", "2026-12-12T09:00:00Z");
    tag.args(["tag", "-a", "-m", "2.0", "v2.0.0", "origin/main"]);
    assert!(tag.status().unwrap().success());
    let (code, said) = when(&["--at", "2026-12-24 10:00"]);
    assert!(code == Some(0) && said.contains("not before 2027-01-11 09:00 UTC"), "{said}");
    assert!(said.contains("2 production runs (0 so far)"), "{said}");
    let (_, said) = when(&["--onto", "main"]);
    assert!(said.contains("waiting does not help") && said.contains("never be accepted"), "{said}");
    let (_, said) = refgate(&clone, &["when", "feature", "--policy", "portal", "--onto", "main"]);
    assert!(said.contains("by promotion only"), "{said}");
}

#[test]
fn replay_writes_one_object_for_each_landing() {
    let (_folder, server, clone) = server();
    for name in ["one", "two"] {
        fs::write(clone.join("app.rs"), name).unwrap();
        git(&clone, &["commit", "-q", "-a", "-m", &format!("fix: {name}")]);
    }
    git(&clone, &["push", "-q", "origin", "HEAD:dev"]);
    let (code, said) = refgate(&server, &["replay", ".", "--json", "--stage", "dev"]);
    assert_eq!((code, said.lines().count()), (Some(0), 3), "{said}");
    let keys = ["commit", "stage", "at", "class", "because", "route", "verdict", "rules", "freeze"];
    for line in said.lines() {
        assert!(keys.iter().all(|key| line.contains(&format!("\"{key}\":"))), "{line}");
    }
}
