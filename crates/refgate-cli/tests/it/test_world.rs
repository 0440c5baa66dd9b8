//! A test world: a server with a tracked policy, and people with their own keys and clones.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use refgate_scenario::git_command;
use tempfile::TempDir;

/// The people of the tests. Each of them has a key.
pub(crate) const PEOPLE: [&str; 7] = ["ada", "ben", "grace", "henry", "uma", "carol", "eve"];

/// The number of people who can sign: all except eve.
const SIGNERS: usize = 6;

pub(crate) struct World {
    folder: TempDir,
    at: String,
    /// The answer of everybody to the question whether to sign.
    pub(crate) answer: &'static str,
}

impl World {
    /// Makes a world. The policy is stored as `.refgate/policy.toml` on main.
    pub(crate) fn new(policy: &str, at: &str) -> Self {
        let world = Self { folder: TempDir::new().unwrap(), at: at.to_string(), answer: "y\n" };
        fs::create_dir_all(world.path("keys")).unwrap();
        for name in PEOPLE {
            let key = world.path("keys").join(name);
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(key);
            assert!(keygen.status().unwrap().success());
        }
        world.run_git("ada", &world.path("."), &["init", "-q", "--bare", "portal.git"]);
        world.clone_for("ada");
        let clone = world.path("ada");
        fs::create_dir_all(clone.join(".refgate")).unwrap();
        fs::create_dir_all(clone.join("src")).unwrap();
        fs::write(clone.join("src/app.rs"), "a\n").unwrap();
        fs::write(clone.join("README.md"), "a\n").unwrap();
        fs::write(clone.join(".refgate/policy.toml"), policy).unwrap();
        fs::write(clone.join(".refgate/allowed_signers"), world.signers("refgate@portal")).unwrap();
        world.git("ada", &["add", "-A"]);
        world.git("ada", &["commit", "-q", "-m", "start"]);
        world.git("ada", &["push", "-q", "origin", "HEAD:main", "HEAD:dev", "HEAD:stg"]);
        let server = world.server();
        let hook = crate::hook();
        let (code, said) = world.refgate_in(
            "ada",
            &server,
            &[
                "install",
                ".",
                "--hook",
                hook.to_str().unwrap(),
                "--policy",
                "main:.refgate/policy.toml",
                "--identity",
                "gitolite",
                "--name",
                "portal",
            ],
        );
        assert_eq!(code, Some(0), "{said}");
        world.save();
        for name in PEOPLE {
            if name != "ada" {
                world.clone_for(name);
            }
        }
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn server(&self) -> PathBuf {
        self.path("portal.git")
    }

    pub(crate) fn key(&self, name: &str) -> String {
        fs::read_to_string(self.path("keys").join(format!("{name}.pub"))).unwrap()
    }

    /// The lines of a list of signers.
    pub(crate) fn signers(&self, namespace: &str) -> String {
        let line = |name: &&str| format!("{name} namespaces=\"{namespace}\" {}", self.key(name));
        PEOPLE.iter().take(SIGNERS).map(line).collect()
    }

    fn clone_for(&self, name: &str) {
        self.run_git(name, &self.path("."), &["clone", "-q", "portal.git", name]);
        let key = self.path("keys").join(format!("{name}.pub"));
        for (setting, value) in [
            ("user.name", name),
            ("user.email", &format!("{name}@x")),
            ("gpg.format", "ssh"),
            ("user.signingkey", key.to_str().unwrap()),
            (
                "refgate.trainingClock",
                self.server().join("refgate/training.toml").to_str().unwrap(),
            ),
        ] {
            self.git(name, &["config", setting, value]);
        }
    }

    /// Sets the time of the server and of everybody.
    pub(crate) fn at(&mut self, at: &str) {
        self.at = at.to_string();
        self.save();
    }

    fn save(&self) {
        self.trains(&self.server());
    }

    /// Writes the training clock of the world to a server.
    pub(crate) fn trains(&self, server: &Path) {
        let text = format!("at = \"{}\"\nledger = true\n", self.at);
        fs::write(server.join("refgate/training.toml"), text).unwrap();
    }

    pub(crate) fn set_identity(&self, command: &mut Command, who: &str) {
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), who).env(format!("GIT_{role}_EMAIL"), "x@x");
            command.env(format!("GIT_{role}_DATE"), &self.at);
        }
        command.env("GL_USER", who).env("REMOTE_USER", who).env("GIT_CONFIG_GLOBAL", "/dev/null");
    }

    pub(crate) fn try_git(&self, who: &str, folder: &Path, arguments: &[&str]) -> Output {
        let mut git = git_command(folder);
        self.set_identity(&mut git, who);
        git.args(arguments).output().unwrap()
    }

    #[track_caller]
    fn run_git(&self, who: &str, folder: &Path, arguments: &[&str]) -> String {
        let output = self.try_git(who, folder, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{who}: git {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    }

    /// Runs Git in a clone. It must succeed.
    #[track_caller]
    pub(crate) fn git(&self, who: &str, arguments: &[&str]) -> String {
        self.run_git(who, &self.path(who), arguments)
    }

    pub(crate) fn refgate_in(
        &self,
        who: &str,
        folder: &Path,
        arguments: &[&str],
    ) -> (Option<i32>, String) {
        let mut refgate = Command::new(env!("CARGO_BIN_EXE_refgate"));
        self.set_identity(&mut refgate, who);
        refgate.current_dir(folder).args(arguments).stdin(Stdio::piped());
        let mut child = refgate.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A verb that asks nothing can end before it reads, so an error is ignored.
        let _ = child.stdin.take().unwrap().write_all(self.answer.as_bytes());
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Fetches, then runs refgate in a clone. It must succeed.
    #[track_caller]
    pub(crate) fn does(&self, who: &str, arguments: &[&str]) -> String {
        self.git(who, &["fetch", "-q", "--tags"]);
        let (code, said) = self.refgate_in(who, &self.path(who), arguments);
        assert_eq!(code, Some(0), "{who}: refgate {arguments:?}: {said}");
        said
    }

    /// Fetches, then runs refgate in a clone. It must fail with this message.
    #[track_caller]
    pub(crate) fn cannot(&self, who: &str, arguments: &[&str], why: &str) {
        self.git(who, &["fetch", "-q", "--tags"]);
        let (code, said) = self.refgate_in(who, &self.path(who), arguments);
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code != Some(0) && flat.contains(why), "{who}: refgate {arguments:?}: {said}");
    }

    /// Makes a commit on top of a branch of the server.
    #[track_caller]
    pub(crate) fn commits(&self, who: &str, branch: &str, message: &str, path: &str) -> String {
        self.git(who, &["fetch", "-q"]);
        self.git(who, &["switch", "-q", "-C", branch, &format!("origin/{branch}")]);
        let file = self.path(who).join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, format!("{before}{message}\n")).unwrap();
        self.git(who, &["add", "-A"]);
        self.git(who, &["commit", "-q", "-m", message]);
        self.git(who, &["rev-parse", "HEAD"])
    }

    /// Pushes. Returns whether it was accepted, and the output in one line.
    pub(crate) fn push(&self, who: &str, arguments: &[&str]) -> (bool, String) {
        let all = [&["push", "origin"], arguments].concat();
        let output = self.try_git(who, &self.path(who), &all);
        let said = String::from_utf8_lossy(&output.stderr).replace("remote: ", " ");
        (output.status.success(), said.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[track_caller]
    /// Lets `who` push to production: henry issues a certificate of the portal's course.
    pub(crate) fn certify(&self, who: &str) {
        let course = ["--course", "operator", "--for", "365 days", "--reason", "course of March"];
        self.does("henry", &[&["certify", who], &course[..]].concat());
    }

    pub(crate) fn lands(&self, who: &str, arguments: &[&str]) {
        let (ok, said) = self.push(who, arguments);
        assert!(ok, "{who} pushes {arguments:?}: {said}");
    }

    #[track_caller]
    pub(crate) fn rejected(&self, who: &str, arguments: &[&str], why: &[&str]) {
        let (ok, said) = self.push(who, arguments);
        let missing: BTreeSet<&&str> = why.iter().filter(|why| !said.contains(**why)).collect();
        assert!(!ok && missing.is_empty(), "{who} pushes {arguments:?}: {missing:?} in {said}");
    }
}
