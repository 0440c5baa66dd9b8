//! What did a hostile tester build by hand that no scenario can say?

use crate::server::{Server, ZERO, command};

/// A back-merge of a hotfix that carries the tree of what waits on dev.
#[test]
fn a_waiting_tree_does_not_ride_on_a_back_merge() {
    let server = Server::new("portal");
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

/// A new stage begins with what some stage has shown, not with what one reaches.
#[test]
fn a_new_stage_begins_where_a_stage_has_been() {
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
    assert!(answer.contains("begins where a stage has been"), "{answer}");
    assert_eq!(server.tip("stg"), "");
}

/// A few kilobytes that would unpack to gigabytes of paths or messages.
#[test]
fn small_pushes_stay_small_in_memory() {
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

/// The server's log of moves must not show a date of the pusher's choice.
#[test]
fn the_pusher_does_not_set_the_servers_clock() {
    let server = Server::new("portal");
    server.git(&["switch", "-q", "dev"]);
    server.commit("fix: a", "src/app.rs");
    let mut push = refgate_scenario::git_command(&server.clone());
    push.env("GL_USER", "ada").env("GIT_COMMITTER_DATE", "2099-01-01T00:00:00Z");
    let output = push.args(["push", "origin", "dev"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("GIT_COMMITTER_DATE"), "{said}");
}
