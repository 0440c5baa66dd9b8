//! How does refgate get into a repository, and out of it again, losing nothing?

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use refgate_core::{LEDGER, Policy};
use refgate_format::{Guard, Settings, SettingsError};
use refgate_git::{GitError, Writer};

/// The folder in the git directory that holds all of refgate's own files.
pub const DIRECTORY: &str = "refgate";

/// The settings file in it.
pub const SETTINGS: &str = "server.toml";

/// The hooks that refgate puts in place.
#[must_use]
pub const fn hooks_of(guard: Guard) -> &'static [&'static str] {
    match guard {
        Guard::Portable => &["pre-receive", "reference-transaction", "post-receive"],
        // What moves under one lock needs nobody to wait for it.
        Guard::Strict => &["pre-receive", "proc-receive"],
    }
}

/// All hooks that refgate ever puts in place.
const HOOKS: [&str; 4] = ["pre-receive", "post-receive", "reference-transaction", "proc-receive"];

/// The setting that hands references to `proc-receive`; one value for each.
pub const PROC_REFS: &str = "receive.procReceiveRefs";

/// What former hooks are called; the new hook runs them after its own yes.
const CHAINED: &str = ".chained";

/// What a setting was before, so that `uninstall` can bring it back.
const BEFORE: &str = "before.txt";

/// The server settings that a protected repository has (docs/design/threats.md, "Hardened server configuration").
pub const SERVER_SETTINGS: [ServerSetting; 8] = [
    ServerSetting("transfer.fsckObjects", "true", "malformed objects are refused on arrival"),
    ServerSetting("receive.fsckObjects", "true", "nothing overrides transfer.fsckObjects"),
    ServerSetting("core.useReplaceRefs", "false", "nobody can show Git another history"),
    ServerSetting("receive.shallowUpdate", "false", "no push leaves history cut off"),
    ServerSetting("core.fsync", "all", "what was acknowledged survives a power cut"),
    ServerSetting("core.logAllRefUpdates", "always", "the server's clock says when a tag came"),
    ServerSetting("gc.reflogExpire", "never", "what moved can be audited at any time"),
    ServerSetting("gc.reflogExpireUnreachable", "never", "what was rewritten can be audited, too"),
];

/// A setting, its value, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSetting(pub &'static str, pub &'static str, pub &'static str);

/// Why the installation failed. What was changed until then is said, and
/// `uninstall` takes it back.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The repository cannot be opened or changed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file cannot be written or read.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: String,
        /// Why.
        why: std::io::Error,
    },
    /// The settings cannot be written.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The path cannot work (docs/design/threats.md, "What libgit2 holds").
    #[error("the repository's path {0} has a `:`, with which pushed objects cannot be found")]
    Colon(String),
    /// The record of former settings is unreadable.
    #[error("{path} cannot be read: {why}")]
    Before {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
}

/// What to install.
#[derive(Debug, Clone)]
pub struct InstallPlan {
    /// The repository, bare or not.
    pub repository: PathBuf,
    /// The hook program.
    pub program: PathBuf,
    /// The settings.
    pub settings: Settings,
    /// The text of the server's own policy file, and of files beside it.
    pub files: BTreeMap<String, String>,
    /// The references that `proc-receive` moves; none unless the guard is strict.
    pub proc_refs: Vec<String>,
}

/// The folder in which Git looks for this repository's hooks.
///
/// # Errors
/// If its configuration cannot be read.
pub fn hooks_folder(writer: &Writer) -> Result<PathBuf, GitError> {
    let configured = writer.setting("core.hooksPath")?;
    Ok(configured
        .map_or_else(|| writer.git_dir().join("hooks"), |path| writer.git_dir().join(path)))
}

