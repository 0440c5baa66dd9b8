//! Collects the facts for the dossier of a release: changes, records and decisions. It reads
//! only the Git repository.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use refgate_core::{Instant, LedgerView, Oid, Record, RecordBody, RecordId, Release, Route};
use refgate_git::{GitError, Graph, releases};
use serde_json::Value;

use crate::audit::steps;
use crate::judge::ServerState;
use crate::ledger_reader::read_signed;
use crate::log_entry::LogEntry;
use crate::message_links::links;
use crate::replay::{Replay, ReplayError, Row, replay};

/// Why a dossier cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum DossierError {
    /// The release does not exist.
    #[error("cannot find the release `{tag}`\nhint: releases in this repository: {known}")]
    NoRelease {
        /// The tag of the requested release.
        tag: String,
        /// The tags of the existing releases.
        known: String,
    },
    /// The stages are older than the release.
    #[error("cannot describe {tag}: `{branch}` does not contain it\nhint: run `git fetch`")]
    Stale {
        /// The branch of the production stage.
        branch: String,
        /// The tag of the release.
        tag: String,
    },
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The stages cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// A change that a release contains.
#[derive(Debug)]
pub struct DossierChange {
    /// The landing, as the replay of its stage describes it.
    pub row: Row,
    /// The author name of the commit.
    pub author: String,
    /// Whether the change landed on production without a promotion.
    pub direct: bool,
    /// Tickets, pull requests and URLs in the commit message.
    pub links: Vec<String>,
}

/// A record about a release.
#[derive(Debug)]
pub struct DossierRecord {
    /// The record.
    pub record: Record,
    /// The path of the record in the ledger.
    pub path: String,
    /// Why the signature is not valid; `None` if it is valid.
    pub wrong: Option<String>,
}

/// A release with all facts about it.
#[derive(Debug)]
pub struct Dossier {
    /// The release.
    pub release: Release,
    /// The id of the tag object.
    pub tag: Oid,
    /// The tree of the release.
    pub tree: Oid,
    /// The previous release.
    pub previous: Option<Release>,
    /// The landings that the release adds; those of the first stage come first.
    pub changes: Vec<DossierChange>,
    /// The records about the release, oldest first.
    pub records: Vec<DossierRecord>,
    /// The time at which the server accepted the tag, from the audit log.
    pub accepted: Option<Instant>,
    /// The decisions of the server about the release, oldest first.
    pub decisions: Vec<LogEntry>,
    /// The tip of the ledger from which the records were read.
    pub ledger: Option<Oid>,
    /// The tip of the audit log from which the decisions were read; `None` if it was not fetched.
    pub log: Option<Oid>,
}

/// The tips of ledger and audit log from which a dossier is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAt {
    /// The tip of the ledger.
    pub ledger: Option<Oid>,
    /// The tip of the audit log.
    pub log: Option<Oid>,
}

/// Collects all facts about a release. With `then`, it reads the ledger and the audit log at
/// these earlier tips.
///
/// # Errors
/// Returns an error if the release does not exist, or a fact cannot be read.
pub fn dossier(
    rest: &ServerState<'_>,
    tag: &str,
    then: Option<ReadAt>,
) -> Result<Dossier, DossierError> {
    let reader = rest.reader;
    let ReadAt { ledger, log } = match then {
        Some(then) => then,
        None => ReadAt { ledger: reader.ledger_tip()?, log: reader.log_tip()? },
    };
    let all = releases(reader, &rest.policy.release)?;
    let Some(release) = all.iter().find(|release| release.tag == tag).cloned() else {
        let known: Vec<&str> = all.iter().map(|release| release.tag.as_str()).collect();
        let known = if known.is_empty() { "none".to_string() } else { known.join(", ") };
        return Err(DossierError::NoRelease { tag: tag.to_string(), known });
    };
    let graph = Graph::new(reader);
    let mut previous = None;
    for other in all.iter().filter(|other| other.version < release.version) {
        if other.commit != release.commit && graph.is_ancestor(other.commit, release.commit)? {
            previous = Some(other.clone());
        }
    }
    let before: Vec<Oid> = previous.iter().map(|release| release.commit).collect();
    let fresh = graph.fresh(release.commit, &before, &HashSet::new())?;
    let fresh: BTreeSet<Oid> = fresh.into_iter().collect();
    complete(rest, &graph, &release)?;
    let changes = changes(rest, &fresh)?;
    let tree = reader.commit(release.commit)?.tree;
    let (decisions, waived) = logged(rest, log, &release, &fresh)?;
    let actor = |entry: &LogEntry| Some(entry.object.get("actor")?.as_str()?.to_string());
    let pushers = decisions.iter().filter_map(actor).collect();
    let at = release.at;
    let concerns = ReleaseRecords { tag, tree, at, fresh: &fresh, pushers, waived };
    let records = records(rest, ledger, &concerns)?;
    let tag = reader.resolve_object(&format!("refs/tags/{tag}"))?;
    let name = format!("refs/tags/{}", release.tag);
    let taken = |entry: &&LogEntry| {
        let verdict = entry.object.get("verdict").and_then(Value::as_str);
        verdict == Some("accept") && steps(&entry.object).iter().any(|step| step.0 == name)
    };
    let accepted = decisions.iter().filter(taken).filter_map(decision_time).next();
    Ok(Dossier { release, tag, tree, previous, changes, records, accepted, decisions, ledger, log })
}

