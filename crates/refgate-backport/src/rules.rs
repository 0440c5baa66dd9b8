//! May this fix go to that branch, now? The same function as the hook's answers.

use std::path::Path;

use refgate_core::{
    Eligibility, Instant, Oid, Policy, RefKind, RefName, Release, classify_commit, contradiction,
    eligibility,
};
use refgate_gate::{Exit, builtin, horizon, source_from_text};
use refgate_git::{Reader, releases};
use refgate_report::show;

use crate::args::Place;
use crate::branches::are_fetched;
use crate::output::Failure;

/// Where policies lie in repositories that hold their own.
const TRACKED: &str = ".refgate/policy.toml";

/// A policy, and what it needs to know to answer.
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    releases: Vec<Release>,
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
        let found = match &place.policy {
            Some(name) => Some(named(reader, name)?),
            None => tracked(reader, &place.remote)?,
        };
        let Some((text, shown)) = found else { return Ok(None) };
        let at = chrono::Utc::now();
        let sourced = source_from_text(&text, &shown, horizon(at), |_| None);
        let policy = sourced.map_err(|error| Failure::new(Exit::BadPolicy, error.told()))?.policy;
        let releases = releases(reader, &policy.release)?;
        Ok(Some(Self { policy, releases, at }))
    }

    /// Whether a commit may be carried to a branch.
    pub(crate) fn answer(&self, reader: &Reader, id: Oid, branch: &str) -> Result<Answer, Failure> {
        let Ok(name) = RefName::branch(branch) else { return Ok(Answer::Free) };
        let RefKind::Governed(target) = self.policy.kind(&name) else { return Ok(Answer::Free) };
        if target.place() == Some(0) {
            return Ok(Answer::Free);
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

fn named(reader: &Reader, name: &str) -> Result<(String, String), Failure> {
    if let Some(text) = builtin(name) {
        return Ok((text.to_string(), format!("built-in policy {name}")));
    }
    let path = Path::new(name);
    if path.is_file() {
        return Ok((std::fs::read_to_string(path)?, name.to_string()));
    }
    if let Some((revision, path)) = name.split_once(':')
        && let Some(file) = reader.file_in(reader.resolve(revision)?, revision, path)?
    {
        return Ok((file.text, name.to_string()));
    }
    let message = format!("there is no policy `{name}`: no built-in one, no file, no REV:PATH");
    Err(Failure::new(Exit::BadPolicy, message))
}

fn tracked(reader: &Reader, remote: &str) -> Result<Option<(String, String)>, Failure> {
    let fetched = are_fetched(reader, remote)?;
    let prefix = if fetched { format!("refs/remotes/{remote}") } else { "refs/heads".to_string() };
    for branch in ["main", "master", "production"] {
        let revision = format!("{prefix}/{branch}");
        let Ok(commit) = reader.resolve(&revision) else { continue };
        if let Some(file) = reader.file_in(commit, &revision, TRACKED)? {
            return Ok(Some((file.text, format!("{revision}:{TRACKED}"))));
        }
    }
    Ok(None)
}
