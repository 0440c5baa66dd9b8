//! `refgate doctor`: is this repository really protected? Found out, not believed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use refgate_core::Policy;
use refgate_format::{Guard, Identity, PolicySource, Settings};
use refgate_gate::{
    Exit, PROC_REFS, SERVER_SETTINGS, ServerSetting, Setup, TRAINING, bounds, canary,
    former_hook_path, hooks_folder, hooks_for_guard, horizon, installed_hook, load_policy,
    proc_refs,
};
use refgate_git::{Reader, Writer, git_version};
use refgate_scenario::git_command;

use crate::args::Doctor;
use crate::command::install::guards_itself;
use crate::command::query_context::finished;
use crate::output::{Failure, VerbResult, say};

pub(crate) fn run(args: &Doctor) -> VerbResult {
    examine(&args.repository, args.fix)
}

/// What was found.
#[derive(Default)]
struct Findings {
    wrong: Vec<(String, String)>,
    noted: Vec<String>,
    mended: Vec<String>,
}

impl Findings {
    fn wrong(&mut self, what: impl Into<String>, mend: impl Into<String>) {
        self.wrong.push((what.into(), mend.into()));
    }
}

/// Looks at everything that decides whether pushes are judged, then tries one
/// that must be refused, and only then says "protected".
pub(crate) fn examine(repository: &Path, fix: bool) -> VerbResult {
    let writer = Writer::open(repository, false)?;
    let mut found = Findings::default();
    hooks(&writer, &mut found)?;
    settings(&writer, fix, &mut found)?;
    history(&writer, &mut found)?;
    locks(&writer.git_dir(), fix, &mut found)?;
    policy(&writer, repository, &mut found)?;
    if found.wrong.is_empty() {
        try_canary(&writer.git_dir(), &mut found)?;
    }
    for line in &found.mended {
        say(&format!("mended     {line}"));
    }
    for line in &found.noted {
        say(&format!("note       {line}"));
    }
    for (what, mend) in &found.wrong {
        say(&format!("NOT SAFE   {what}\n           {mend}"));
    }
    if found.wrong.is_empty() {
        say("protected  a push that must be refused was refused by refgate");
        return finished(Exit::Accepted);
    }
    say(&format!("not protected: {} finding(s)", found.wrong.len()));
    finished(Exit::Failed)
}

/// Every way in which Git accepts because a hook did not run (docs/design/threats.md, "When Git accepts because the hook did not run").
fn hooks(writer: &Writer, found: &mut Findings) -> Result<(), Failure> {
    let folder = hooks_folder(writer)?;
    let again = "run `refgate install` (it keeps policy and settings)";
    let guard =
        Setup::read(&writer.git_dir()).map(|setup| setup.settings.guard).unwrap_or_default();
    for hook in hooks_for_guard(guard) {
        let path = folder.join(hook);
        let shown = path.display();
        let Ok(link) = fs::symlink_metadata(&path) else {
            found.wrong(format!("the hook {shown} is missing"), again);
            continue;
        };
        match fs::metadata(&path) {
            Err(_) => found.wrong(format!("the hook {shown} is a link to nothing"), again),
            Ok(file) if file.len() == 0 => {
                found.wrong(format!("the hook {shown} is empty: Git lets everything pass"), again);
            }
            Ok(file) if file.permissions().mode() & 0o111 == 0 => {
                found.wrong(format!("the hook {shown} is not executable"), again);
            }
            Ok(file) if file.permissions().mode() & 0o002 != 0 => {
                found.wrong(format!("anybody can change the hook {shown}"), "chmod o-w it");
            }
            Ok(_) if installed_hook(&folder, hook).is_none() => {
                let mend = "run `refgate install`; it keeps and chains the hook that is there";
                found.wrong(format!("the hook {shown} is not refgate's"), mend);
            }
            Ok(_) if link.is_symlink() => {
                found
                    .noted
                    .push(format!("{shown} is a link; if its target goes, so does the gate"));
            }
            Ok(_) => {}
        }
    }
    for hook in hooks_for_guard(guard) {
        let former = former_hook_path(&folder.join(hook));
        if let Ok(file) = fs::metadata(&former)
            && (file.len() == 0 || file.permissions().mode() & 0o111 == 0)
        {
            let mend = "make it executable again, or remove it";
            found.wrong(format!("the chained hook {} cannot run", former.display()), mend);
        }
    }
    if let Some(path) = writer.setting("core.hooksPath")?
        && !Path::new(&path).is_absolute()
    {
        found.wrong(format!("core.hooksPath `{path}` is relative"), "make it absolute");
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
            found.mended.push(format!("{key} = {value}"));
        } else {
            let mend = format!("git config {key} {value}    (or `refgate doctor --fix`)");
            found.wrong(format!("{key} is not {value}; wanted so that {why}"), mend);
        }
    }
    Ok(())
}

