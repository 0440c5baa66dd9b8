//! `refgate install` and `refgate uninstall`: add refgate to a repository, or remove it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use refgate_core::Policy;
use refgate_format::{
    Control, Guard, Identity, Limits, PolicySource, Settings, calendar_names, parse_duration,
};
use refgate_gate::{
    DIRECTORY, Exit, InstallPlan, REVOKED, SIGNERS, Setup, SetupError, bounds, builtin,
    find_hook_program, horizon, install, is_repository_id, load_policy, new_repository_id,
    proc_refs, published_id, source_from_text, uninstall,
};
use refgate_git::Reader;

use crate::args::{GuardArg, IdentityArg, Install, RepositoryArg};
use crate::command::doctor;
use crate::output::{Failure, VerbResult, done, say};
use crate::policy_lookup::find;

pub(crate) fn run(args: &Install) -> VerbResult {
    let limits = Limits::default();
    let reader = Reader::open(&args.repository, bounds(&limits))?;
    // An existing setting stays unless an option changes it.
    let before = match Setup::read(reader.git_dir()) {
        Ok(setup) => Some(setup.settings),
        Err(SetupError::Missing(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let baseline = args.baseline.as_deref().map(|revision| reader.resolve(revision)).transpose()?;
    let (source, files, policy) = match (&args.policy, &before) {
        (None, Some(before)) => {
            let directory = reader.git_dir().join(DIRECTORY);
            let time = horizon(chrono::Utc::now());
            let sourced = load_policy(&reader, &before.policy, &directory, time)
                .map_err(|error| Failure::new(Exit::BadPolicy, error.full_message()))?;
            (before.policy.clone(), BTreeMap::new(), sourced.policy)
        }
        (named, _) => policy(named.as_deref().unwrap_or("portal"), &reader)?,
    };
    let identity = args
        .identity
        .map(identity)
        .or(before.as_ref().map(|before| before.identity))
        .unwrap_or(Identity::OsUser);
    let guard = args
        .guard
        .map(guard)
        .or(before.as_ref().map(|before| before.guard))
        .unwrap_or_else(|| default_guard(identity));
    if guard == Guard::Strict && identity == Identity::Gitolite {
        let message = "cannot use --guard strict with gitolite: protected refs would bypass its \
                       update hook\nhint: use --guard portable";
        return Err(Failure::new(Exit::BadSetup, message));
    }
    let settings = Settings {
        policy: source,
        identity,
        guard,
        baseline: baseline.or(before.as_ref().and_then(|before| before.baseline)),
        limits: before.as_ref().map_or(limits, |before| before.limits),
        name: id(args, before.as_ref(), &reader)?,
        installed_in: String::new(),
        control: control(args, before.as_ref())?,
        governs: governs(args, before.as_ref())?,
    };
    let policy = match &settings.control {
        None => policy,
        Some(control) => load_control_policy(control)?,
    };
    let proc_refs = match guard {
        Guard::Portable => Vec::new(),
        Guard::Strict => proc_refs(&policy),
    };
    let plan = InstallPlan {
        repository: args.repository.clone(),
        program: hook_program(args.hook.as_deref())?,
        settings,
        files,
        proc_refs,
    };
    let directory = install(&plan)?;
    say(&format!("installed refgate; its files are in {}", directory.display()));
    doctor::examine(&args.repository, false)
}

/// The id of the repository. A copy has the id of the repository it was copied from, so the
/// administrator must say which of the two it is.
fn id(args: &Install, before: Option<&Settings>, reader: &Reader) -> Result<String, Failure> {
    if let Some(name) = &args.name {
        let message = "--name takes 1 to 100 letters, digits, `-`, `_` and `.`";
        let valid = is_repository_id(name).then(|| name.clone());
        return valid.ok_or_else(|| Failure::new(Exit::BadInput, message));
    }
    let here = reader.git_dir();
    let same = |before: &&Settings| Path::new(&before.installed_in) == here;
    if let Some(before) = before.filter(same).filter(|_| !args.new_id) {
        return Ok(before.name.clone());
    }
    let copied = match before {
        Some(before) => Some(before.name.clone()),
        None => published_id(reader)?,
    };
    match copied.filter(|id| !id.is_empty()) {
        Some(id) if args.restored => Ok(id),
        Some(id) if !args.new_id => {
            let message = format!(
                "cannot install: the repository has the id `{id}` of another installation\nhint: \
                 use --restored if it replaces that repository, or --new-id if it is a copy \
                 beside it"
            );
            Err(Failure::new(Exit::BadSetup, message))
        }
        // The control repository lists its repositories by name.
        _ if args.control.is_some() => Ok(String::new()),
        _ => Ok(new_repository_id(reader.git_dir())),
    }
}

pub(crate) fn undo(args: &RepositoryArg) -> VerbResult {
    uninstall(&args.repository)?;
    say("removed refgate; restored the former hooks and settings");
    Ok(done(Exit::Accepted))
}

/// The hook program: `named`, or `refgate-hook` in the directory of this program.
pub(crate) fn hook_program(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = named {
        return Ok(path.to_path_buf());
    }
    let named = |failure: Failure| {
        Failure::new(failure.exit, format!("{}, or use --hook FILE", failure.message))
    };
    find_hook_program(&std::env::current_exe()?).map_err(named)
}

/// The source of the policy, the files to copy to the server, and the policy. An
/// invalid policy is an error.
fn policy(
    name: &str,
    reader: &Reader,
) -> Result<(PolicySource, BTreeMap<String, String>, Policy), Failure> {
    let time = horizon(chrono::Utc::now());
    let bad =
        |error: &refgate_gate::PolicyError| Failure::new(Exit::BadPolicy, error.full_message());
    let local = builtin(name).is_some() || Path::new(name).is_file();
    if !local && let Some((branch, path)) = name.split_once(':') {
        let (branch, path) = (branch.to_string(), path.to_string());
        let source = PolicySource::Tracked { branch, path };
        let sourced =
            load_policy(reader, &source, Path::new("."), time).map_err(|error| bad(&error))?;
        require_governed_branch(&source, &sourced.policy)?;
        return Ok((source, BTreeMap::new(), sourced.policy));
    }
    let found = find(name, Some(reader))?;
    let calendar = |name: &str| found.calendar(Some(reader), name);
    let sourced =
        source_from_text(&found.text, &found.place, time, calendar).map_err(|error| bad(&error))?;
    let mut files = BTreeMap::from([("policy.toml".to_string(), found.text.clone())]);
    let lists = [SIGNERS, REVOKED].map(ToString::to_string);
    for name in calendar_names(&found.text).into_iter().chain(lists) {
        if let Some(text) = found.calendar(Some(reader), &name) {
            files.insert(name, text);
        }
    }
    Ok((PolicySource::File("policy.toml".to_string()), files, sourced.policy))
}

/// Rejects a policy on a branch that it does not govern, because anybody could change
/// or delete it.
pub(crate) fn require_governed_branch(
    source: &PolicySource,
    policy: &Policy,
) -> Result<(), Failure> {
    let PolicySource::Tracked { branch, .. } = source else { return Ok(()) };
    let stages = &policy.flow.stages;
    if stages.iter().any(|stage| stage.branch.short() == branch) {
        return Ok(());
    }
    let message = format!(
        "cannot use the policy on `{branch}`: it is not a stage, so anybody could change the \
         policy; put it on a stage, preferably on production"
    );
    Err(Failure::new(Exit::BadPolicy, message))
}

const fn guard(guard: GuardArg) -> Guard {
    match guard {
        GuardArg::Portable => Guard::Portable,
        GuardArg::Strict => Guard::Strict,
    }
}

/// The default guard. Strict mode would bypass the hooks of other server software.
const fn default_guard(identity: Identity) -> Guard {
    match identity {
        Identity::Gitolite | Identity::Gitlab | Identity::Gitea | Identity::Github => {
            Guard::Portable
        }
        _ => Guard::Strict,
    }
}

const fn identity(identity: IdentityArg) -> Identity {
    match identity {
        IdentityArg::OsUser => Identity::OsUser,
        IdentityArg::Gitolite => Identity::Gitolite,
        IdentityArg::Gitlab => Identity::Gitlab,
        IdentityArg::Gitea => Identity::Gitea,
        IdentityArg::Github => Identity::Github,
        IdentityArg::Http => Identity::Http,
        IdentityArg::SshKey => Identity::SshKey,
        IdentityArg::PushCertificate => Identity::PushCertificate,
        IdentityArg::None => Identity::None,
    }
}

/// `--control DIR [--control-max-age LENGTH]`, or the existing setting.
fn control(args: &Install, before: Option<&Settings>) -> Result<Option<Control>, Failure> {
    let Some(path) = &args.control else {
        return Ok(before.and_then(|before| before.control.clone()));
    };
    let max_age = match &args.control_max_age {
        None => None,
        Some(text) => {
            let length = parse_duration(text).ok_or_else(|| {
                Failure::new(Exit::Usage, format!("cannot read the duration `{text}`"))
            })?;
            u64::try_from(length.num_seconds()).ok()
        }
    };
    let path = std::fs::canonicalize(path)?.display().to_string();
    Ok(Some(Control { path, max_age }))
}

/// The policy of a control repository, in which refgate must be installed already.
fn load_control_policy(control: &Control) -> Result<Policy, Failure> {
    let reader = Reader::open(Path::new(&control.path), bounds(&Limits::default()))?;
    let setup = Setup::read(reader.git_dir())?;
    let time = horizon(chrono::Utc::now());
    let sourced = load_policy(&reader, &setup.settings.policy, &setup.directory, time);
    Ok(sourced.map_err(|error| Failure::new(Exit::BadPolicy, error.full_message()))?.policy)
}

/// The repositories of `--governs NAME=DIR`, added to the existing setting.
fn governs(args: &Install, before: Option<&Settings>) -> Result<BTreeMap<String, String>, Failure> {
    let mut all = before.map(|before| before.governs.clone()).unwrap_or_default();
    for pair in &args.governs {
        let (name, path) = pair
            .split_once('=')
            .ok_or_else(|| Failure::new(Exit::Usage, format!("`{pair}` is not NAME=DIR")))?;
        let path = std::fs::canonicalize(path)?.display().to_string();
        all.insert(name.to_string(), path);
    }
    Ok(all)
}
