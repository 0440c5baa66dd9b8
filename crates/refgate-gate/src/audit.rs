//! Compares the reflogs of governed refs with the audit log, and reports each ref update that
//! bypassed refgate (docs/design/threats.md, R20).

use std::collections::{BTreeMap, BTreeSet};

use refgate_core::{Instant, LEDGER, Oid, Policy, RefName};
use refgate_git::{GitError, Reader, ReflogEntry, reflog};
use serde_json::Value;

use crate::log_entry::LogEntry;
use crate::reverify::moment;
use crate::ticket::{Ticket, needs_ticket};

/// A ref update that no decision accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFinding {
    /// The ref.
    pub name: String,
    /// The value before the update.
    pub old: Option<Oid>,
    /// The value after the update.
    pub new: Option<Oid>,
    /// The time of the update, if the reflog contains it.
    pub at: Option<Instant>,
    /// What is wrong with the update.
    pub why: &'static str,
}

/// The result of an audit.
#[derive(Debug, Default)]
pub struct Audit {
    /// The number of entries of the audit log.
    pub entries: usize,
    /// The number of updates of governed refs in the reflogs since the audit log began.
    pub moves: usize,
    /// The updates that no decision accepted.
    pub findings: Vec<AuditFinding>,
    /// The number of accepted updates that were never made: a hook was killed, or another push
    /// was faster. They are harmless.
    pub unused: usize,
}

/// A ref update: the name of the ref, the old value and the new value.
type RefMove = (String, Option<Oid>, Option<Oid>);

/// Compares the updates in the reflogs with the decisions in the audit log.
///
/// # Errors
/// Returns an error if the repository cannot be read.
pub fn audit(reader: &Reader, policy: &Policy) -> Result<Audit, GitError> {
    let mut audit = Audit::default();
    let mut allowed: BTreeSet<RefMove> = BTreeSet::new();
    let mut began: Option<Instant> = None;
    // The value that each ref must have after the newest decision about it.
    let mut newest: BTreeMap<String, Option<Oid>> = BTreeMap::new();
    reader.log_entries(&mut |id, text, _| {
        audit.entries += 1;
        let entry = LogEntry::parse(id, text);
        // In a training repository, the clock can show a time before the installation.
        began = moment(&entry.object, "at").into_iter().chain(began).min();
        if entry.object.get("verdict").and_then(Value::as_str) == Some("accept") {
            for (name, old, new) in steps(&entry.object) {
                newest.entry(name.clone()).or_insert(new);
                allowed.insert((name, old, new));
            }
        }
        true
    })?;
    let Some(began) = began else { return Ok(audit) };
    let mut made: BTreeSet<RefMove> = BTreeSet::new();
    let protected = protected(reader, policy)?;
    for (name, should) in newest {
        let gone = protected.get(&name).is_none_or(Option::is_none);
        if gone && should.is_some() && needs_ticket(policy, &name) {
            let why = "no decision accepted the deletion of this ref: the deletion bypassed \
                       refgate, or the push that creates the ref was interrupted";
            audit.findings.push(AuditFinding { name, old: should, new: None, at: None, why });
        }
    }
    for (name, tip) in protected {
        let Ok(full) = RefName::parse(&name) else { continue };
        let mut moves = reflog(reader.git_dir(), &full);
        if Ticket::interrupted_update(reader, &full)?.is_some() {
            moves.pop();
        }
        // An update in the first second of the audit log can be older than the log.
        for moved in moves.iter().filter(|moved| moved.at > began) {
            audit.moves += 1;
            let step = (name.clone(), moved.old, moved.new);
            if !allowed.contains(&step) {
                audit.findings.push(doubt(&name, moved, "no decision accepted this update"));
            }
            made.insert(step);
        }
        for pair in moves.windows(2) {
            let [before, after] = pair else { continue };
            if before.new != after.old && after.at > began {
                let why = "the ref was changed without a reflog entry between two updates";
                let (old, new, at) = (before.new, after.old, Some(after.at));
                audit.findings.push(AuditFinding { name: name.clone(), old, new, at, why });
            }
        }
        made.extend(moves.iter().map(|moved| (name.clone(), moved.old, moved.new)));
        let last = moves.last().and_then(|moved| moved.new);
        if last.is_some() && last != tip {
            let why = "the ref differs from its reflog: it was changed without a reflog entry";
            audit.findings.push(AuditFinding { name, old: last, new: tip, at: None, why });
        }
    }
    audit.unused =
        allowed.iter().filter(|step| needs_ticket(policy, &step.0) && !made.contains(step)).count();
    Ok(audit)
}

fn doubt(name: &str, moved: &ReflogEntry, why: &'static str) -> AuditFinding {
    let ReflogEntry { old, new, at } = *moved;
    AuditFinding { name: name.to_string(), old, new, at: Some(at), why }
}

/// The values of the governed refs. A stage or ledger that does not exist has no value.
fn protected(reader: &Reader, policy: &Policy) -> Result<BTreeMap<String, Option<Oid>>, GitError> {
    let mut all = BTreeMap::new();
    for (name, tip) in reader.references()? {
        if needs_ticket(policy, &name) {
            all.insert(name, Some(tip));
        }
    }
    for stage in &policy.flow.stages {
        all.entry(stage.branch.as_str().to_string()).or_insert(None);
    }
    all.entry(LEDGER.to_string()).or_insert(None);
    Ok(all)
}

/// The ref updates of an entry of the audit log. An update whose values cannot be parsed is left
/// out, so that no entry accounts for the move: an id of another length is not an absent ref.
pub(crate) fn steps(object: &Value) -> Vec<RefMove> {
    let id = |update: &Value, key: &str| match update.get(key)? {
        Value::Null => Some(None),
        value => Oid::from_hex(value.as_str()?).map(Some),
    };
    let updates = object.get("updates").and_then(Value::as_array);
    let step = |update: &Value| {
        let name = update.get("ref").and_then(Value::as_str)?.to_string();
        Some((name, id(update, "old")?, id(update, "new")?))
    };
    updates.into_iter().flatten().filter_map(step).collect()
}
