//! Tests a policy in the repository: its changes, its absence, and the limits of the server.

use crate::server::Server;

pub(crate) const POLICY: &str = r#"format = 1
name = "own"
revision = 3
[[stage]]
branch = "dev"
[[stage]]
branch = "main"
production = true
[roles]
keeper = ["grace", "henry"]
[policy]
approvals = 0
approvers = "keeper"
[hotfix]
classes = ["docs", "chore", "bugfix", "feature", "hotfix"]
"#;

fn server() -> Server {
    Server::with(POLICY, "main:.refgate/policy.toml", |clone| {
        std::fs::create_dir_all(clone.join(".refgate")).unwrap();
        std::fs::write(clone.join(".refgate/policy.toml"), POLICY).unwrap();
    })
}

/// Writes a policy on main, and pushes it. Returns whether the push succeeded, and its output.
fn change(server: &Server, text: &str, more: &[&str]) -> (bool, String) {
    server.git(&["switch", "-q", "main"]);
    server.git(&["reset", "-q", "--hard", "origin/main"]);
    let file = server.clone().join(".refgate/policy.toml");
    std::fs::write(file, text).unwrap();
    server.git(&["add", "-A"]);
    server.git(&["commit", "-q", "-m", "chore: policy"]);
    server.push("grace", &[&["main"], more].concat())
}

#[test]
fn accepts_a_valid_newer_policy() {
    let server = server();
    let newer = POLICY.replace("revision = 3", "revision = 4");
    let (ok, said) = change(&server, &newer, &[]);
    assert!(ok, "{said}");
    // The new policy is now in force, so the old one is a rollback.
    let (ok, said) = change(&server, POLICY, &[]);
    assert!(!ok && said.contains("must be higher than 4"), "{said}");
}

#[test]
fn rejects_a_policy_that_is_invalid_or_missing_or_locks_out() {
    let server = server();
    for (text, says) in [
        (format!("freze = true\n{POLICY}"), "unknown key `freze`"),
        ("format = 9\n".to_string(), "format 9 is not supported"),
        (POLICY.replace("approvals = 0", "approvals = 3"), "nobody could change"),
        (POLICY.replace("revision = 3", "revision = 4\r"), "carriage returns"),
    ] {
        let (ok, said) = change(&server, &text, &[]);
        assert!(!ok && said.contains("[policy-change]") && said.contains(says), "{said}");
    }
    server.git(&["reset", "-q", "--hard", "origin/main"]);
    server.git(&["rm", "-q", ".refgate/policy.toml"]);
    server.git(&["commit", "-q", "-m", "chore: no policy"]);
    let (ok, said) = server.push("grace", &["main"]);
    assert!(!ok && said.contains("[policy-change]"), "{said}");
}

#[test]
fn rejects_a_symbolic_link_in_place_of_the_policy() {
    let server = server();
    server.git(&["rm", "-q", ".refgate/policy.toml"]);
    std::fs::create_dir_all(server.clone().join(".refgate")).unwrap();
    std::os::unix::fs::symlink("../README.md", server.clone().join(".refgate/policy.toml"))
        .unwrap();
    server.git(&["add", "-A"]);
    server.git(&["commit", "-q", "-m", "chore: link"]);
    let (ok, said) = server.push("grace", &["main"]);
    assert!(!ok && said.contains("not a regular file"), "{said}");
}

#[test]
fn rejects_a_policy_change_together_with_other_changes() {
    let server = server();
    server.git(&["branch", "topic"]);
    let newer = POLICY.replace("revision = 3", "revision = 4");
    let (ok, said) = change(&server, &newer, &["topic"]);
    assert!(!ok && said.contains("must be the only update of its push"), "{said}");
    // A push is never judged by the policy that it contains.
    let open = newer.replace("[hotfix]", "[rules]\nbackport = \"off\"\n[hotfix]");
    server.git(&["reset", "-q", "--hard", "origin/main"]);
    std::fs::write(server.clone().join(".refgate/policy.toml"), open).unwrap();
    server.git(&["add", "-A"]);
    server.git(&["commit", "-q", "-m", "minor-feature\n\nChange-Class: minor-feature"]);
    let (ok, said) = server.push("grace", &["main"]);
    assert!(!ok && said.contains("[backport]"), "{said}");
}

