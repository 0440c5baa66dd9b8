//! Runs the printed remedies of rejections that a scenario cannot make: symbolic refs, policies and
//! malformed commits.

use refgate_scenario::{git_command, remedy};

use crate::server::Server;

/// Pushes as `grace`. Returns whether the push succeeded, and its output without `remote: `.
fn push(server: &Server, arguments: &[&str]) -> (bool, String) {
    let mut push = git_command(&server.clone());
    let output = push.env("GL_USER", "grace").arg("push").arg("origin").args(arguments).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let plain = said.lines().map(|line| line.strip_prefix("remote: ").unwrap_or(line).trim_end());
    (output.status.success(), plain.collect::<Vec<_>>().join("\n"))
}

/// Runs the commands of the first remedy in the clone.
#[track_caller]
fn run_first_remedy(server: &Server, said: &str) {
    let commands = remedy(said, 1).unwrap_or_else(|| panic!("no remedy in:\n{said}"));
    assert!(!commands.is_empty(), "{said}");
    for command in commands {
        let mut shell = std::process::Command::new("sh");
        shell.current_dir(server.clone()).args(["-c", &command]).env("GL_USER", "grace");
        for who in ["AUTHOR", "COMMITTER"] {
            shell.env(format!("GIT_{who}_NAME"), "ada").env(format!("GIT_{who}_EMAIL"), "ada@x");
        }
        shell.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = shell.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command}: {error}");
    }
}

#[test]
fn the_remedy_for_a_symbolic_ref_pushes_to_its_branch() {
    let server = Server::new("portal");
    server.on_server(&["symbolic-ref", "refs/heads/trunk", "refs/heads/dev"]);
    server.git(&["switch", "-q", "dev"]);
    let new = server.commit("fix: a", "src/app.rs");
    let (ok, said) = push(&server, &["dev:trunk"]);
    assert!(!ok && said.contains("[ref-name]"), "{said}");
    run_first_remedy(&server, &said);
    assert_eq!(server.tip("dev"), new);
}

#[test]
fn the_remedy_for_a_malformed_commit_rewrites_it() {
    let server = Server::new("portal");
    server.git(&["switch", "-q", "dev"]);
    let dev = server.tip("dev");
    let tree = server.git(&["rev-parse", "HEAD^{tree}"]);
    let who = "Ada <ada@x> 1700000000 +0000";
    let text = format!(
        "tree {tree}\nparent {dev}\nauthor {who}\ncommitter {who}\nencoding UTF-7\n\nfix: a\n"
    );
    let bad = server.object("commit", text.as_bytes());
    server.git(&["reset", "-q", "--hard", &bad]);
    let (ok, said) = push(&server, &["dev"]);
    assert!(!ok && said.contains("[object-format]"), "{said}");
    run_first_remedy(&server, &said);
    let (ok, said) = push(&server, &["dev"]);
    assert!(ok, "{said}");
}

#[test]
fn the_remedy_for_a_policy_change_pushes_it_alone() {
    let text = crate::policy::POLICY;
    let server = Server::with(text, "main:p.toml", |clone| {
        std::fs::write(clone.join("p.toml"), text).unwrap();
    });
    server.git(&["branch", "topic"]);
    server.git(&["switch", "-q", "main"]);
    let newer = text.replace("revision = 3", "revision = 4");
    std::fs::write(server.clone().join("p.toml"), newer).unwrap();
    server.git(&["commit", "-q", "-a", "-m", "chore: policy"]);
    let (ok, said) = push(&server, &["main", "topic"]);
    assert!(!ok && said.contains("must be the only update of its push"), "{said}");
    run_first_remedy(&server, &said);
    assert_eq!(server.tip("main"), server.git(&["rev-parse", "main"]));
    let (ok, said) = push(&server, &["topic"]);
    assert!(ok, "{said}");
}
