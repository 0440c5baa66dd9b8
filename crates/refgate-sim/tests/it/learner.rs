//! A learner with a shell, a folder and a Git configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub(crate) struct Learner {
    folder: TempDir,
    /// The text of the learner's Git configuration.
    config: String,
}

impl Learner {
    pub(crate) fn new(config: &str) -> Self {
        let learner = Self { folder: TempDir::new().unwrap(), config: config.to_string() };
        fs::create_dir_all(learner.path("home")).unwrap();
        fs::write(learner.path("home/.gitconfig"), &learner.config).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_refgate-sim"));
        assert!(
            program.with_file_name("refgate-hook").is_file(),
            "build it first: cargo build -p refgate-hook"
        );
        learner
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn you(&self) -> PathBuf {
        self.path("my training/you")
    }

    /// Runs a command line in a folder. Returns its exit code and all of its output.
    pub(crate) fn run_in(&self, folder: &Path, line: &str) -> (Option<i32>, String) {
        let program = Path::new(env!("CARGO_BIN_EXE_refgate-sim"));
        let beside = program.parent().unwrap().display();
        let mut shell = Command::new("sh");
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("GIT_") {
                shell.env_remove(key);
            }
        }
        shell.env("PATH", format!("{beside}:{}", std::env::var("PATH").unwrap()));
        shell.env("HOME", self.path("home")).env("REFGATE_SIM_HOME", self.path("home"));
        shell.env("LC_ALL", "C").env("GIT_CONFIG_SYSTEM", "/dev/null");
        // Fixed dates give the same commit ids in each run.
        for role in ["AUTHOR", "COMMITTER"] {
            shell.env(format!("GIT_{role}_DATE"), "2026-03-02T10:00:00Z");
        }
        let line = format!("({line}) 2>&1");
        let output = shell.current_dir(folder).args(["-c", &line]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let said = said.replace(&self.folder.path().display().to_string(), "HERE");
        let said: Vec<&str> = said.lines().map(str::trim_end).collect();
        (output.status.code(), said.join("\n"))
    }

    /// Runs a command line in the learner's clone, and checks its exit code.
    #[track_caller]
    pub(crate) fn does(&self, code: i32, line: &str) -> String {
        let (ended, said) = self.run_in(&self.you(), line);
        assert_eq!(ended, Some(code), "{line}\n{said}");
        said
    }

    /// Starts a lesson in a folder with a space in its name.
    #[track_caller]
    pub(crate) fn start(&self, lesson: &str) -> String {
        let line = format!("refgate-sim start {lesson} --dir 'my training'");
        let (ended, said) = self.run_in(self.folder.path(), &line);
        assert_eq!(ended, Some(0), "{line}\n{said}");
        said
    }

    #[track_caller]
    pub(crate) fn stop(&self) {
        let line = "refgate-sim -C 'my training' stop";
        let (ended, said) = self.run_in(self.folder.path(), line);
        assert_eq!(ended, Some(0), "{line}\n{said}");
        assert!(!self.path("my training").exists());
    }
}
