//! Turns a clone into one that a stranger could have sent: its configuration names programs,
//! and a link leads out of it. For tests.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// Settings whose value is a program that Git can start.
const SETTINGS: &str = "
[core]
	fsmonitor = PROGRAM
	pager = PROGRAM
	editor = PROGRAM
	sshCommand = PROGRAM
	askPass = PROGRAM
	gitProxy = PROGRAM
	hooksPath = FOLDER/hooks
[gpg]
	program = PROGRAM
[gpg \"ssh\"]
	program = PROGRAM
	defaultKeyCommand = PROGRAM
[filter \"x\"]
	clean = PROGRAM
	smudge = PROGRAM
	process = PROGRAM
	required = true
[diff]
	external = PROGRAM
[diff \"x\"]
	textconv = PROGRAM
	command = PROGRAM
[merge \"x\"]
	driver = PROGRAM %A
[credential]
	helper = PROGRAM
[trailer \"x\"]
	command = PROGRAM
[log]
	showSignature = true
[uploadpack]
	packObjectsHook = PROGRAM
[protocol \"ext\"]
	allow = always
[remote \"origin\"]
	url = ext::PROGRAM
	uploadpack = PROGRAM
";

/// The traces of programs that ran and of files that were written through the link.
pub struct HostileClone {
    folder: PathBuf,
}

impl HostileClone {
    /// Changes the clone with the directory `git_dir`. `folder` is an empty directory outside
    /// the clone.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn make(git_dir: &Path, folder: &Path) -> io::Result<Self> {
        let program = folder.join("program");
        let ran = folder.join("ran");
        fs::write(&program, format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", ran.display()))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        fs::create_dir_all(folder.join("hooks"))?;
        for hook in ["reference-transaction", "post-checkout", "post-index-change", "pre-push"] {
            fs::copy(&program, folder.join("hooks").join(hook))?;
        }
        let settings = SETTINGS
            .replace("PROGRAM", &program.display().to_string())
            .replace("FOLDER", &folder.display().to_string());
        fs::File::options()
            .append(true)
            .open(git_dir.join("config"))?
            .write_all(settings.as_bytes())?;
        fs::create_dir_all(git_dir.join("info"))?;
        fs::write(git_dir.join("info/attributes"), "* filter=x diff=x merge=x\n")?;
        fs::create_dir_all(folder.join("outside"))?;
        let own = git_dir.join("refgate");
        let _ = fs::remove_dir_all(&own);
        symlink(folder.join("outside"), own)?;
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// What a program did, or what was written outside; empty if nothing happened.
    #[must_use]
    pub fn traces(&self) -> String {
        let mut traces = fs::read_to_string(self.folder.join("ran")).unwrap_or_default();
        for entry in fs::read_dir(self.folder.join("outside")).into_iter().flatten().flatten() {
            traces += &format!("wrote {}\n", entry.path().display());
        }
        traces
    }
}