/// Puts refgate into a repository. Doing it again renews it.
///
/// # Errors
/// At the first thing that cannot be done.
pub fn install(plan: &InstallPlan) -> Result<PathBuf, InstallError> {
    let writer = Writer::open(&plan.repository, false)?;
    let git_dir = writer.git_dir();
    if git_dir.display().to_string().contains(':') {
        return Err(InstallError::Colon(git_dir.display().to_string()));
    }
    let directory = git_dir.join(DIRECTORY);
    fs::create_dir_all(&directory).map_err(|why| failed(&directory, why))?;
    for (name, text) in &plan.files {
        replace(&directory.join(name), text.as_bytes(), 0o644)?;
    }
    replace(&directory.join(SETTINGS), plan.settings.to_text()?.as_bytes(), 0o644)?;
    remember(&writer, &directory)?;
    for ServerSetting(key, value, _) in SERVER_SETTINGS {
        writer.set(key, value)?;
    }
    let program = fs::read(&plan.program).map_err(|why| failed(&plan.program, why))?;
    let hooks = hooks_folder(&writer)?;
    fs::create_dir_all(&hooks).map_err(|why| failed(&hooks, why))?;
    let wanted = hooks_of(plan.settings.guard);
    for hook in wanted {
        let path = hooks.join(hook);
        keep_former(&path)?;
        replace(&path, &program, 0o755)?;
    }
    for hook in HOOKS.iter().filter(|hook| !wanted.contains(*hook)) {
        remove(&hooks.join(hook))?;
    }
    writer.set_all(PROC_REFS, &plan.proc_refs)?;
    Ok(directory)
}

/// Takes refgate out again: former hooks and settings come back.
///
/// # Errors
/// At the first thing that cannot be done.
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

/// Takes refgate's hook away, and brings back what was there before.
fn remove(path: &Path) -> Result<(), InstallError> {
    if is_ours(path) {
        fs::remove_file(path).map_err(|why| failed(path, why))?;
        let former = chained(path);
        if former.exists() {
            fs::rename(&former, path).map_err(|why| failed(&former, why))?;
        }
    }
    Ok(())
}

/// The hook file that Git would run, if it is refgate's.
#[must_use]
pub fn installed_hook(hooks: &Path, hook: &str) -> Option<PathBuf> {
    Some(hooks.join(hook)).filter(|path| is_ours(path))
}

/// The path of a kept former hook.
#[must_use]
pub fn chained(hook: &Path) -> PathBuf {
    let mut name = hook.file_name().unwrap_or_default().to_os_string();
    name.push(CHAINED);
    hook.with_file_name(name)
}

/// Where canaries are pushed.
pub(crate) const CANARY: &str = "refs/refgate/canary/";

/// A reference that the canary tries to push: refgate refuses its namespace
/// whatever the policy says, and Git alone would take it.
#[must_use]
pub fn canary(number: u32) -> String {
    format!("{CANARY}{number}")
}

/// A mark in refgate's hook program, by which it knows itself.
const MARK: &[u8] = b"refgate-hook: this file was put here by `refgate install`";

/// The text that the hook program carries, so that [`MARK`] is in its file.
#[must_use]
pub fn mark() -> &'static str {
    std::str::from_utf8(MARK).unwrap_or("")
}

fn is_ours(path: &Path) -> bool {
    fs::read(path).is_ok_and(|data| data.windows(MARK.len()).any(|window| window == MARK))
}

fn keep_former(path: &Path) -> Result<(), InstallError> {
    if fs::symlink_metadata(path).is_err() || is_ours(path) {
        return Ok(());
    }
    // A hook that Git would not run is kept, but not run: chained it would
    // refuse every push.
    let runs = fs::metadata(path).is_ok_and(|file| {
        file.is_file() && file.len() > 0 && file.permissions().mode() & 0o111 != 0
    });
    let mut former = if runs { chained(path) } else { path.with_extension("broken") };
    let mut number = 1;
    while fs::symlink_metadata(&former).is_ok() {
        former = path.with_extension(format!("former-{number}"));
        number += 1;
    }
    fs::rename(path, &former).map_err(|why| failed(path, why))
}

/// Writes a file whole or not at all: an empty hook would let everything pass
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

/// Keeps what the settings were before the first installation.
fn remember(writer: &Writer, directory: &Path) -> Result<(), InstallError> {
    let path = directory.join(BEFORE);
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
    let path = directory.join(BEFORE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(failed(&path, why)),
    };
    text.lines()
        .map(|line| {
            let pair = line.split_once('=').ok_or_else(|| InstallError::Before {
                path: path.display().to_string(),
                why: format!("`{line}` is no setting"),
            })?;
            Ok((pair.0.to_string(), pair.1.to_string()))
        })
        .collect()
}

/// The values of `receive.procReceiveRefs` that cover all that a policy
/// protects. Git compares them as beginnings of names.
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
