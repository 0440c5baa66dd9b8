//! A protected server, the raw client, and what must not change on the server.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use refgate_format::{Guard, Identity, Limits, PolicySource, Settings};
use refgate_scenario::git_command;
use tempfile::TempDir;

use crate::raw_client::{self, git_at, read_until_flush};

pub(crate) const ZERO: &str = "0000000000000000000000000000000000000000";

/// The policies and guards that are attacked.
pub(crate) const INSTALLATIONS: [(&str, Guard); 8] = [
    ("portal", Guard::Portable),
    ("portal", Guard::Strict),
    ("strict", Guard::Portable),
    ("strict", Guard::Strict),
    ("release-lines", Guard::Portable),
    ("release-lines", Guard::Strict),
    ("minimal", Guard::Portable),
    ("minimal", Guard::Strict),
];

/// What a hostile client sends.
#[derive(Default)]
pub(crate) struct HostilePush {
    /// The command lines, without their length.
    pub(crate) commands: Vec<Vec<u8>>,
    /// What the pack contains, as arguments of `git rev-list`.
    pub(crate) objects: Vec<String>,
    /// Objects that no walk of history finds.
    pub(crate) loose: Vec<String>,
    /// Push options.
    pub(crate) options: Vec<Vec<u8>>,
    /// Who pushes.
    pub(crate) who: &'static str,
    /// Whether the fault is certainly the pusher's.
    pub(crate) blames_pusher: bool,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) text: String,
    /// The largest process of the push, in KiB.
    pub(crate) memory: u64,
}

pub(crate) struct Target {
    folder: TempDir,
    name: String,
    /// The policy's stages.
    pub(crate) stages: Vec<&'static str>,
    honest: u32,
}

impl Target {
    pub(crate) fn new((policy, guard): &(&str, Guard)) -> Self {
        let stages = match *policy {
            "release-lines" => vec!["dev", "main"],
            _ => vec!["dev", "stg", "main"],
        };
        let folder = tempfile::tempdir().unwrap();
        let name =
            format!("{policy}/{}", if *guard == Guard::Strict { "strict" } else { "portable" });
        let target = Self { folder, name, stages, honest: 0 };
        git(target.folder.path(), &["init", "-q", "--bare", "server.git"]);
        git(target.folder.path(), &["init", "-q", "clone"]);
        for (path, text) in [("src/app.rs", "a\n"), ("README.md", "a\n"), ("docs/guide.md", "a\n")]
        {
            let file = target.clone().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        target.git(&["add", "-A"]);
        target.git(&["commit", "-q", "-m", "start"]);
        target.git(&["tag", "-a", "-m", "one", "v1.0.0"]);
        target.git(&["remote", "add", "origin", "../server.git"]);
        for branch in ["dev", "stg", "release/1.x"] {
            target.git(&["branch", branch]);
        }
        target.git(&["push", "-q", "origin", "main", "dev", "stg", "release/1.x", "v1.0.0"]);
        target.install(policy, *guard);
        target
    }

    fn install(&self, policy: &str, guard: Guard) {
        let text = refgate_gate::builtin(policy).unwrap().to_string();
        let settings = Settings {
            policy: PolicySource::File("policy.toml".to_string()),
            identity: Identity::Gitolite,
            baseline: None,
            limits: Limits::default(),
            guard,
            name: String::new(),
            control: None,
            installed_in: String::new(),
            governs: std::collections::BTreeMap::default(),
        };
        let proc_refs = match guard {
            Guard::Strict => vec!["refs/heads".to_string(), "refs/tags".to_string()],
            Guard::Portable => Vec::new(),
        };
        refgate_gate::install(&refgate_gate::InstallPlan {
            repository: self.server(),
            program: PathBuf::from(env!("CARGO_BIN_EXE_refgate-hook")),
            settings,
            files: [("policy.toml".to_string(), text)].into(),
            proc_refs,
        })
        .unwrap();
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn server(&self) -> PathBuf {
        self.folder.path().join("server.git")
    }

    pub(crate) fn clone(&self) -> PathBuf {
        self.folder.path().join("clone")
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.clone(), arguments)
    }

    /// A ref on the server; zeros if there is none.
    pub(crate) fn tip(&self, name: &str) -> String {
        let mut git = git_command(&self.server());
        let output = git.args(["rev-parse", "--verify", "-q", name]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap().trim().to_string();
        if text.is_empty() { ZERO.to_string() } else { text }
    }

    /// Every ref that only an accepted push may move, with its value. The audit log grows
    /// with each verdict.
    pub(crate) fn protected_refs(&self) -> String {
        let mut git = git_command(&self.server());
        let output = git.arg("for-each-ref").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let free = |line: &&str| {
            let name = line.split('\t').nth(1).unwrap_or("");
            let stage = self.stages.iter().any(|stage| name == format!("refs/heads/{stage}"));
            let line_branch =
                self.name.starts_with("release-lines") && name.starts_with("refs/heads/release/");
            let own = name.starts_with("refs/refgate/") && name != "refs/refgate/log";
            let replaced = name.starts_with("refs/replace/");
            stage || line_branch || own || replaced || name.starts_with("refs/tags/v")
        };
        text.lines().filter(free).collect::<Vec<_>>().join("\n")
    }

    /// Sends commands, options and a pack, and reads all that comes back.
    pub(crate) fn send(&self, push: &HostilePush) -> Answer {
        let pack = self.pack(push);
        let memory = self.folder.path().join("memory");
        let mut server = match Path::new("/usr/bin/time").exists() {
            true => {
                let mut time = Command::new("/usr/bin/time");
                time.args(["-f", "%M", "-o"]).arg(&memory).args(["git", "receive-pack"]);
                time.envs(
                    git_command(self.folder.path()).get_envs().filter_map(|(k, v)| Some((k, v?))),
                );
                time.current_dir(self.folder.path());
                time
            }
            false => {
                let mut git = git_command(self.folder.path());
                git.arg("receive-pack");
                git
            }
        };
        server.arg("server.git").env("GL_USER", push.who);
        server.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = server.spawn().unwrap();
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        read_until_flush(&mut output);
        let mut sent = Vec::new();
        let more = if push.options.is_empty() { &b""[..] } else { b" push-options" };
        raw_client::commands(&mut sent, &push.commands, more);
        if !push.options.is_empty() {
            push.options.iter().for_each(|option| raw_client::packet(&mut sent, option));
            sent.extend_from_slice(b"0000");
        }
        sent.extend_from_slice(&pack);
        let writer = std::thread::spawn(move || {
            // The server may have hung up already, which is an answer too.
            let _ = input.write_all(&sent);
        });
        let mut errors = child.stderr.take().unwrap();
        let error = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = errors.read_to_end(&mut text);
            text
        });
        let mut text = Vec::new();
        let _ = output.read_to_end(&mut text);
        text.extend_from_slice(&error.join().unwrap());
        writer.join().unwrap();
        child.wait().unwrap();
        let memory = fs::read_to_string(&memory).unwrap_or_default();
        let memory = memory.lines().last().and_then(|line| line.trim().parse().ok()).unwrap_or(0);
        Answer { text: String::from_utf8_lossy(&text).into_owned(), memory }
    }

