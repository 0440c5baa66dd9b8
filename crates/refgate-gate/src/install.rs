//! Installs refgate in a repository and removes it. Former hooks and settings are never lost.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use refgate_core::{LEDGER, Policy};
use refgate_format::{Guard, Settings, SettingsError};
pub use refgate_git::DIRECTORY;
use refgate_git::{GitError, Writer};

use crate::repository_id::ID_REF;

/// The name of the settings file in [`DIRECTORY`].
pub const SETTINGS: &str = "server.toml";

/// The hooks that refgate installs for a guard.
#[must_use]
pub const fn hooks_for_guard(guard: Guard) -> &'static [&'static str] {
    match guard {
        Guard::Portable => &["pre-receive", "reference-transaction", "post-receive"],
        // `proc-receive` updates refs under one lock, so no `post-receive` hook has to wait.
        Guard::Strict => &["pre-receive", "proc-receive"],
    }
}

/// All hooks that refgate can install.
const HOOKS: [&str; 4] = ["pre-receive", "post-receive", "reference-transaction", "proc-receive"];

/// The setting that lists the refs for `proc-receive`, one prefix in each value.
pub const PROC_REFS: &str = "receive.procReceiveRefs";

/// The suffix of a former hook. refgate's hook runs the former hook after it accepts a push.
const FORMER_HOOK_SUFFIX: &str = ".chained";

/// The file with the former settings, which `uninstall` restores.
const FORMER_SETTINGS_FILE: &str = "before.txt";

/// The server settings that `install` makes (docs/design/threats.md, "Hardened server
/// configuration"). Each reason completes the sentence "the setting is needed so that …".
pub const SERVER_SETTINGS: [ServerSetting; 8] = [
    ServerSetting("transfer.fsckObjects", "true", "malformed objects are rejected on arrival"),
    ServerSetting("receive.fsckObjects", "true", "nothing overrides transfer.fsckObjects"),
    ServerSetting("core.useReplaceRefs", "false", "replace objects cannot change history"),
    ServerSetting("receive.shallowUpdate", "false", "no push can make history shallow"),
    ServerSetting("core.fsync", "all", "accepted pushes survive a power failure"),
    ServerSetting("core.logAllRefUpdates", "always", "the receipt time of tags is known"),
    ServerSetting("gc.reflogExpire", "never", "all ref updates can be audited"),
    ServerSetting("gc.reflogExpireUnreachable", "never", "all rewrites can be audited"),
];

/// A setting, its value and the reason for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSetting(pub &'static str, pub &'static str, pub &'static str);

/// Why the installation failed. `uninstall` reverts the changes that were already made.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The repository cannot be opened or changed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file cannot be written or read.
    #[error("cannot access {path}: {why}")]
    File {
        /// The path of the file.
        path: String,
        /// The cause.
        why: std::io::Error,
    },
    /// The settings cannot be written.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The path contains a `:` (docs/design/threats.md, "What libgit2 holds").
    #[error("cannot install in {0}: libgit2 finds no pushed objects if the path contains a `:`")]
    ColonInPath(String),
    /// The file with the former settings cannot be read.
    #[error("cannot read {path}: {why}")]
    FormerSettings {
        /// The path of the file.
        path: String,
        /// The cause.
        why: String,
    },
}

/// The parameters of an installation.
#[derive(Debug, Clone)]
pub struct InstallPlan {
    /// The path of the repository, which may be bare.
    pub repository: PathBuf,
    /// The path of the hook program.
    pub program: PathBuf,
    /// The server settings.
    pub settings: Settings,
    /// The names and texts of the policy file and of its related files, if they are stored
    /// on the server.
    pub files: BTreeMap<String, String>,
    /// The prefixes of the refs that `proc-receive` updates; empty unless the guard is strict.
    pub proc_refs: Vec<String>,
}

