//! Tests that the verbs that read start no program of a clone that a stranger sent.

use refgate_scenario::HostileClone;
use tempfile::TempDir;

use super::{git, refgate, server};

#[test]
fn verbs_that_read_run_and_write_nothing() {
    let (_folder, _server, clone) = server();
    git(&clone, &["switch", "-q", "-c", "topic", "origin/dev"]);
    std::fs::write(clone.join("search.rs"), "a\n").unwrap();
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-q", "-m", "feat: search"]);
    git(&clone, &["update-ref", "refs/refgate/ledger", "HEAD"]);
    let folder = TempDir::new().unwrap();
    let hostile = HostileClone::make(&clone.join(".git"), folder.path()).unwrap();
    // The status of the file is checked only if its time changed.
    std::fs::write(clone.join("app.rs"), "b\n").unwrap();
    for verb in [
        "status --policy portal --as ada",
        "check topic:dev --policy portal --as ada",
        "check topic:main --policy portal --as ada",
        "check topic:dev --policy topic:app.rs --as ada",
        "when feature --policy portal",
        "when dev --policy portal --as ada",
        "replay . --policy portal",
        "lint portal --repo .",
        "prove portal",
        "doctor .",
        "audit .",
        "log show",
        "log verify",
        "ledger list",
        "ledger verify",
        "release dossier v1.0.0",
        "delete-request refs/heads/topic --reason so --policy portal --offline --name ada --yes",
    ] {
        let words: Vec<&str> = verb.split(' ').collect();
        let (code, said) = refgate(&clone, &words);
        assert_eq!(hostile.traces(), "", "{verb}: {code:?} {said}");
        assert!(code.is_some_and(|code| code != 101), "{verb}: {said}");
    }
}