/// Makes sure that each production stage contains the release: the changes are read from the
/// stages as they were last fetched.
fn complete(
    rest: &ServerState<'_>,
    graph: &Graph<'_>,
    release: &Release,
) -> Result<(), DossierError> {
    let tips = refgate_git::stage_tips(rest.reader, &rest.policy.flow)?;
    for (place, stage) in rest.policy.flow.stages.iter().enumerate() {
        let Some(tip) = tips.get(&place).filter(|_| stage.production) else { continue };
        if !graph.is_ancestor(release.commit, *tip)? {
            let (branch, tag) = (stage.branch.short().to_string(), release.tag.clone());
            return Err(DossierError::Stale { branch, tag });
        }
    }
    Ok(())
}

/// The landings on the first stage, and the landings on production without a promotion.
fn changes(
    rest: &ServerState<'_>,
    fresh: &BTreeSet<Oid>,
) -> Result<Vec<DossierChange>, DossierError> {
    let mut history = Replay::new(rest.reader);
    let stages = &rest.policy.flow.stages;
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for (place, stage) in stages.iter().enumerate() {
        if place != 0 && !stage.production {
            continue;
        }
        let name = stage.branch.short();
        let empty = LedgerView::default();
        let rows = replay(&mut history, rest.policy, &empty, Some(name), None, &mut |_, _| ())?;
        for row in rows {
            let route = row.decision.landings.first().map(|landing| landing.route);
            let came = matches!(
                route,
                Some(Route::Promotion { .. } | Route::BackMerge { .. } | Route::AncestryOnly)
            );
            if !fresh.contains(&row.commit) || (place != 0 && came) || !seen.insert(row.commit) {
                continue;
            }
            let commit = rest.reader.commit(row.commit)?;
            let links = links(commit.message.as_str());
            let author = commit.author.name.clone();
            all.push(DossierChange { row, author, direct: place != 0, links });
        }
    }
    Ok(all)
}

/// The facts that decide whether a record is about a release.
struct ReleaseRecords<'a> {
    tag: &'a str,
    tree: Oid,
    /// When the release was received.
    at: Instant,
    fresh: &'a BTreeSet<Oid>,
    /// The people who pushed the release or tried to.
    pushers: BTreeSet<String>,
    /// The waivers that were used for a landing of the release.
    waived: Vec<RecordId>,
}

impl ReleaseRecords<'_> {
    fn holds(&self, record: &Record, trees: &BTreeSet<Oid>) -> bool {
        match &record.body {
            RecordBody::ReleaseOpen { release }
            | RecordBody::ReleaseFinish { release }
            | RecordBody::Candidate { release, .. }
            | RecordBody::UatFailed { release, .. }
            | RecordBody::Evidence { release, .. }
            | RecordBody::FreezeExit { release }
            | RecordBody::Iteration { release } => release == self.tag,
            RecordBody::SignOff { tree, .. } => *tree == self.tree || trees.contains(tree),
            RecordBody::Approval { of, .. } => self.fresh.contains(of),
            RecordBody::Classification { commit, .. } => self.fresh.contains(commit),
            RecordBody::NotApplicable { fix, .. } => self.fresh.contains(fix),
            RecordBody::Waiver { .. }
            | RecordBody::Settlement { .. }
            | RecordBody::Freeze { .. }
            | RecordBody::Thaw { .. }
            | RecordBody::Withdrawal { .. }
            | RecordBody::DeletionRequest { .. } => false,
            RecordBody::Absence { until, .. } => record.at <= self.at && self.at < *until,
            RecordBody::Certificate { person, .. } => self.pushers.contains(person),
        }
    }
}

