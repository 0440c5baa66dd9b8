//! `refgate doctor`: checks the installation, then makes a test push that refgate must reject.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use refgate_core::Policy;
use refgate_format::{Guard, Identity, PolicySource, Settings};
use refgate_gate::{
    Exit, PROC_REFS, SERVER_SETTINGS, ServerSetting, Setup, TRAINING, bounds, canary,
    former_hook_path, hooks_folder, hooks_for_guard, horizon, installed_hook, load_policy,
    proc_refs, unjudgeable_stages,
};
use refgate_git::{Reader, Writer, git_version};
use refgate_scenario::git_command;

use crate::args::Doctor;
use crate::command::install::require_governed_branch;
use crate::command::query_context::finished;
use crate::output::{Failure, VerbResult, say};

pub(crate) fn run(args: &Doctor) -> VerbResult {
    examine(&args.repository, args.fix)
}

/// The results of all checks.
#[derive(Default)]
struct Findings {
    wrong: Vec<(String, String)>,
    noted: Vec<String>,
    fixed: Vec<String>,
}

impl Findings {
    fn wrong(&mut self, what: impl Into<String>, hint: impl Into<String>) {
        self.wrong.push((what.into(), hint.into()));
    }
}

/// Checks everything that decides whether pushes are judged. If nothing is wrong, it
/// makes a test push, and prints "protected" only if refgate rejects that push.
pub(crate) fn examine(repository: &Path, fix: bool) -> VerbResult {
    let writer = Writer::open(repository, false)?;
    let mut found = Findings::default();
    hooks(&writer, &mut found)?;
    settings(&writer, fix, &mut found)?;
    history(&writer, &mut found)?;
    locks(&writer.git_dir(), fix, &mut found)?;
    policy(&writer, repository, &mut found)?;
    if found.wrong.is_empty() {
        match unjudgeable_stages(repository, chrono::Utc::now()) {
            Err(failure) => {
                found.wrong(failure.message, "every push is rejected until it is fixed");
            }
            Ok(stages) => {
                for (stage, why) in stages {
                    let hint = "every push to this stage is rejected until it is fixed";
                    let stage = stage.short();
                    found.wrong(format!("cannot judge a landing on `{stage}`: {why}"), hint);
                }
            }
        }
        make_test_push(&writer.git_dir(), &mut found)?;
    }
    for line in &found.fixed {
        say(&format!("fixed      {line}"));
    }
    for line in &found.noted {
        say(&format!("note       {line}"));
    }
    for (what, hint) in &found.wrong {
        say(&format!("PROBLEM    {what}\n           {hint}"));
    }
    if found.wrong.is_empty() {
        say("protected  refgate rejected the test push");
        return finished(Exit::Accepted);
    }
    say(&format!(
        "not protected: {} problem{}",
        found.wrong.len(),
        if found.wrong.len() == 1 { "" } else { "s" }
    ));
    finished(Exit::Failed)
}

/// Checks for every reason why Git would skip a hook and accept a push
/// (docs/design/threats.md, "When Git accepts because the hook did not run").
fn hooks(writer: &Writer, found: &mut Findings) -> Result<(), Failure> {
    let folder = hooks_folder(writer)?;
    let again = "run `refgate install` (it keeps the policy and the settings)";
    let setup = Setup::read(&writer.git_dir()).ok();
    if let Some(from) = setup.as_ref().and_then(Setup::copied_from) {
        let hint = "run `refgate install` with --restored, or with --new-id if it is a copy";
        found.wrong(format!("refgate was installed in {from}, not here"), hint);
    }
    let guard = setup.map(|setup| setup.settings.guard).unwrap_or_default();
    for hook in hooks_for_guard(guard) {
        let path = folder.join(hook);
        let shown = path.display();
        let Ok(link) = fs::symlink_metadata(&path) else {
            found.wrong(format!("the hook {shown} is missing"), again);
            continue;
        };
        match fs::metadata(&path) {
            Err(_) => found.wrong(format!("the hook {shown} is a dangling symbolic link"), again),
            Ok(file) if file.len() == 0 => {
                found.wrong(format!("the hook {shown} is empty, so Git accepts every push"), again);
            }
            Ok(file) if file.permissions().mode() & 0o111 == 0 => {
                found.wrong(format!("the hook {shown} is not executable"), again);
            }
            Ok(file) if file.permissions().mode() & 0o002 != 0 => {
                found
                    .wrong(format!("anybody can change the hook {shown}"), "run `chmod o-w` on it");
            }
            Ok(_) if installed_hook(&folder, hook).is_none() => {
                let hint = "run `refgate install`; it keeps and chains the existing hook";
                found.wrong(format!("the hook {shown} is not a hook of refgate"), hint);
            }
            Ok(_) if link.is_symlink() => {
                found.noted.push(format!(
                    "{shown} is a symbolic link; without its target, nothing is protected"
                ));
            }
            Ok(_) => {}
        }
    }
    for hook in hooks_for_guard(guard) {
        let former = former_hook_path(&folder.join(hook));
        if let Ok(file) = fs::metadata(&former)
            && (file.len() == 0 || file.permissions().mode() & 0o111 == 0)
        {
            let hint = "make it executable, or remove it";
            found.wrong(format!("the chained hook {} cannot run", former.display()), hint);
        }
    }
    if let Some(path) = writer.setting("core.hooksPath")?
        && !Path::new(&path).is_absolute()
    {
        found.wrong(format!("core.hooksPath `{path}` is relative"), "set an absolute path");
    }
    Ok(())
}

