//! Gathers the facts about a push and decides. The hook and `refgate check` both use it.

use std::collections::BTreeMap;

use refgate_core::{
    Case, Debt, Decision, History, Instant, LEDGER, LedgerView, Oid, Policy, PolicyEdit, Push,
    RecordId, RefChange, RefKind, RefName, TagSignature, Target, decide,
};
use refgate_format::{PolicySource, Signers, resembles, special_meaning, tag_signer};
use refgate_git::{GitError, Reader, gather, survey};

use crate::debt_dates::date_debts;
use crate::ledger_reader::LedgerError;
use crate::log_entry::uses;
use crate::policy_source::{PolicyError, horizon, tracked};
use crate::push_records::Records;

/// The state of the server that a push is judged against.
#[derive(Clone, Copy)]
pub struct ServerState<'a> {
    /// The repository.
    pub reader: &'a Reader,
    /// The policy in force.
    pub policy: &'a Policy,
    /// The source of the policy.
    pub source: &'a PolicySource,
    /// The hash of the policy text and of the lists of signers.
    pub policy_hash: &'a str,
    /// The signers whose records count.
    pub signers: &'a Signers,
    /// The records of people and robots.
    pub records: Records<'a>,
    /// The repositories whose records apply, this one first.
    pub repositories: &'a [String],
    /// The baseline: commits that it reaches are not judged.
    pub baseline: Option<Oid>,
}

/// A decision with the facts that it rests on.
#[derive(Debug)]
pub struct JudgedPush {
    /// The facts from the repository.
    pub history: History,
    /// The facts from the ledger.
    pub ledger: LedgerView,
    /// The decision.
    pub decision: Decision,
}

/// The values of clocks and logs at the time of an earlier decision. They replace the present
/// values when the decision is recomputed.
#[derive(Debug, Clone, Default)]
pub(crate) struct MeasuredTimes {
    /// The releases: tag, commit and time.
    pub(crate) releases: Vec<(String, Oid, Instant)>,
    /// For each update: the creation time of the ref that it deletes, the start of the soak time
    /// of its tree, and the open debts.
    pub(crate) updates: Vec<(Option<Instant>, Option<Instant>, Vec<Debt>)>,
    /// The number of remaining uses of each waiver.
    pub(crate) uses: BTreeMap<RecordId, u32>,
}

/// Gathers the facts about a push and decides.
///
/// # Errors
/// Returns an error if a fact cannot be read. There is no decision then.
pub fn judge(rest: &ServerState<'_>, push: &Push) -> Result<JudgedPush, LedgerError> {
    judge_measured(rest, push, None)
}

/// Does the same as [`judge`], with values that were measured at another time.
pub(crate) fn judge_measured(
    rest: &ServerState<'_>,
    push: &Push,
    measured: Option<&MeasuredTimes>,
) -> Result<JudgedPush, LedgerError> {
    let ServerState { reader, policy, records, baseline, .. } = *rest;
    let mut survey = survey(reader, policy, push)?;
    if let Some(then) = measured {
        survey.releases = then.releases(policy);
    }
    let mut known = records.calendar_records(policy, &survey, push.at)?;
    let calendar = LedgerView::assemble(policy, &known);
    let mut history = gather(reader, policy, push, survey, &calendar, baseline)?;
    history.repositories = rest.repositories.to_vec();
    for facts in &mut history.updates {
        date_debts(reader, &policy.flow, &mut facts.debts)?;
    }
    for (facts, then) in
        history.updates.iter_mut().zip(measured.into_iter().flat_map(|then| &then.updates))
    {
        (facts.created, facts.soaking_since, facts.debts) = then.clone();
    }
    names(reader, policy, push, &mut history)?;
    edits(rest, push, &mut history)?;
    known.extend(records.late(reader, policy, push, &history)?);
    let mut ledger = LedgerView::assemble(policy, &known);
    for waiver in &mut ledger.waivers {
        // The log also contains the uses by the recomputed decision itself and by later ones, so
        // the number comes from the measured values.
        waiver.uses_left = match (measured, &records) {
            (Some(then), _) => then.uses.get(&waiver.id).copied().unwrap_or(0),
            (None, Records::Kept(_)) => waiver.uses_left.saturating_sub(uses(reader, waiver.id)?),
            (None, Records::Given(_)) => waiver.uses_left,
        };
    }
    changes_since_sign_off(rest, push, &ledger, &mut history)?;
    let decision = decide(&Case { policy, push, history: &history, ledger: &ledger });
    Ok(JudgedPush { history, ledger, decision })
}

