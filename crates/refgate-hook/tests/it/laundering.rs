//! Tests attacks that a hostile tester built and that a scenario cannot express.

use crate::server::{Server, ZERO, command};

/// The attack is a back-merge of a hotfix with the tree of unpromoted commits of dev.
#[test]
fn rejects_a_back_merge_with_an_unpromoted_tree() {
    let portal = refgate_gate::builtin("portal").unwrap();
    let server = Server::new(&portal.replace("course = \"operator\"\n", ""));
    server.git(&["switch", "-q", "dev"]);
    server.commit("feat: big", "src/feature.rs");
    assert!(server.push("ada", &["dev"]).0);
    server.git(&["switch", "-q", "main"]);
    server.commit("hotfix: b", "src/app.rs");
    assert!(server.push("grace", &["main"]).0);
    let message = "Merge main\n\nChange-Class: feature\n";
    let parents = ["-p", "origin/stg", "-p", "origin/main", "-m", message];
    server.git(&["fetch", "-q"]);
    let merge = server.git(&[&["commit-tree", "origin/dev^{tree}"], &parents[..]].concat());
    let before = server.tip("stg");
    let (ok, said) = server.push("eve", &[&format!("{merge}:stg")]);
    assert!(!ok && said.contains("squashed copy"), "{said}");
    assert_eq!(server.tip("stg"), before);
}

/// A new stage must begin at a former tip of a stage. A commit that a stage reaches is not enough.
#[test]
fn rejects_a_new_stage_that_begins_at_no_former_tip() {
    let server = Server::new("portal");
    server.git(&["switch", "-q", "-c", "t", "dev"]);
    let evil = server.commit("feat: evil", "src/evil.rs");
    server.git(&["rm", "-q", "src/evil.rs"]);
    server.git(&["commit", "-q", "-m", "feat: hidden"]);
    server.git(&["switch", "-q", "dev"]);
    server.git(&["merge", "-q", "--no-ff", "t"]);
    assert!(server.push("ada", &["dev"]).0);
    server.on_server(&["update-ref", "-d", "refs/heads/stg"]);
    let answer = server.raw("eve", &[command(ZERO, &evil, "refs/heads/stg")], &[evil]);
    assert!(answer.contains("must start at a commit of a stage"), "{answer}");
    assert_eq!(server.tip("stg"), "");
}

/// The attack is a push of a few kilobytes that unpacks to gigabytes of paths.
#[test]
fn rejects_a_path_that_is_too_long() {
    let server = Server::new("portal");
    server.git(&["switch", "-q", "dev"]);
    let deep = vec!["d".repeat(200); 30].join("/");
    std::fs::create_dir_all(server.clone().join("x")).unwrap();
    let blob = server.git(&["hash-object", "-w", "README.md"]);
    server.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{deep}")]);
    server.git(&["commit", "-q", "-m", "fix: deep"]);
    let (ok, said) = server.push("ada", &["dev"]);
    assert!(!ok && said.contains("4,096 bytes"), "{said}");
}

/// The reflog of the server must not contain a date that the pusher chooses.
#[test]
fn rejects_a_push_with_a_committer_date_in_the_environment() {
    let server = Server::new("portal");
    server.git(&["switch", "-q", "dev"]);
    server.commit("fix: a", "src/app.rs");
    let mut push = refgate_scenario::git_command(&server.clone());
    push.env("GL_USER", "ada").env("GIT_COMMITTER_DATE", "2099-01-01T00:00:00Z");
    let output = push.args(["push", "origin", "dev"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("GIT_COMMITTER_DATE"), "{said}");
}