fn settings(writer: &Writer, fix: bool, found: &mut Findings) -> Result<(), Failure> {
    for ServerSetting(key, value, why) in SERVER_SETTINGS {
        if writer.setting(key)?.as_deref() == Some(value) {
            continue;
        }
        if fix {
            writer.set(key, value)?;
            found.fixed.push(format!("{key} = {value}"));
        } else {
            let hint = format!("run `git config {key} {value}` or `refgate doctor --fix`");
            found.wrong(format!("{key} is not {value}; required so that {why}"), hint);
        }
    }
    Ok(())
}

/// Finds lock files that are older than [`STALE`]. A killed process leaves them, and
/// they block every update of their ref (docs/design/threats.md, T7, T10).
fn locks(git_dir: &Path, fix: bool, found: &mut Findings) -> Result<(), Failure> {
    let mut folders = vec![git_dir.join("refs")];
    let mut locks = vec![git_dir.join("packed-refs.lock"), git_dir.join("HEAD.lock")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)?.filter_map(Result::ok) {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                _ if path.extension().is_some_and(|end| end == "lock") => locks.push(path),
                _ => {}
            }
        }
    }
    for lock in locks {
        let age = fs::metadata(&lock).and_then(|file| file.modified()).ok();
        let age = age.and_then(|since| since.elapsed().ok());
        if age.is_none_or(|age| age < STALE) {
            continue;
        }
        if fix {
            fs::remove_file(&lock)?;
            found.fixed.push(format!("removed the stale lock file {}", lock.display()));
        } else {
            let hint = "when no push is running, run `refgate doctor --fix`";
            found.wrong(format!("{} is a stale lock file", lock.display()), hint);
        }
    }
    Ok(())
}

/// The age of a stale lock. Git holds a lock for milliseconds.
const STALE: std::time::Duration = std::time::Duration::from_secs(60);

/// Checks for files that change the history that Git sees, and for branches that
/// have a second name.
fn history(writer: &Writer, found: &mut Findings) -> Result<(), Failure> {
    let dir = writer.git_dir();
    if dir.display().to_string().contains(':') {
        found.wrong("the path of the repository has a `:`", "move it: Git finds no pushed objects");
    }
    for (path, what) in [("shallow", "a shallow file"), ("info/grafts", "a grafts file")] {
        if fs::metadata(dir.join(path)).is_ok_and(|file| file.len() > 0) {
            found.wrong(format!("there is {what}, which changes or hides history"), "remove it");
        }
    }
    for alias in writer.aliases()? {
        // A symbolic ref such as `refs/remotes/origin/HEAD` does not affect pushes.
        if alias.starts_with("refs/heads/") || alias.starts_with("refs/tags/") {
            let hint = format!("run `git symbolic-ref --delete {alias}`");
            found.wrong(format!("{alias} is a symbolic ref to another branch"), hint);
        }
    }
    if writer.has_prefix("refs/replace/")? {
        found.wrong("there are replacement objects", "run `git replace --delete` on each");
    }
    let graph = dir.join("objects/info/commit-graph").exists()
        || dir.join("objects/info/commit-graphs").exists();
    if !graph {
        found.noted.push(
            "there is no commit-graph; in a large repository, run `git commit-graph write \
             --reachable` so that merges are judged faster"
                .to_string(),
        );
    }
    Ok(())
}

