//! Tests what a hostile client can send and `git push` cannot: the protocol attacks of
//! docs/design/threats.md.

use crate::server::{Server, ZERO, command};

/// Pushes, and asserts that the answer contains `says` and that the server has not changed.
#[track_caller]
fn assert_rejected(server: &Server, commands: &[Vec<u8>], objects: &[String], says: &str) {
    let before = server.state();
    let answer = server.raw("grace", commands, objects);
    assert!(answer.contains(says), "the answer must contain {says:?}:\n{answer}");
    assert_eq!(server.state(), before, "{answer}");
}

#[test]
fn rejects_a_newline_in_a_ref_name() {
    let server = Server::new("portal");
    let new = server.commit("fix: a", "src/app.rs");
    let dev = server.tip("dev");
    let topic = format!("refs/heads/x\n{dev} {new} refs/heads/dev");
    assert_rejected(
        &server,
        &[command(ZERO, &new, &topic), command(&dev, &new, "refs/heads/dev")],
        std::slice::from_ref(&new),
        "twice in one push",
    );
    // The added line alone is judged like any other line, so the feature is rejected.
    let feature = server.commit("docs: b", "src/b.rs");
    let topic = format!("refs/heads/x\n{dev} {feature} refs/heads/dev");
    assert_rejected(
        &server,
        &[command(ZERO, &feature, &topic)],
        std::slice::from_ref(&feature),
        "refgate: push rejected",
    );
}

#[test]
fn rejects_a_push_with_one_ref_twice() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    let one = server.commit("docs: a", "src/evil.rs");
    let two = server.commit("fix: b", "src/app.rs");
    assert_rejected(
        &server,
        &[command(&dev, &one, "refs/heads/dev"), command(&one, &two, "refs/heads/dev")],
        std::slice::from_ref(&two),
        "rejected",
    );
    assert_rejected(
        &server,
        &[command(&dev, ZERO, "refs/heads/dev"), command(ZERO, &two, "refs/heads/dev")],
        std::slice::from_ref(&two),
        "rejected",
    );
}

#[test]
fn rejects_a_false_old_value() {
    let server = Server::new("portal");
    let new = server.commit("fix: a", "src/app.rs");
    for claimed in ["1111111111111111111111111111111111111111", ZERO, &new] {
        assert_rejected(
            &server,
            &[command(claimed, &new, "refs/heads/dev")],
            std::slice::from_ref(&new),
            "expects",
        );
    }
    let bogus = "1111111111111111111111111111111111111111";
    assert_rejected(&server, &[command(bogus, ZERO, "refs/heads/dev")], &[], "expects");
    server.on_server(&["branch", "topic", "dev"]);
    assert_rejected(&server, &[command(bogus, ZERO, "refs/heads/topic")], &[], "expects");
}

#[test]
fn rejects_a_new_value_that_is_missing() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    let missing = "1234567890123456789012345678901234567890";
    let new = server.commit("fix: a", "src/app.rs");
    assert_rejected(
        &server,
        &[command(&dev, missing, "refs/heads/dev")],
        std::slice::from_ref(&new),
        "rejected",
    );
    assert_rejected(&server, &[command(ZERO, missing, "refs/heads/topic")], &[new], "rejected");
}

#[test]
fn rejects_invalid_and_deceptive_ref_names() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    for name in [
        "HEAD",
        "refs/heads/../../config",
        "refs/heads/a b",
        "refs/heads/x.lock",
        "refs//heads/q",
        "refs/x",
        "refs/heads/\u{1b}[2J",
        "refs/heads/de\u{200b}v",
        "refs/heads/\u{202e}ved",
        "refs/heads/\u{9b}x",
        "refs/heads/DEV",
        "refs/heads/d\u{435}v",
        "refs/heads/refs/heads/dev",
        "refs/replace/x",
        "refs/refgate/ledger",
    ] {
        assert_rejected(
            &server,
            &[command(ZERO, &dev, name)],
            std::slice::from_ref(&dev),
            "rejected",
        );
    }
    let mut bytes = command(ZERO, &dev, "refs/heads/");
    bytes.extend_from_slice(b"\xff\xfe");
    assert_rejected(&server, &[bytes], std::slice::from_ref(&dev), "not UTF-8");
    let long = format!("refs/heads/{}", "x/".repeat(110) + "y");
    assert_rejected(
        &server,
        &[command(ZERO, &dev, &long)],
        std::slice::from_ref(&dev),
        "200 bytes",
    );
}

#[test]
fn escapes_control_characters_in_the_answer() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    let new = server.commit("docs: \u{1b}[2J\u{202e}x\u{9b}", "src/evil.rs");
    let answer = server.raw("ada", &[command(&dev, &new, "refs/heads/dev")], &[new]);
    assert!(answer.contains("\\u{1b}[2J\\u{202e}x\\u{9b}"), "{answer}");
    assert!(!answer.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{answer}");
}

#[test]
fn rejects_a_push_through_a_symbolic_ref() {
    let server = Server::new("portal");
    server.on_server(&["symbolic-ref", "refs/heads/trunk", "refs/heads/dev"]);
    let dev = server.tip("dev");
    let new = server.commit("fix: a", "src/app.rs");
    assert_rejected(&server, &[command(&dev, &new, "refs/heads/trunk")], &[new], "symbolic ref to");
}

#[test]
fn rejects_objects_that_are_not_commits_on_a_stage() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    let tree = server.git(&["rev-parse", "HEAD^{tree}"]);
    assert_rejected(
        &server,
        &[command(&dev, &tree, "refs/heads/dev")],
        std::slice::from_ref(&dev),
        "rejected",
    );
    server.git(&["tag", "-a", "-m", "x", "x"]);
    let tag = server.git(&["rev-parse", "refs/tags/x"]);
    assert_rejected(&server, &[command(&dev, &tag, "refs/heads/dev")], &[tag], "rejected");
}