    fn pack(&self, push: &HostilePush) -> Vec<u8> {
        if push.objects.is_empty() && push.loose.is_empty() {
            return Vec::new();
        }
        let mut names = push.loose.clone();
        if !push.objects.is_empty() {
            let mut list = git_command(&self.clone());
            list.args(["rev-list", "--objects"]).args(&push.objects);
            let output = list.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            names.extend(text.lines().map(|line| line.split(' ').next().unwrap().to_string()));
        }
        let mut pack = git_command(&self.clone());
        pack.args(["pack-objects", "--stdout", "-q"]);
        let mut child = pack
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all((names.join("\n") + "\n").as_bytes()).unwrap();
        child.wait_with_output().unwrap().stdout
    }

    /// A fix on `dev` by a permitted pusher is accepted, so attacks fail for their own
    /// reasons.
    pub(crate) fn push_honestly(&mut self, about: &str) {
        self.honest += 1;
        let dev = self.tip("refs/heads/dev");
        self.git(&["fetch", "-q", "origin", "dev"]);
        self.git(&["checkout", "-q", "--detach", &dev]);
        let text = format!("honest {}\n", self.honest);
        fs::write(self.clone().join("src/app.rs"), text).unwrap();
        self.git(&["commit", "-q", "-a", "-m", "fix: an honest repair"]);
        let mut push = git_command(&self.clone());
        push.env("GL_USER", "grace").args(["push", "-q", "origin", "HEAD:refs/heads/dev"]);
        let output = push.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "an honest push was rejected: {said}\nafter {about}");
    }

    pub(crate) fn check_whole(&self) {
        let output = git_command(&self.server()).args(["fsck", "--strict"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    git_at("2026-01-01T10:00:00Z", folder, arguments)
}