fn policy(writer: &Writer, repository: &Path, found: &mut Findings) -> Result<(), Failure> {
    let setup = match Setup::read(&writer.git_dir()) {
        Ok(setup) => setup,
        Err(error) => {
            found.wrong(error.to_string(), "run `refgate install`");
            return Ok(());
        }
    };
    if setup.directory.join(TRAINING).exists() {
        let hint = format!("on a real server, delete {}", setup.directory.join(TRAINING).display());
        found.wrong("this is a training repository: its clock and records are not real", hint);
    }
    let reader = match Reader::open(repository, bounds(&setup.settings.limits)) {
        Ok(reader) => reader,
        Err(error) => {
            found.wrong(error.to_string(), "refgate cannot judge pushes to this repository");
            return Ok(());
        }
    };
    let source = &setup.settings.policy;
    match load_policy(&reader, source, &setup.directory, horizon(chrono::Utc::now())) {
        Err(error) => found.wrong(error.full_message(), "every push is rejected until it is fixed"),
        Ok(sourced) => {
            check_proc_refs(writer, &setup.settings, &sourced.policy, found)?;
            check_git_version(&sourced.policy, found)?;
            if let Err(failure) = require_governed_branch(source, &sourced.policy) {
                found.wrong(failure.message, "run `refgate install --policy STAGE:PATH`");
            }
            let wants = sourced.policy.flow.stages.iter().any(|stage| !stage.pushers.is_empty());
            if wants && setup.settings.identity == Identity::None {
                let hint = "run `refgate install --identity …`";
                found.wrong("the policy restricts pushers, but no pusher is identified", hint);
            }
            if setup.settings.identity == Identity::OsUser {
                found.noted.push(
                    "the pusher is the user that runs the hook; if everybody pushes as one \
                     user, use another --identity"
                        .to_string(),
                );
            }
            if let PolicySource::File(_) = source {
                found.noted.push(format!("the policy is read from {}", sourced.place));
            }
        }
    }
    Ok(())
}

/// Checks the version of Git. The hook compares merges and cherry-picks with those
/// that Git makes; with a Git that is too old, it rejects them.
fn check_git_version(policy: &Policy, found: &mut Findings) -> Result<(), Failure> {
    let said = Command::new("git").arg("version").output()?.stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let (version, numbers) = git_version(&said).unwrap_or((said, (0, 0)));
    let (wanted, what) =
        if policy.backport.exact { ((2, 41), "cherry-picks") } else { ((2, 38), "merges") };
    if numbers < wanted {
        let hint = format!("install git {}.{} or newer", wanted.0, wanted.1);
        found.wrong(format!("git {version} cannot make {what} without a worktree"), hint);
    }
    Ok(())
}

/// Checks that Git hands every protected ref to `proc-receive` in strict mode, and
/// that strict mode does not bypass a hook of other software.
fn check_proc_refs(
    writer: &Writer,
    settings: &Settings,
    policy: &Policy,
    found: &mut Findings,
) -> Result<(), Failure> {
    let there = writer.setting_values(PROC_REFS)?;
    if settings.guard == Guard::Portable {
        if !there.is_empty() {
            found.noted.push(format!("{PROC_REFS} is set by other software: {}", there.join(", ")));
        }
        return Ok(());
    }
    for name in proc_refs(policy).iter().filter(|name| !there.contains(name)) {
        found.wrong(format!("{PROC_REFS} does not list {name}"), "run `refgate install`");
    }
    if settings.identity == Identity::Gitolite {
        let hint = "run `refgate install --guard portable`";
        found.wrong("strict mode bypasses the update hook of gitolite", hint);
    }
    Ok(())
}

/// Pushes a ref that refgate rejects under every policy, and that Git alone would
/// accept.
fn make_test_push(git_dir: &Path, found: &mut Findings) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let name = canary(std::process::id());
    let git = |arguments: &[&str]| -> std::io::Result<std::process::Output> {
        let mut git: Command = git_command(folder.path());
        git.env("GIT_AUTHOR_NAME", "canary").env("GIT_AUTHOR_EMAIL", "canary@localhost");
        git.env("GIT_COMMITTER_NAME", "canary").env("GIT_COMMITTER_EMAIL", "canary@localhost");
        git.args(arguments).output()
    };
    git(&["init", "-q"])?;
    git(&["commit", "-q", "--allow-empty", "-m", "canary"])?;
    let server = git_dir.display().to_string();
    let output = git(&["push", &server, &format!("HEAD:{name}")])?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        let _ = git(&["push", &server, &format!(":{name}")]);
        let hint = "the hook did not run; check the mount option noexec and core.hooksPath";
        found.wrong("Git accepted the test push, which refgate must reject", hint);
    } else if !said.contains("refgate: push rejected") {
        let hint = said.lines().next_back().unwrap_or("").to_string();
        found.wrong("the test push was rejected, but not by refgate", hint);
    }
    Ok(())
}