/// Locks that nobody has held for a minute: left behind by a kill, they refuse
/// every move of their reference for good (docs/design/threats.md, T7, T10).
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
            found.mended.push(format!("removed the stale lock {}", lock.display()));
        } else {
            let mend = "`refgate doctor --fix` removes it, once no push is running";
            found.wrong(format!("{} is a stale lock", lock.display()), mend);
        }
    }
    Ok(())
}

/// Git holds a lock for milliseconds.
const STALE: std::time::Duration = std::time::Duration::from_secs(60);

/// What shows Git another history than there is, or lets a branch be reached
/// under another name.
fn history(writer: &Writer, found: &mut Findings) -> Result<(), Failure> {
    let dir = writer.git_dir();
    if dir.display().to_string().contains(':') {
        found.wrong("the repository's path has a `:`", "move it; pushed objects are not found");
    }
    for (path, what) in [("shallow", "a shallow file"), ("info/grafts", "a grafts file")] {
        if fs::metadata(dir.join(path)).is_ok_and(|file| file.len() > 0) {
            found.wrong(format!("there is {what}: history is cut or bent"), "remove it");
        }
    }
    for alias in writer.aliases()? {
        // HEAD of a remote-tracking folder reaches nothing that is pushed.
        if alias.starts_with("refs/heads/") || alias.starts_with("refs/tags/") {
            let mend = format!("git symbolic-ref --delete {alias}");
            found.wrong(format!("{alias} stands for another branch"), mend);
        }
    }
    if writer.has_prefix("refs/replace/")? {
        found.wrong("there are replacement objects", "git replace --delete them");
    }
    let graph = dir.join("objects/info/commit-graph").exists()
        || dir.join("objects/info/commit-graphs").exists();
    if !graph {
        found.noted.push(
            "there is no commit-graph; in large repositories `git commit-graph write --reachable` \
             makes judging merges fast"
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
        let mend =
            format!("delete {} if this is a real server", setup.directory.join(TRAINING).display());
        found.wrong("this is a training repository: its clock and records are made up", mend);
    }
    let reader = match Reader::open(repository, bounds(&setup.settings.limits)) {
        Ok(reader) => reader,
        Err(error) => {
            found.wrong(error.to_string(), "refgate cannot judge this repository");
            return Ok(());
        }
    };
    let source = &setup.settings.policy;
    match load_policy(&reader, source, &setup.directory, horizon(chrono::Utc::now())) {
        Err(error) => found.wrong(error.told(), "every push is refused until it is mended"),
        Ok(sourced) => {
            handed_over(writer, &setup.settings, &sourced.policy, found)?;
            old_git(&sourced.policy, found)?;
            if let Err(failure) = guards_itself(source, &sourced.policy) {
                found.wrong(failure.message, "install it from a stage");
            }
            let wants = sourced.policy.flow.stages.iter().any(|stage| !stage.pushers.is_empty());
            if wants && setup.settings.identity == Identity::None {
                let mend = "run `refgate install --identity …`";
                found.wrong("the policy asks who pushes, and nobody is known", mend);
            }
            if setup.settings.identity == Identity::OsUser {
                found.noted.push(
                    "who pushes is the user that the hook runs as; if all push as one user, \
                     choose another --identity"
                        .to_string(),
                );
            }
            if let PolicySource::File(_) = source {
                found.noted.push(format!("the policy is {}", sourced.place));
            }
        }
    }
    Ok(())
}

/// Git makes the merges and picks with which evil merges and edited picks are
/// compared; one that cannot makes the hook refuse them.
fn old_git(policy: &Policy, found: &mut Findings) -> Result<(), Failure> {
    let said = Command::new("git").arg("version").output()?.stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let (version, numbers) = git_version(&said).unwrap_or((said, (0, 0)));
    let (wanted, what) =
        if policy.backport.exact { ((2, 41), "picks") } else { ((2, 38), "merges") };
    if numbers < wanted {
        let mend = format!("install git {}.{} or newer", wanted.0, wanted.1);
        found.wrong(format!("git {version} cannot make {what} without a working tree"), mend);
    }
    Ok(())
}

/// In strict mode Git must hand every protected reference over, and must not
/// have other hooks that would not be asked.
fn handed_over(
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
        found.wrong(format!("{PROC_REFS} lacks {name}"), "run `refgate install` again");
    }
    if settings.identity == Identity::Gitolite {
        let mend = "run `refgate install --guard portable`";
        found.wrong("gitolite's update hook is gone past in strict mode", mend);
    }
    Ok(())
}

/// Pushes a reference that refgate refuses whatever the policy says, and that
/// Git alone would take.
fn try_canary(git_dir: &Path, found: &mut Findings) -> Result<(), Failure> {
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
        let mend = "the hook did not run: is the disk mounted noexec, the hook path another?";
        found.wrong("a push that must be refused was accepted", mend);
    } else if !said.contains("refgate: refused") {
        let mend = said.lines().next_back().unwrap_or("").to_string();
        found.wrong("a push was refused, but not by refgate", mend);
    }
    Ok(())
}
