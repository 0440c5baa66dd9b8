//! Creates a bare server with the hook, for tests that a scenario cannot express.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use refgate_scenario::git_command;
use tempfile::TempDir;

use crate::pages::hook;
use crate::raw_client::{self, git_at, read_until_flush};

pub(crate) const ZERO: &str = "0000000000000000000000000000000000000000";

/// A server whose stages all point to one commit, and a clone of it.
pub(crate) struct Server {
    folder: TempDir,
}

impl Server {
    /// Creates a server with a built-in policy, stored as a file on the server.
    pub(crate) fn new(policy: &str) -> Self {
        Self::with(policy, "policy.toml", |_| {})
    }

    /// Creates a server with a policy and a list of signers on its production branch.
    pub(crate) fn with_signers(policy: &str, signers: &str) -> Self {
        Self::with(policy, "main:.refgate/policy.toml", |clone| {
            fs::create_dir_all(clone.join(".refgate")).unwrap();
            fs::write(clone.join(".refgate/policy.toml"), policy).unwrap();
            fs::write(clone.join(".refgate/allowed_signers"), signers).unwrap();
        })
    }

    /// Creates a server. `source` is `policy.toml`, or `branch:path` in the repository.
    pub(crate) fn with(policy: &str, source: &str, prepare: impl Fn(&Path)) -> Self {
        let server = Self { folder: tempfile::tempdir().unwrap() };
        let path = server.folder.path();
        git(path, &["init", "-q", "--bare", "server.git"]);
        git(path, &["init", "-q", "clone"]);
        fs::create_dir_all(server.clone().join("src")).unwrap();
        fs::write(server.clone().join("src/app.rs"), "a\n").unwrap();
        fs::write(server.clone().join("README.md"), "a\n").unwrap();
        prepare(&server.clone());
        server.git(&["add", "-A"]);
        server.git(&["commit", "-q", "-m", "start"]);
        server.git(&["remote", "add", "origin", "../server.git"]);
        server.git(&["branch", "dev"]);
        server.git(&["branch", "stg"]);
        server.git(&["push", "-q", "origin", "main", "dev", "stg"]);
        let policy = refgate_gate::builtin(policy).map_or(policy.to_string(), ToString::to_string);
        let source = match source.split_once(':') {
            Some((branch, path)) => refgate_format::PolicySource::Tracked {
                branch: branch.to_string(),
                path: path.to_string(),
            },
            None => refgate_format::PolicySource::File(source.to_string()),
        };
        let settings = refgate_format::Settings {
            policy: source,
            identity: refgate_format::Identity::Gitolite,
            baseline: None,
            limits: refgate_format::Limits::default(),
            guard: refgate_format::Guard::Portable,
            name: String::new(),
            control: None,
            installed_in: String::new(),
            governs: Default::default(),
        };
        refgate_gate::install(&refgate_gate::InstallPlan {
            repository: server.path(),
            program: hook().to_path_buf(),
            settings,
            files: BTreeMap::from([("policy.toml".to_string(), policy)]),
            proc_refs: Vec::new(),
        })
        .unwrap();
        server
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("server.git")
    }

    pub(crate) fn clone(&self) -> PathBuf {
        self.folder.path().join("clone")
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.clone(), arguments)
    }

    /// Runs Git in the server repository without hooks, as an administrator can.
    pub(crate) fn on_server(&self, arguments: &[&str]) -> String {
        git(&self.path(), &[&["-c", "core.hooksPath=/dev/null"], arguments].concat())
    }

    /// Commits a change of one file on the current branch of the clone.
    pub(crate) fn commit(&self, message: &str, path: &str) -> String {
        let file = self.clone().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, format!("{before}{message}\n")).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn tip(&self, name: &str) -> String {
        let output =
            git_command(&self.path()).args(["rev-parse", "--verify", "-q", name]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    }

    /// Runs `git push` as `who`. Returns whether it succeeded, and its output.
    pub(crate) fn push(&self, who: &str, arguments: &[&str]) -> (bool, String) {
        let mut push = git_command(&self.clone());
        let output = push.env("GL_USER", who).arg("push").arg("origin").args(arguments).output();
        push_outcome(&output.unwrap())
    }

    /// All refs except the audit log, which also records rejections. Asserts that the repository
    /// is intact.
    pub(crate) fn state(&self) -> String {
        let refs = self.on_server(&["for-each-ref"]);
        let own = |line: &&str| !line.ends_with("refs/refgate/log");
        let refs: String = refs.lines().filter(own).collect();
        let fsck = git_command(&self.path()).args(["fsck", "--strict"]).output().unwrap();
        assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stderr));
        refs
    }

    /// Writes an object without the checks of Git.
    pub(crate) fn object(&self, kind: &str, data: &[u8]) -> String {
        raw_client::write_object(&self.clone(), kind, data)
    }

    /// Sends commands and a pack of `objects` to `git receive-pack` without the checks of a
    /// client. Returns the whole answer.
    pub(crate) fn raw(&self, who: &str, commands: &[Vec<u8>], objects: &[String]) -> String {
        let mut pack = git_command(&self.clone());
        pack.args(["pack-objects", "--stdout", "-q", "--revs"]);
        let mut child = pack.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(objects.join("\n").as_bytes()).unwrap();
        let pack = child.wait_with_output().unwrap().stdout;
        self.raw_pack(who, commands, &pack)
    }

    pub(crate) fn raw_pack(&self, who: &str, commands: &[Vec<u8>], pack: &[u8]) -> String {
        let mut server = git_command(self.folder.path());
        server.env("GL_USER", who).args(["receive-pack", "server.git"]);
        let mut child = server
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        read_until_flush(&mut output);
        let mut sent = Vec::new();
        raw_client::commands(&mut sent, commands, b"");
        sent.extend_from_slice(pack);
        // The server may have closed the connection already. The answer is read anyway.
        let _ = input.write_all(&sent);
        drop(input);
        let mut answer = Vec::new();
        output.read_to_end(&mut answer).unwrap();
        let mut error = Vec::new();
        child.stderr.take().unwrap().read_to_end(&mut error).unwrap();
        child.wait().unwrap();
        format!("{}{}", demultiplex(&answer), String::from_utf8_lossy(&error))
    }
}

/// The text of an answer without packet lengths and band numbers, which can fall into the
/// middle of a word.
fn demultiplex(mut answer: &[u8]) -> String {
    let mut text = Vec::new();
    while let Some((head, rest)) = answer.split_at_checked(4) {
        let hex = std::str::from_utf8(head).ok();
        let length = hex.and_then(|hex| usize::from_str_radix(hex, 16).ok());
        let (packet, next) = match length {
            Some(0) => (&[][..], rest),
            Some(length @ 4..) => rest.split_at_checked(length - 4).unwrap_or((rest, &[])),
            _ => break,
        };
        text.extend_from_slice(packet.get(1..).unwrap_or_default());
        answer = next;
    }
    text.extend_from_slice(answer);
    String::from_utf8_lossy(&text).into_owned()
}

/// One command of the push protocol.
pub(crate) fn command(old: &str, new: &str, name: &str) -> Vec<u8> {
    format!("{old} {new} {name}").into_bytes()
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    git_at("2026-12-01T10:00:00Z", folder, arguments)
}

pub(crate) fn push_outcome(output: &Output) -> (bool, String) {
    // The output is wrapped, and tests search for whole sentences.
    let said = String::from_utf8_lossy(&output.stderr).replace("remote: ", " ");
    (output.status.success(), said.split_whitespace().collect::<Vec<_>>().join(" "))
}