/// The rows of docs/design/threats.md, "Parser differences". `transfer.fsckObjects` accepts some of
/// them, and is off here, so that Git accepts the others too.
#[test]
fn rejects_commits_that_parsers_read_differently() {
    let server = Server::new("portal");
    server.on_server(&["config", "transfer.fsckObjects", "false"]);
    server.on_server(&["config", "receive.fsckObjects", "false"]);
    let dev = server.tip("dev");
    let tree = server.git(&["rev-parse", "HEAD^{tree}"]);
    let who = "Ada <ada@x> 1700000000 +0000";
    let tree_line = format!("tree {tree}\n");
    let parent = format!("parent {dev}\n");
    let author = format!("author {who}\n");
    let committer = format!("committer {who}\n");
    for header in [
        format!("{tree_line}{parent}{author}{author}{committer}"),
        format!("{tree_line}{parent}{author}{committer}{committer}"),
        format!("{tree_line}{parent}{author}{committer}{parent}"),
        format!("{tree_line}{parent}{author}{committer}{tree_line}"),
        format!("{tree_line}{parent}author Ada <ada@x> <bob@x> 1700000000 +0000\n{committer}"),
        format!("{tree_line}{parent}{author}committer Ada <ada@x> 9223372036854775808 +0000\n"),
        format!("{tree_line}{parent}{author}committer Ada <ada@x> -5 +0000\n"),
        format!("{tree_line}{parent}{author}{committer}gpgsig x\ngpgsig y\n"),
        format!("{tree_line}{parent}{author}{committer}encoding UTF-7\n"),
    ] {
        let new = server.object("commit", format!("{header}\nfix: a\n").as_bytes());
        let before = server.tip("dev");
        let answer =
            server.raw("ada", &[command(&dev, &new, "refs/heads/dev")], std::slice::from_ref(&new));
        assert!(!answer.contains("ok refs/heads/dev"), "{header}\n{answer}");
        assert_eq!(server.tip("dev"), before, "{header}\n{answer}");
    }
    // A valid commit that is made in the same way is accepted.
    let new = server
        .object("commit", format!("{tree_line}{parent}{author}{committer}\nfix: a\n").as_bytes());
    let answer = server.raw("ada", &[command(&dev, &new, "refs/heads/dev")], &[new]);
    assert!(answer.contains("ok refs/heads/dev"), "{answer}");
}

#[test]
fn rejects_a_tree_with_two_equal_names() {
    let server = Server::new("portal");
    server.on_server(&["config", "transfer.fsckObjects", "false"]);
    server.on_server(&["config", "receive.fsckObjects", "false"]);
    let dev = server.tip("dev");
    let blob = server.git(&["rev-parse", "HEAD:README.md"]);
    let raw: Vec<u8> =
        (0..20).map(|at| u8::from_str_radix(&blob[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let mut tree = Vec::new();
    for _ in 0..2 {
        tree.extend_from_slice(b"100644 README.md\0");
        tree.extend_from_slice(&raw);
    }
    let tree = server.object("tree", &tree);
    let who = "Ada <ada@x> 1700000000 +0000";
    let text = format!("tree {tree}\nparent {dev}\nauthor {who}\ncommitter {who}\n\ndocs: a\n");
    let new = server.object("commit", text.as_bytes());
    let answer = server.raw("ada", &[command(&dev, &new, "refs/heads/dev")], &[new]);
    assert!(answer.contains("malformed tree"), "{answer}");
    assert_eq!(server.tip("dev"), dev);
}

#[test]
fn rejects_every_push_to_a_shallow_or_grafted_repository() {
    for (path, text) in [("shallow", "x\n"), ("info/grafts", "x y\n")] {
        let server = Server::new("portal");
        let dev = server.tip("dev");
        let new = server.commit("fix: a", "src/app.rs");
        let file = server.path().join(path);
        std::fs::write(&file, text.replace(['x', 'y'], &dev)).unwrap();
        let answer = server.raw("ada", &[command(&dev, &new, "refs/heads/dev")], &[new]);
        assert!(answer.contains("cannot trust") || !answer.contains("ok refs"), "{answer}");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(server.tip("dev"), dev);
    }
}

#[test]
fn rejects_a_push_from_a_shallow_clone() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    server.git(&["switch", "-q", "dev"]);
    let one = server.commit("fix: a", "src/app.rs");
    let two = server.commit("fix: b", "src/app.rs");
    let shallow = format!("shallow {one}").into_bytes();
    let before = server.state();
    let answer = server.raw(
        "ada",
        &[shallow, command(&dev, &two, "refs/heads/dev")],
        &[two.clone(), format!("^{one}")],
    );
    assert!(!answer.contains("ok refs/heads/dev"), "{answer}");
    assert_eq!(server.state(), before);
}

#[test]
fn ignores_replacement_refs_on_the_server() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    // A replacement ref that bypassed refgate must not change the history that is judged.
    server.git(&["switch", "-q", "--orphan", "evil"]);
    let evil = server.commit("fix: evil", "src/app.rs");
    let fake =
        server.git(&["commit-tree", "-p", &dev, "-m", "fix: fake", &format!("{evil}^{{tree}}")]);
    server.on_server(&["fetch", "-q", "../clone", &format!("{fake}:refs/replace/{evil}")]);
    server.on_server(&["fetch", "-q", "../clone", &format!("{evil}:refs/heads/held")]);
    let answer = server.raw("ada", &[command(&dev, &evil, "refs/heads/dev")], &[evil]);
    assert!(answer.contains("[rewrite]"), "{answer}");
    assert_eq!(server.tip("dev"), dev);
}
