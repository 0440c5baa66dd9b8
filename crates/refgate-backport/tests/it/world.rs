//! A test repository with a main branch and three release lines.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use refgate_scenario::git_command;
use tempfile::TempDir;

pub(crate) struct World {
    folder: TempDir,
    clock: std::cell::Cell<u64>,
}

impl World {
    /// `main` with two files, and the lines `release/1.0`, `1.1` and `1.2` at its tip.
    pub(crate) fn new() -> Self {
        let world = Self { folder: TempDir::new().unwrap(), clock: 1_780_000_000.into() };
        world.git(&["init", "-q"]);
        world.write("app.txt", "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n");
        world.write("lib.txt", "a\nb\nc\nd\ne\nf\ng\nh\n");
        world.commit("start");
        for line in ["1.0", "1.1", "1.2"] {
            world.git(&["branch", &format!("release/{line}")]);
        }
        world
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Replaces a line of a file.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let file = self.path().join(path);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{path} has no {from:?}: {text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    fn set_identity(&self, command: &mut Command) {
        let now = self.clock.get();
        self.clock.set(now + 60);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "ada");
            command.env(format!("GIT_{role}_EMAIL"), "ada@x");
            command.env(format!("GIT_{role}_DATE"), format!("{now} +0000"));
        }
    }

    pub(crate) fn try_git(&self, folder: &std::path::Path, arguments: &[&str]) -> Output {
        let mut git = git_command(folder);
        self.set_identity(&mut git);
        git.args(arguments).output().unwrap()
    }

    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.try_git(&self.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    }

    /// Commits all files.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Commits a fix on `main` that replaces a line of a file.
    #[track_caller]
    pub(crate) fn fix(&self, message: &str, path: &str, from: &str, to: &str) -> String {
        self.git(&["switch", "-q", "main"]);
        self.edit(path, from, to);
        self.commit(message)
    }

    /// Merges a rename, a binary file and a submodule into `main`.
    pub(crate) fn merge_of_everything(&self) -> String {
        self.git(&["switch", "-q", "-c", "topic"]);
        self.git(&["mv", "lib.txt", "library.txt"]);
        fs::write(self.path().join("logo.bin"), [0_u8, 1, 2, 255]).unwrap();
        let linked = self.git(&["rev-parse", "main"]);
        self.git(&["add", "-A"]);
        self.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{linked},vendor/x")]);
        self.git(&["commit", "-q", "-m", "fix: much"]);
        self.git(&["switch", "-q", "main"]);
        self.git(&["merge", "-q", "--no-ff", "-m", "Merge branch 'topic'", "topic"]);
        self.git(&["rev-parse", "main"])
    }

    /// Runs a command on a branch, then switches back to `main`.
    pub(crate) fn on(&self, branch: &str, arguments: &[&str]) {
        self.git(&["switch", "-q", branch]);
        self.git(arguments);
        self.git(&["switch", "-q", "main"]);
    }

    pub(crate) fn backport(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut backport = Command::new(env!("CARGO_BIN_EXE_git-backport"));
        self.set_identity(&mut backport);
        backport.current_dir(self.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let output = backport.args(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said =
            String::from_utf8_lossy(&said).replace(&self.path().display().to_string(), "REPO");
        (output.status.code(), said)
    }

    /// Runs a command on a terminal with these key presses. Returns what it shows.
    pub(crate) fn types(&self, verb: &str, keys: &[&str]) -> String {
        let program = format!("{} {verb}", env!("CARGO_BIN_EXE_git-backport"));
        let mut terminal = Command::new("script");
        self.set_identity(&mut terminal);
        terminal.args(["-qec", &program, "/dev/null"]).current_dir(self.path());
        terminal.env("GIT_CONFIG_GLOBAL", "/dev/null").env("TERM", "xterm");
        terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = terminal.spawn().unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        for key in keys {
            // The terminal buffers keys that are pressed before a list is shown.
            keyboard.write_all(key.as_bytes()).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a command with other programs on the `PATH`. It must end with this code.
    /// Returns its output.
    #[track_caller]
    pub(crate) fn with_path(&self, first: &Path, code: i32, arguments: &[&str]) -> String {
        let output = self.output(first, arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(output.status.code(), Some(code), "git backport {arguments:?}: {said}");
        said
    }

    /// Runs a command that a program on the `PATH` kills.
    #[track_caller]
    pub(crate) fn killed(&self, first: &Path, arguments: &[&str]) {
        assert_eq!(self.output(first, arguments).status.code(), None);
    }

    fn output(&self, first: &Path, arguments: &[&str]) -> Output {
        let mut backport = Command::new(env!("CARGO_BIN_EXE_git-backport"));
        self.set_identity(&mut backport);
        let path = format!("{}:{}", first.display(), std::env::var("PATH").unwrap());
        backport.current_dir(self.path()).env("GIT_CONFIG_GLOBAL", "/dev/null").env("PATH", path);
        backport.args(arguments).output().unwrap()
    }

    /// Runs a command that must end with this code. Returns its output.
    #[track_caller]
    pub(crate) fn does(&self, code: i32, arguments: &[&str]) -> String {
        let (ended, said) = self.backport(arguments);
        assert_eq!(ended, Some(code), "git backport {arguments:?}: {said}");
        said
    }

    pub(crate) fn show(&self, what: &str) -> String {
        self.git(&["show", "-s", "--format=%an %ad%n%B", what])
    }
}
