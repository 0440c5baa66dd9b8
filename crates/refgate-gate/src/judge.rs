//! What is the decision about these updates? The one way from facts to decision, for hook and check alike.

use refgate_core::{
    Case, Decision, History, LedgerView, Oid, Policy, PolicyEdit, Push, RefChange, RefKind,
    RefName, decide,
};
use refgate_format::{PolicySource, resembles};
use refgate_git::{GitError, Reader, gather};

use crate::source::{PolicyError, horizon, tracked};

/// All that a push is judged by and does not bring itself.
#[derive(Clone, Copy)]
pub struct AtRest<'a> {
    /// The repository.
    pub reader: &'a Reader,
    /// The policy in force.
    pub policy: &'a Policy,
    /// Where it came from.
    pub source: &'a PolicySource,
    /// The human facts.
    pub ledger: &'a LedgerView,
    /// What this commit reaches is older than the policy.
    pub baseline: Option<Oid>,
}

/// A decision with the photograph that it was made from.
#[derive(Debug)]
pub struct Judged {
    /// The facts.
    pub history: History,
    /// The decision.
    pub decision: Decision,
}

/// Gathers the facts about a push and decides.
///
/// # Errors
/// If a fact cannot be read; then nothing is decided.
pub fn judge(rest: &AtRest<'_>, push: &Push) -> Result<Judged, GitError> {
    let AtRest { reader, policy, source, ledger, baseline } = *rest;
    let mut history = gather(reader, policy, push, ledger, baseline)?.history;
    names(reader, policy, push, &mut history)?;
    for (place, update) in push.updates.iter().enumerate() {
        if let PolicySource::Tracked { branch, path } = source
            && update.name.branch_name() == Some(branch)
            && let RefChange::Move { old, new } = update.change
        {
            let edit = policy_edit(reader, (branch, path), old, new, push)?;
            if let Some(facts) = history.updates.get_mut(place) {
                facts.policy_edit = edit;
            }
        }
    }
    let decision = decide(&Case { policy, push, history: &history, ledger });
    Ok(Judged { history, decision })
}

/// Whether a name stands for another, or could be taken for one (SECURITY.md P10, P15).
fn names(
    reader: &Reader,
    policy: &Policy,
    push: &Push,
    history: &mut History,
) -> Result<(), GitError> {
    let mut guarded: Vec<RefName> =
        policy.flow.stages.iter().map(|stage| stage.branch.clone()).collect();
    let tags = history.releases.iter().map(|r| RefName::parse(&format!("refs/tags/{}", r.tag)));
    guarded.extend(tags.filter_map(Result::ok));
    for (update, facts) in push.updates.iter().zip(&mut history.updates) {
        facts.alias_of = match update.change {
            RefChange::Create { .. } => None,
            _ => reader.reference(&update.name)?.and_then(|(_, alias)| alias),
        };
        let fresh = matches!(update.change, RefChange::Create { .. });
        let free = matches!(policy.kind(&update.name), RefKind::Topic);
        if fresh && free {
            facts.resembles =
                resembles(&update.name, &guarded).map(|name| name.short().to_string());
        }
    }
    Ok(())
}

/// A policy that lies on a branch it does not govern could be changed by anybody.
fn governs(policy: &Policy, branch: &str) -> bool {
    policy.flow.stages.iter().any(|stage| stage.branch.short() == branch)
}

fn policy_edit(
    reader: &Reader,
    (branch, path): (&str, &str),
    old: Oid,
    new: Oid,
    push: &Push,
) -> Result<Option<PolicyEdit>, GitError> {
    let horizon = horizon(push.at);
    let read = |commit| tracked(reader, commit, branch, path, horizon);
    let before = read(old);
    let before_blobs = before.map(|sourced| sourced.blobs).unwrap_or_default();
    let edit = match read(new) {
        Ok(sourced) if sourced.blobs == before_blobs => return Ok(None),
        Ok(sourced) if !governs(&sourced.policy, branch) => PolicyEdit {
            blob: None,
            problem: Some(format!("it would leave `{branch}`, where it lies, ungoverned")),
            revision: sourced.policy.revision,
        },
        Ok(sourced) => PolicyEdit {
            blob: sourced.blobs.first().copied(),
            problem: None,
            revision: sourced.policy.revision,
        },
        Err(PolicyError::Git(error @ (GitError::Deadline(_) | GitError::Library(_)))) => {
            return Err(error);
        }
        Err(problem) => PolicyEdit { blob: None, problem: Some(problem.to_string()), revision: 0 },
    };
    Ok(Some(edit))
}
