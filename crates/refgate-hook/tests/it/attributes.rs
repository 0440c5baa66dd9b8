//! Checks that the attributes of a push and the settings of a repository do not steer the
//! trial merges of the hook.

use std::fs;
use std::time::Instant;

use crate::server::Server;

/// Pushes a merge whose conflict was resolved by hand, on a branch with these attributes.
fn push_resolved_merge(server: &Server, attributes: &str) -> (bool, String) {
    server.git(&["switch", "-q", "dev"]);
    fs::write(server.clone().join(".gitattributes"), attributes).unwrap();
    server.commit("chore: attributes", "tests/a.txt");
    server.git(&["switch", "-q", "-c", "topic"]);
    fs::write(server.clone().join("src/app.rs"), "one\n").unwrap();
    server.git(&["commit", "-q", "-a", "-m", "fix: one"]);
    server.git(&["switch", "-q", "dev"]);
    fs::write(server.clone().join("src/app.rs"), "two\n").unwrap();
    server.git(&["commit", "-q", "-a", "-m", "fix: two"]);
    server.git(&["merge", "-q", "--no-ff", "-s", "ours", "--no-commit", "topic"]);
    fs::write(server.clone().join("src/app.rs"), "both\n").unwrap();
    server.git(&["commit", "-q", "-a", "-m", "Merge branch 'fix/topic' into dev"]);
    server.push("ada", &["dev"])
}

#[test]
fn the_length_of_conflict_markers_is_fixed() {
    let server = Server::new("portal");
    let start = Instant::now();
    let (ok, said) = push_resolved_merge(&server, "* conflict-marker-size=500000000\n");
    assert!(ok, "{said}");
    // The limit is generous: without the override the merge alone takes more than ten seconds.
    assert!(start.elapsed().as_secs() < 8, "{:?}", start.elapsed());
    let output = refgate_scenario::git_command(&server.path())
        .args(["count-objects", "-v"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let size = text.lines().find_map(|line| line.strip_prefix("size: ")).unwrap();
    assert!(size.parse::<u64>().unwrap() < 1_000, "{text}");
}

#[test]
fn merge_drivers_of_the_server_do_not_run() {
    let server = Server::new("portal");
    let witness = server.path().join("driver-ran");
    let driver = format!("touch {} && false", witness.display());
    server.on_server(&["config", "merge.own.driver", &driver]);
    push_resolved_merge(&server, "*.rs merge=own\n");
    assert!(!witness.exists());
}
