//! Configures the server and the learner's clone, so that plain Git runs the real hook.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use refgate_gate::{DIRECTORY, TRAINING, find_hook_program};
use refgate_scenario::{REPOSITORY, git_command, training_key};

use crate::output::Failure;
use crate::world::{MARK, World, failed};

impl World {
    /// Creates or repairs the learner's clone. Its settings override the learner's own
    /// Git configuration, and give the server the name of the pusher.
    pub(crate) fn set_up_clone(&self) -> Result<(), Failure> {
        let you = self.you();
        if !you.join(".git").exists() {
            let mut clone = git_command(&self.root);
            clone.args(["clone", "-q", "--template=", "server.git", "you"]);
            said(&mut clone)?;
        }
        let program = std::env::current_exe()?;
        let name = &self.lesson.you;
        let key = self.key()?;
        let receive = format!("{} receive {} {name}", quoted(&program), quoted(&self.root));
        let hooks = you.join(".git/hooks").display().to_string();
        let server = self.real.server().display().to_string();
        let clock = self.real.server().join(DIRECTORY).join(TRAINING).display().to_string();
        let mail = format!("{name}@portal.example");
        // The learner's own `insteadOf` could rewrite the address. The longest match
        // wins, and this one replaces the whole address by itself.
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let itself = format!("url \"{}\"", escaped(&server));
        let mut text = String::new();
        for (section, key, value) in [
            ("user", "name", name.as_str()),
            ("user", "email", &mail),
            ("commit", "gpgSign", "false"),
            ("tag", "gpgSign", "false"),
            ("push", "gpgSign", "false"),
            ("gpg", "format", "ssh"),
            ("user", "signingKey", &key),
            ("refgate", "repository", REPOSITORY),
            ("refgate", "name", name),
            ("refgate", "trainingClock", &clock),
            ("core", "hooksPath", &hooks),
            ("core", "autocrlf", "false"),
            ("pull", "ff", "true"),
            ("pull", "rebase", "false"),
            ("remote \"origin\"", "url", &server),
            ("remote \"origin\"", "receivepack", &receive),
            (&itself, "insteadOf", &server),
            (&itself, "pushInsteadOf", &server),
        ] {
            let value = escaped(value);
            text.push_str(&format!("[{section}]\n\t{key} = \"{value}\"\n"));
        }
        let path = you.join(".git/config");
        let before = fs::read_to_string(&path)?;
        let own = before.split("# refgate-sim\n").next().unwrap_or_default().to_string();
        // The address that `git clone` wrote is replaced by the one below.
        let own: Vec<&str> = own.lines().filter(|line| !line.starts_with("\turl = ")).collect();
        let own = own.join("\n") + "\n";
        Ok(fs::write(path, format!("{own}# refgate-sim\n{text}"))?)
    }
}

impl World {
    /// Writes the key with which the learner signs records. Returns the public file.
    fn key(&self) -> Result<String, Failure> {
        let (private, public) = training_key(&self.lesson.you).map_err(failed)?;
        let path = self.root.join(MARK).join("key");
        let public_path = path.with_extension("pub");
        fs::write(&path, private)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        fs::write(&public_path, format!("{public}\n"))?;
        Ok(public_path.display().to_string())
    }
}

/// Writes a small script that is installed in place of the hook program. An installation
/// copies the program for each hook and waits for the disk. `write_hook_scripts` replaces it.
pub(crate) fn stand_in(root: &Path) -> Result<PathBuf, Failure> {
    let path = root.join(MARK).join("hook");
    fs::create_dir_all(root.join(MARK))?;
    fs::write(&path, "#!/bin/sh\nexit 1\n")?;
    Ok(path)
}

/// The hooks of a server with the guard `strict`.
const HOOKS: [&str; 2] = ["pre-receive", "proc-receive"];

impl World {
    /// Makes each hook a script that calls the program, so that a stored step is small.
    /// A link is not used, because a learner who edits it would edit the program.
    pub(crate) fn write_hook_scripts(&self) -> Result<(), Failure> {
        let program = find_hook_program(&std::env::current_exe()?)?;
        HOOKS.iter().try_for_each(|name| Ok(fs::write(self.hook(name), call(&program, name))?))
    }

    /// The first hook whose script has changed.
    pub(crate) fn find_changed_hook(&self) -> Option<&'static str> {
        let program = find_hook_program(&std::env::current_exe().ok()?).ok()?;
        let same = |name: &str| {
            fs::read_to_string(self.hook(name)).is_ok_and(|text| text == call(&program, name))
        };
        HOOKS.into_iter().find(|name| !same(name))
    }

    fn hook(&self, name: &str) -> PathBuf {
        self.real.server().join("hooks").join(name)
    }
}

fn call(program: &Path, name: &str) -> String {
    format!("#!/bin/sh\nexec {} {name} \"$@\"\n", quoted(program))
}

/// Turns off `core.fsync`, which an installation turns on. A power failure can then lose
/// a step of a lesson, but the learner does not wait for the disk at every push.
pub(crate) fn disable_fsync(config: &Path) -> Result<(), Failure> {
    let text = fs::read_to_string(config)?;
    Ok(fs::write(config, format!("{text}[core]\n\tfsync = none\n"))?)
}

/// Quotes a path for a shell.
pub(crate) fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// Locks the world. A second process waits until the first one has finished.
pub(crate) fn lock(root: &Path) -> Result<fs::File, Failure> {
    let file = fs::File::create(root.join(MARK).join("lock"))?;
    file.lock()?;
    Ok(file)
}

pub(crate) fn said(git: &mut Command) -> Result<String, Failure> {
    let output = git.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim()))
}