/// The directory in which Git looks for the hooks of this repository.
///
/// # Errors
/// Returns an error if the configuration cannot be read.
pub fn hooks_folder(writer: &Writer) -> Result<PathBuf, GitError> {
    let configured = writer.setting("core.hooksPath")?;
    Ok(configured
        .map_or_else(|| writer.git_dir().join("hooks"), |path| writer.git_dir().join(path)))
}

/// Installs refgate in a repository, or renews an installation.
///
/// # Errors
/// Returns the first error. The steps before it stay done.
pub fn install(plan: &InstallPlan) -> Result<PathBuf, InstallError> {
    let writer = Writer::open(&plan.repository, false)?;
    let git_dir = writer.git_dir();
    if git_dir.display().to_string().contains(':') {
        return Err(InstallError::ColonInPath(git_dir.display().to_string()));
    }
    let directory = git_dir.join(DIRECTORY);
    fs::create_dir_all(&directory).map_err(|why| failed(&directory, why))?;
    for (name, text) in &plan.files {
        replace(&directory.join(name), text.as_bytes(), 0o644)?;
    }
    let settings =
        Settings { installed_in: git_dir.display().to_string(), ..plan.settings.clone() };
    replace(&directory.join(SETTINGS), settings.to_text()?.as_bytes(), 0o644)?;
    if !settings.name.is_empty() {
        writer.publish(ID_REF, &settings.name)?;
    }
    remember(&writer, &directory)?;
    for ServerSetting(key, value, _) in SERVER_SETTINGS {
        writer.set(key, value)?;
    }
    let program = fs::read(&plan.program).map_err(|why| failed(&plan.program, why))?;
    let hooks = hooks_folder(&writer)?;
    fs::create_dir_all(&hooks).map_err(|why| failed(&hooks, why))?;
    let wanted = hooks_for_guard(plan.settings.guard);
    for hook in wanted {
        let path = hooks.join(hook);
        move_former_hook(&path)?;
        replace(&path, &program, 0o755)?;
    }
    for hook in HOOKS.iter().filter(|hook| !wanted.contains(*hook)) {
        remove(&hooks.join(hook))?;
    }
    writer.set_all(PROC_REFS, &plan.proc_refs)?;
    Ok(directory)
}

/// Removes refgate from a repository and restores the former hooks and settings.
///
/// # Errors
/// Returns the first error. The steps before it stay done.
pub fn uninstall(repository: &Path) -> Result<(), InstallError> {
    let writer = Writer::open(repository, false)?;
    let directory = writer.git_dir().join(DIRECTORY);
    let hooks = hooks_folder(&writer)?;
    for hook in HOOKS {
        remove(&hooks.join(hook))?;
    }
    writer.set_all(PROC_REFS, &[])?;
    for (key, value) in former_settings(&directory)? {
        if value.is_empty() { writer.unset(&key)? } else { writer.set(&key, &value)? }
    }
    if directory.exists() {
        fs::remove_dir_all(&directory).map_err(|why| failed(&directory, why))?;
    }
    Ok(())
}

/// Deletes refgate's hook and restores the former hook. Another hook stays as it is.
fn remove(path: &Path) -> Result<(), InstallError> {
    if is_refgate_hook(path) {
        fs::remove_file(path).map_err(|why| failed(path, why))?;
        let former = former_hook_path(path);
        if former.exists() {
            fs::rename(&former, path).map_err(|why| failed(&former, why))?;
        }
    }
    Ok(())
}

/// The path of a hook in this directory, if it is refgate's hook.
#[must_use]
pub fn installed_hook(hooks: &Path, hook: &str) -> Option<PathBuf> {
    Some(hooks.join(hook)).filter(|path| is_refgate_hook(path))
}

/// The path of the former hook that belongs to a hook of refgate.
#[must_use]
pub fn former_hook_path(hook: &Path) -> PathBuf {
    let mut name = hook.file_name().unwrap_or_default().to_os_string();
    name.push(FORMER_HOOK_SUFFIX);
    hook.with_file_name(name)
}