fn records(
    rest: &ServerState<'_>,
    ledger: Option<Oid>,
    concerns: &ReleaseRecords<'_>,
) -> Result<Vec<DossierRecord>, DossierError> {
    let Some(tip) = ledger else { return Ok(Vec::new()) };
    let mut all = BTreeMap::new();
    rest.reader.all_records(tip, &mut |file| {
        if let Ok((record, holds)) = read_signed(&file, rest.policy, rest.signers)
            && rest.repositories.contains(&record.repository)
        {
            let wrong = holds.err();
            all.insert(record.id, DossierRecord { record, path: file.path, wrong });
        }
        Ok(())
    })?;
    // The dossier also lists the sign-offs of candidates that failed.
    let candidate = |kept: &DossierRecord| match &kept.record.body {
        RecordBody::Candidate { release, tree, .. } if release == concerns.tag => Some(*tree),
        _ => None,
    };
    let trees: BTreeSet<Oid> = all.values().filter_map(candidate).collect();
    let mut wanted: BTreeSet<RecordId> = all
        .values()
        .filter(|kept| concerns.holds(&kept.record, &trees))
        .map(|kept| kept.record.id)
        .chain(concerns.waived.iter().copied())
        .collect();
    // Withdrawals and settlements of these records are included.
    for kept in all.values() {
        if let RecordBody::Withdrawal { of, .. } | RecordBody::Settlement { of, .. } =
            kept.record.body
            && wanted.contains(&of)
        {
            wanted.insert(kept.record.id);
        }
    }
    let mut found: Vec<DossierRecord> =
        all.into_values().filter(|kept| wanted.contains(&kept.record.id)).collect();
    found.sort_by_key(|kept| (kept.record.at, kept.record.id));
    Ok(found)
}

/// The commits of the landings in an entry of the audit log.
fn landed(entry: &LogEntry) -> Vec<Oid> {
    let landings = entry.object.get("landings").and_then(Value::as_array);
    let id = |landing: &Value| Oid::from_hex(landing.get("commit")?.as_str()?);
    landings.into_iter().flatten().filter_map(id).collect()
}

/// Reads the decisions about a release from the audit log, oldest first: pushes of its commit
/// to a stage, and pushes of its tag. Also reads the waivers that were used for a landing of
/// the release.
fn logged(
    rest: &ServerState<'_>,
    log: Option<Oid>,
    release: &Release,
    fresh: &BTreeSet<Oid>,
) -> Result<(Vec<LogEntry>, Vec<RecordId>), DossierError> {
    let tag = format!("refs/tags/{}", release.tag);
    let stages: Vec<&str> =
        rest.policy.flow.stages.iter().skip(1).map(|stage| stage.branch.as_str()).collect();
    let (mut decisions, mut waived) = (Vec::new(), Vec::new());
    let mut begun = false;
    rest.reader.log_entries(&mut |id, text, _| {
        // Entries that are newer than `log` are skipped.
        begun |= log == Some(id);
        if !begun {
            return true;
        }
        let entry = LogEntry::parse(id, text);
        if landed(&entry).iter().any(|commit| fresh.contains(commit)) {
            let names = entry.object.get("waived").and_then(Value::as_array);
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            waived.extend(names.filter_map(RecordId::from_hex));
        }
        let moved = |(name, _, new): &(String, Option<Oid>, Option<Oid>)| {
            *name == tag || (stages.contains(&name.as_str()) && *new == Some(release.commit))
        };
        if steps(&entry.object).iter().any(moved) {
            decisions.push(entry);
        }
        true
    })?;
    decisions.reverse();
    Ok((decisions, waived))
}

/// The time of the decision, from the entry of the audit log.
#[must_use]
pub fn decision_time(entry: &LogEntry) -> Option<Instant> {
    refgate_format::parse_instant(entry.object.get("at")?.as_str()?)
}
