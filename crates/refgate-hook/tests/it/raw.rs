//! What can a hostile client send that `git push` cannot? Every row of the protocol's catalogue.

use crate::server::{Server, ZERO, command};

/// Nothing of a hostile push lands, and the repository stays whole.
#[track_caller]
fn refused(server: &Server, commands: &[Vec<u8>], objects: &[String], says: &str) {
    let before = server.state();
    let answer = server.raw("grace", commands, objects);
    assert!(answer.contains(says), "should say {says:?}:\n{answer}");
    assert_eq!(server.state(), before, "{answer}");
}

#[test]
fn a_newline_in_a_name_adds_no_line_that_counts() {
    let server = Server::new("portal");
    let new = server.commit("fix: a", "src/app.rs");
    let dev = server.tip("dev");
    let topic = format!("refs/heads/x\n{dev} {new} refs/heads/dev");
    refused(
        &server,
        &[command(ZERO, &new, &topic), command(&dev, &new, "refs/heads/dev")],
        std::slice::from_ref(&new),
        "twice in one push",
    );
    // By itself the added line is judged like any other: a feature stays out.
    let feature = server.commit("docs: b", "src/b.rs");
    let topic = format!("refs/heads/x\n{dev} {feature} refs/heads/dev");
    refused(
        &server,
        &[command(ZERO, &feature, &topic)],
        std::slice::from_ref(&feature),
        "refgate: refused",
    );
}

#[test]
fn one_reference_twice() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    let one = server.commit("docs: a", "src/evil.rs");
    let two = server.commit("fix: b", "src/app.rs");
    refused(
        &server,
        &[command(&dev, &one, "refs/heads/dev"), command(&one, &two, "refs/heads/dev")],
        std::slice::from_ref(&two),
        "refused",
    );
    refused(
        &server,
        &[command(&dev, ZERO, "refs/heads/dev"), command(ZERO, &two, "refs/heads/dev")],
        std::slice::from_ref(&two),
        "refused",
    );
}

#[test]
fn claimed_old_values_are_not_believed() {
    let server = Server::new("portal");
    let new = server.commit("fix: a", "src/app.rs");
    for claimed in ["1111111111111111111111111111111111111111", ZERO, &new] {
        refused(
            &server,
            &[command(claimed, &new, "refs/heads/dev")],
            std::slice::from_ref(&new),
            "not at",
        );
    }
    let bogus = "1111111111111111111111111111111111111111";
    refused(&server, &[command(bogus, ZERO, "refs/heads/dev")], &[], "not at");
    server.on_server(&["branch", "topic", "dev"]);
    refused(&server, &[command(bogus, ZERO, "refs/heads/topic")], &[], "not at");
}

#[test]
fn objects_that_are_not_there() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    let missing = "1234567890123456789012345678901234567890";
    let new = server.commit("fix: a", "src/app.rs");
    refused(
        &server,
        &[command(&dev, missing, "refs/heads/dev")],
        std::slice::from_ref(&new),
        "refused",
    );
    refused(&server, &[command(ZERO, missing, "refs/heads/topic")], &[new], "refused");
}

#[test]
fn names_that_git_refuses_later_are_refused_at_once() {
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
        refused(&server, &[command(ZERO, &dev, name)], std::slice::from_ref(&dev), "refused");
    }
    let mut bytes = command(ZERO, &dev, "refs/heads/");
    bytes.extend_from_slice(b"\xff\xfe");
    refused(&server, &[bytes], std::slice::from_ref(&dev), "not UTF-8");
    let long = format!("refs/heads/{}", "x/".repeat(110) + "y");
    refused(&server, &[command(ZERO, &dev, &long)], std::slice::from_ref(&dev), "200 bytes");
}

#[test]
fn nothing_hidden_comes_back_to_the_terminal() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    let new = server.commit("docs: \u{1b}[2J\u{202e}x\u{9b}", "src/evil.rs");
    let answer = server.raw("ada", &[command(&dev, &new, "refs/heads/dev")], &[new]);
    assert!(answer.contains("\\u{1b}[2J\\u{202e}x\\u{9b}"), "{answer}");
    assert!(!answer.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{answer}");
}

#[test]
fn a_push_through_an_alias_is_told_the_branch_itself() {
    let server = Server::new("portal");
    server.on_server(&["symbolic-ref", "refs/heads/trunk", "refs/heads/dev"]);
    let dev = server.tip("dev");
    let new = server.commit("fix: a", "src/app.rs");
    refused(
        &server,
        &[command(&dev, &new, "refs/heads/trunk")],
        &[new],
        "stands for `refs/heads/dev`",
    );
}

#[test]
fn a_stage_takes_commits_only() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    let tree = server.git(&["rev-parse", "HEAD^{tree}"]);
    refused(
        &server,
        &[command(&dev, &tree, "refs/heads/dev")],
        std::slice::from_ref(&dev),
        "refused",
    );
    server.git(&["tag", "-a", "-m", "x", "x"]);
    let tag = server.git(&["rev-parse", "refs/tags/x"]);
    refused(&server, &[command(&dev, &tag, "refs/heads/dev")], &[tag], "refused");
}

/// Rows of docs/design/threats.md, "Parser differences" that `transfer.fsckObjects` lets through, and with it
/// off those that it would stop.
#[test]
fn commits_that_readers_disagree_about() {
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
        // Some of these Git itself cannot pack by walking; then by name.
        let before = server.tip("dev");
        let answer =
            server.raw("ada", &[command(&dev, &new, "refs/heads/dev")], std::slice::from_ref(&new));
        assert!(!answer.contains("ok refs/heads/dev"), "{header}\n{answer}");
        assert_eq!(server.tip("dev"), before, "{header}\n{answer}");
    }
    // A good one made the same way lands, so the others fail for their reasons.
    let new = server
        .object("commit", format!("{tree_line}{parent}{author}{committer}\nfix: a\n").as_bytes());
    let answer = server.raw("ada", &[command(&dev, &new, "refs/heads/dev")], &[new]);
    assert!(answer.contains("ok refs/heads/dev"), "{answer}");
}

#[test]
fn a_tree_with_twins_is_refused() {
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
    assert!(answer.contains("a tree that Git would not write"), "{answer}");
    assert_eq!(server.tip("dev"), dev);
}

#[test]
fn history_that_is_bent_or_cut_is_not_judged() {
    for (path, text) in [("shallow", "x\n"), ("info/grafts", "x y\n")] {
        let server = Server::new("portal");
        let dev = server.tip("dev");
        let new = server.commit("fix: a", "src/app.rs");
        let file = server.path().join(path);
        std::fs::write(&file, text.replace(['x', 'y'], &dev)).unwrap();
        let answer = server.raw("ada", &[command(&dev, &new, "refs/heads/dev")], &[new]);
        assert!(answer.contains("cannot be trusted") || !answer.contains("ok refs"), "{answer}");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(server.tip("dev"), dev);
    }
}

#[test]
fn a_shallow_push_is_refused() {
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
fn replacement_objects_bend_nothing() {
    let server = Server::new("portal");
    let dev = server.tip("dev");
    // Even if one got in by another door, history is judged as it is.
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