/// The prefix of the refs that the canary pushes.
pub(crate) const CANARY: &str = "refs/refgate/canary/";

/// The ref that `refgate doctor` tries to push as a canary. refgate rejects it under every
/// policy, and Git alone would accept it.
#[must_use]
pub fn canary(number: u32) -> String {
    format!("{CANARY}{number}")
}

/// A text in refgate's hook program. `install` recognises its own hooks by this text.
const MARK: &[u8] = b"refgate-hook: this file was put here by `refgate install`";

/// [`MARK`] as text. The hook program prints it, so that the mark is part of its file.
#[must_use]
pub fn mark() -> &'static str {
    std::str::from_utf8(MARK).unwrap_or("")
}

fn is_refgate_hook(path: &Path) -> bool {
    fs::read(path).is_ok_and(|data| data.windows(MARK.len()).any(|window| window == MARK))
}

fn move_former_hook(path: &Path) -> Result<(), InstallError> {
    if fs::symlink_metadata(path).is_err() || is_refgate_hook(path) {
        return Ok(());
    }
    // A hook that Git cannot run is kept under another name: as a chained hook, it would reject
    // every push.
    let runs = fs::metadata(path).is_ok_and(|file| {
        file.is_file() && file.len() > 0 && file.permissions().mode() & 0o111 != 0
    });
    let mut former = if runs { former_hook_path(path) } else { path.with_extension("broken") };
    let mut number = 1;
    while fs::symlink_metadata(&former).is_ok() {
        former = path.with_extension(format!("former-{number}"));
        number += 1;
    }
    fs::rename(path, &former).map_err(|why| failed(path, why))
}

/// Writes a file completely or not at all, because Git accepts every push if a hook is empty
/// (docs/design/threats.md, "When Git accepts because the hook did not run").
fn replace(path: &Path, data: &[u8], mode: u32) -> Result<(), InstallError> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(data)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        fs::File::open(path.parent().unwrap_or(path))?.sync_all()
    };
    write().map_err(|why| failed(path, why))
}

fn failed(path: &Path, why: std::io::Error) -> InstallError {
    InstallError::File { path: path.display().to_string(), why }
}

/// Saves the settings from before the first installation.
fn remember(writer: &Writer, directory: &Path) -> Result<(), InstallError> {
    let path = directory.join(FORMER_SETTINGS_FILE);
    if path.exists() {
        return Ok(());
    }
    let mut text = String::new();
    for ServerSetting(key, ..) in SERVER_SETTINGS {
        let value = writer.own_setting(key)?.unwrap_or_default();
        text.push_str(&format!("{key}={value}\n"));
    }
    replace(&path, text.as_bytes(), 0o644)
}

fn former_settings(directory: &Path) -> Result<Vec<(String, String)>, InstallError> {
    let path = directory.join(FORMER_SETTINGS_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(failed(&path, why)),
    };
    text.lines()
        .map(|line| {
            let pair = line.split_once('=').ok_or_else(|| InstallError::FormerSettings {
                path: path.display().to_string(),
                why: format!("`{line}` is not a setting"),
            })?;
            Ok((pair.0.to_string(), pair.1.to_string()))
        })
        .collect()
}

/// The values of `receive.procReceiveRefs` for all refs that a policy governs. Git compares each
/// value with the beginning of a ref name.
#[must_use]
pub fn proc_refs(policy: &Policy) -> Vec<String> {
    let mut all: Vec<String> =
        policy.flow.stages.iter().map(|stage| stage.branch.as_str().to_string()).collect();
    for line in &policy.flow.lines {
        let text = line.branches.as_str();
        let plain = text.split(['*', '?']).next().unwrap_or("");
        let folder = plain.rsplit_once('/').map_or("", |(folder, _)| folder);
        all.push(format!("refs/heads/{folder}").trim_end_matches('/').to_string());
    }
    all.push("refs/tags".to_string());
    all.push(LEDGER.to_string());
    all
}