/// Adds the changes that the push makes to the policy and to the ledger.
fn edits(rest: &ServerState<'_>, push: &Push, history: &mut History) -> Result<(), LedgerError> {
    let reader = rest.reader;
    for (place, update) in push.updates.iter().enumerate() {
        let Some(facts) = history.updates.get_mut(place) else { continue };
        if let PolicySource::Tracked { branch, path } = rest.source
            && update.name.branch_name() == Some(branch)
            && let RefChange::Move { old, new } = update.change
        {
            facts.policy_edit = policy_edit(reader, (branch, path), old, new, push)?;
        }
        if let (Some(tag), true, Some(new)) =
            (&mut facts.tag, rest.policy.release.signed, update.change.new_value())
            && tag.signature != TagSignature::Missing
        {
            let signer = tag_signer(rest.signers, &reader.tag_text(new)?, push.at);
            tag.signature = signer.map_or_else(TagSignature::Invalid, TagSignature::By);
        }
        if update.name.as_str() == LEDGER && !facts.not_a_commit {
            facts.ledger_edit = rest.records.edit(reader, rest.policy, push, rest.signers)?;
        }
    }
    Ok(())
}

/// Adds the changes between each signed-off tree and the tree that the push would release. They
/// decide whether a sign-off still counts.
fn changes_since_sign_off(
    rest: &ServerState<'_>,
    push: &Push,
    ledger: &LedgerView,
    history: &mut History,
) -> Result<(), LedgerError> {
    for (place, update) in push.updates.iter().enumerate() {
        let stage = match rest.policy.flow.target(&update.name) {
            Some(Target::Stage(_, stage)) if stage.production => stage,
            _ => continue,
        };
        debug_assert_eq!(stage.branch, update.name);
        let last = history.updates.get(place).and_then(|facts| facts.landings.last());
        let Some(commit) = last.map(|landing| landing.commit) else { continue };
        let Some(shipped) = history.commit(commit).map(|commit| commit.tree) else { continue };
        let mut since = BTreeMap::new();
        // A failed candidate counts as far as a sign-off of its tree would.
        let failed = ledger.candidates.iter().filter(|candidate| candidate.failed.is_some());
        let trees = ledger.sign_offs.iter().map(|one| one.tree);
        for tree in trees.chain(failed.map(|one| one.tree)).filter(|tree| *tree != shipped) {
            // A sign-off of a tree that was never pushed does not count for this tree.
            if let Ok(changes) = rest.reader.changes(commit, Some(tree), Some(shipped)) {
                since.insert(tree, changes);
            }
        }
        if let Some(facts) = history.updates.get_mut(place) {
            facts.changes_since_sign_off = since;
        }
    }
    Ok(())
}

/// Finds symbolic refs, and new names that resemble a governed ref (docs/design/threats.md, P10,
/// P15).
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
            let is_release = |text: &str| policy.release.version(text).is_some();
            facts.resembles = resembles(&update.name, &guarded)
                .map(|name| format!("`{}`", name.short()))
                .or_else(|| special_meaning(&update.name, is_release).map(ToString::to_string));
        }
    }
    Ok(())
}

/// Whether the policy governs the branch that contains it. Otherwise anybody could change it.
fn governs_branch(policy: &Policy, branch: &str) -> bool {
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
        Ok(sourced) if !governs_branch(&sourced.policy, branch) => PolicyEdit {
            folder: None,
            problem: Some(format!("it does not govern `{branch}`, the branch that contains it")),
            revision: sourced.policy.revision,
        },
        Ok(sourced) => {
            PolicyEdit { folder: sourced.folder, problem: None, revision: sourced.policy.revision }
        }
        Err(PolicyError::Git(error @ (GitError::Deadline(_) | GitError::Library(_)))) => {
            return Err(error);
        }
        Err(problem) => {
            PolicyEdit { folder: None, problem: Some(problem.to_string()), revision: 0 }
        }
    };
    Ok(Some(edit))
}
