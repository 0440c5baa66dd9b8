//! May this fix go to that branch, now? The same function as the hook's answers.

use std::path::Path;

use refgate_core::{
    Eligibility, Instant, LEDGER, Oid, Policy, RefKind, RefName, Release, classify_commit,
    contradiction, eligibility,
};
use refgate_format::{PolicySource, Signers};
use refgate_gate::{
    Book, Exit, PolicyError, Sourced, TRACKED, builtin, horizon, last_name, load_policy,
    repository_name, source_from_text, tracked, training_clock,
};
use refgate_git::{Reader, releases};
use refgate_report::show;

use crate::args::Place;
use crate::branches::are_fetched;
use crate::output::Failure;

/// A policy, and what it needs to know to answer.
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    signers: Signers,
    releases: Vec<Release>,
    /// Under which names records may speak of this repository.
    repositories: Vec<String>,
    pub(crate) at: Instant,
}

/// What the policy says of a fix on a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing against it.
    Free,
    /// It may go there with this.
    Needs(String),
    /// It may not go there.
    Denied(String),
}

impl Rules {
    /// The policy that was named, or the one that the remote's production
    /// branch holds. `None` if there is neither: then nothing is forbidden.
    pub(crate) fn find(reader: &Reader, place: &Place) -> Result<Option<Self>, Failure> {
        let clock = training_clock(reader);
        let clock = clock.map_err(|why| Failure::new(Exit::BadSetup, why.to_string()))?;
        let at = clock.unwrap_or_else(chrono::Utc::now);
        let sourced = match &place.policy {
            Some(name) => Some(named(reader, name, at)?),
            None => in_production(reader, &place.remote, at)?,
        };
        let Some(Sourced { policy, signers, .. }) = sourced else { return Ok(None) };
        let releases = releases(reader, &policy.release)?;
        let folder = reader.git_dir().display().to_string();
        let bare = folder.trim_end_matches('/').trim_end_matches("/.git");
        let repositories = [repository_name(reader, &place.remote)?, last_name(bare)].into();
        Ok(Some(Self { policy, signers, releases, repositories, at }))
    }

    /// Whether somebody has put on record that a fix need not go to a branch;
    /// as far as the ledger was fetched.
    pub(crate) fn excuses(&self, reader: &Reader, fix: Oid, branch: &str) -> bool {
        let Ok(ledger) = RefName::parse(LEDGER) else { return false };
        let tip = reader.reference(&ledger).ok().flatten().map(|(tip, _)| tip);
        let (signers, repositories) = (&self.signers, &*self.repositories);
        let book = Book { reader, tip, signers, repositories };
        let to = RefName::branch(branch).ok();
        let excuses = book.excuses(&self.policy, fix).unwrap_or_default();
        excuses.into_iter().any(|excuse| Some(excuse.to) == to)
    }

    /// Whether a commit may be carried to a branch.
    pub(crate) fn answer(&self, reader: &Reader, id: Oid, branch: &str) -> Result<Answer, Failure> {
        let Ok(name) = RefName::branch(branch) else { return Ok(Answer::Free) };
        let RefKind::Governed(target) = self.policy.kind(&name) else { return Ok(Answer::Free) };
        if target.place() == Some(0) {
            return Ok(Answer::Free);
        }
        if self.excuses(reader, id, branch) {
            let text = "a record says that it is not applicable there";
            return Ok(Answer::Denied(text.to_string()));
        }
        let parsed = reader.commit(id)?;
        let changes = reader.own_changes(id, &parsed)?;
        let commit = parsed.commit(id);
        let class = classify_commit(&self.policy, None, &commit).class;
        let shown = self.policy.classes.name(class).clone();
        if contradiction(&self.policy, class, &changes).is_some() {
            let text = format!("its diff contradicts the class {shown} that it says it is of");
            return Ok(Answer::Denied(text));
        }
        Ok(match eligibility(&self.policy, &self.releases, &target, class, self.at) {
            Eligibility::Yes => Answer::Free,
            Eligibility::Approval { role, until } => Answer::Needs(format!(
                "an approval by {role} before {} (refgate approve backport COMMIT --onto {branch})",
                show(until)
            )),
            Eligibility::Deferred { since: Some(since) } => Answer::Denied(format!(
                "the window for {shown} closed on {}; it goes with the next iteration",
                show(since)
            )),
            Eligibility::Deferred { since: None } => {
                Answer::Denied(format!("no major release has opened a window for {shown} yet"))
            }
            Eligibility::Never => Answer::Denied(format!("{shown} is never backported")),
        })
    }
}

fn bad(error: &PolicyError) -> Failure {
    Failure::new(Exit::BadPolicy, error.told())
}

fn named(reader: &Reader, name: &str, at: Instant) -> Result<Sourced, Failure> {
    if let Some(text) = builtin(name) {
        let place = format!("built-in policy {name}");
        return source_from_text(text, &place, horizon(at), |_| None).map_err(|error| bad(&error));
    }
    if Path::new(name).is_file() {
        let source = PolicySource::File(name.to_string());
        return load_policy(reader, &source, Path::new("."), horizon(at)).map_err(|e| bad(&e));
    }
    if let Some((revision, path)) = name.split_once(':') {
        let commit = reader.resolve(revision)?;
        return tracked(reader, commit, revision, path, horizon(at)).map_err(|error| bad(&error));
    }
    let message = format!("there is no policy `{name}`: no built-in one, no file, no REV:PATH");
    Err(Failure::new(Exit::BadPolicy, message))
}

fn in_production(reader: &Reader, remote: &str, at: Instant) -> Result<Option<Sourced>, Failure> {
    let fetched = are_fetched(reader, remote)?;
    let prefix = if fetched { format!("refs/remotes/{remote}") } else { "refs/heads".to_string() };
    for branch in ["main", "master", "production"] {
        let revision = format!("{prefix}/{branch}");
        let Ok(commit) = reader.resolve(&revision) else { continue };
        match tracked(reader, commit, &revision, TRACKED, horizon(at)) {
            Err(PolicyError::Missing(_)) => {}
            found => return found.map(Some).map_err(|error| bad(&error)),
        }
    }
    Ok(None)
}