#[test]
fn rejects_a_policy_change_without_approvals() {
    let server = Server::with(POLICY, "main:p.toml", |clone| {
        std::fs::write(clone.join("p.toml"), POLICY.replace("approvals = 0", "approvals = 1"))
            .unwrap();
    });
    server.git(&["switch", "-q", "main"]);
    let newer = POLICY.replace("revision = 3", "revision = 4");
    std::fs::write(server.clone().join("p.toml"), newer).unwrap();
    server.git(&["add", "-A"]);
    server.git(&["commit", "-q", "-m", "chore: policy"]);
    let (ok, said) = server.push("grace", &["main"]);
    assert!(!ok && said.contains("0 of 1 approval by keeper"), "{said}");
}

#[test]
fn rejects_every_push_without_a_policy_and_names_the_administrator() {
    let server = Server::new("portal");
    server.git(&["switch", "-q", "dev"]);
    server.commit("fix: a", "src/app.rs");
    let policy = server.path().join("refgate/policy.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    let before = server.state();
    std::fs::write(&policy, text.replace("[classes]", "[clases]")).unwrap();
    let (ok, said) = server.push("ada", &["dev"]);
    assert!(!ok && said.contains("Tell its") && said.contains("classes"), "{said}");
    std::fs::remove_file(&policy).unwrap();
    let (ok, said) = server.push("ada", &["dev"]);
    assert!(!ok && said.contains("there is no policy"), "{said}");
    std::fs::remove_file(server.path().join("refgate/server.toml")).unwrap();
    let (ok, said) = server.push("ada", &["dev"]);
    assert!(!ok && said.contains("refgate is not installed"), "{said}");
    assert_eq!(server.state(), before);
}

#[test]
fn rejects_pushes_over_a_limit_and_changes_nothing() {
    let server = Server::new("portal");
    server.git(&["switch", "-q", "dev"]);
    server.git(&["branch", "side"]);
    for n in 0..4 {
        server.commit(&format!("fix: {n}"), "src/app.rs");
    }
    server.git(&["switch", "-q", "side"]);
    server.commit("fix: s", "src/app.rs");
    server.git(&["switch", "-q", "dev"]);
    server.git(&["merge", "-q", "-s", "ours", "-m", "fix: both", "side"]);
    let settings = server.path().join("refgate/server.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let before = server.state();
    for (from, to, says) in [
        ("max-commits = 200000", "max-commits = 3", "more than the limit of 3"),
        ("max-refs = 10000", "max-refs = 0", "more than 0 refs"),
        ("max-tree-bytes = 33554432", "max-tree-bytes = 10", "more than the limit of 10"),
        ("max-commit-bytes = 1048576", "max-commit-bytes = 20", "more than the limit of 20"),
        ("max-changes = 200000", "max-changes = 0", "changes more paths"),
        ("max-merged-bytes = 67108864", "max-merged-bytes = 1", "more than the limit of 1"),
    ] {
        assert!(text.contains(from), "{from}: {text}");
        std::fs::write(&settings, text.replace(from, to)).unwrap();
        let (ok, said) = server.push("ada", &["dev"]);
        assert!(!ok && said.contains(says), "{says}: {said}");
        assert_eq!(server.state(), before);
    }
    std::fs::write(&settings, text).unwrap();
    let (ok, said) = server.push("ada", &["dev"]);
    assert!(ok, "{said}");
}

#[test]
fn ignores_a_training_clock_without_the_mark_of_the_server() {
    let server = Server::new("portal");
    server.on_server(&["tag", "-a", "-m", "x", "v1.0.0", "main"]);
    server.git(&["switch", "-q", "dev"]);
    server.commit("feat: a", "src/a.rs");
    // The environment of the pusher must not set the training clock.
    let mut push = refgate_scenario::git_command(&server.clone());
    push.env("GL_USER", "ada").env("REFGATE_AT", "2020-01-01").env("REFGATE_TRAINING", "1");
    let output = push.args(["push", "origin", "dev"]).output().unwrap();
    assert!(!output.status.success());
}
