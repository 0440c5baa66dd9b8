//! Did anything come in by another door? Reference logs against the decision log (docs/design/threats.md, R20).

use std::collections::{BTreeMap, BTreeSet};

use refgate_core::{Instant, LEDGER, Oid, Policy, RefName};
use refgate_git::{GitError, Reader, ReflogEntry, reflog};
use serde_json::Value;

use crate::log_entry::LogEntry;
use crate::reverify::moment;
use crate::ticket::{Ticket, guarded};

/// Something that no decision accounts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFinding {
    /// The reference.
    pub name: String,
    /// What it was.
    pub old: Option<Oid>,
    /// What it became.
    pub new: Option<Oid>,
    /// When, if Git's log says so.
    pub at: Option<Instant>,
    /// What is wrong.
    pub why: &'static str,
}

/// What an audit looked at.
#[derive(Debug, Default)]
pub struct Audit {
    /// How many entries the decision log has.
    pub entries: usize,
    /// How many moves of protected references Git's logs have since it began.
    pub moves: usize,
    /// What was found.
    pub doubts: Vec<AuditFinding>,
    /// Decisions that let something move which then did not: a hook killed, or
    /// a lost race. Harmless, and worth knowing.
    pub unused: usize,
}

/// A move: reference, from, to.
type RefMove = (String, Option<Oid>, Option<Oid>);

/// Compares what moved with what was decided.
///
/// # Errors
/// If the repository cannot be read.
pub fn audit(reader: &Reader, policy: &Policy) -> Result<Audit, GitError> {
    let mut audit = Audit::default();
    let mut allowed: BTreeSet<RefMove> = BTreeSet::new();
    let mut began: Option<Instant> = None;
    // What each reference should hold, by the newest decision about it.
    let mut newest: BTreeMap<String, Option<Oid>> = BTreeMap::new();
    reader.log_entries(&mut |id, text, _| {
        audit.entries += 1;
        let entry = LogEntry::parse(id, text);
        // The clock of a training world may lie before the installation.
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
        if gone && should.is_some() && guarded(policy, &name) {
            let why = "a decision let it be there and none let it go: it was deleted by another \
                       door, or the push that brought it broke off";
            audit.doubts.push(AuditFinding { name, old: should, new: None, at: None, why });
        }
    }
    for (name, tip) in protected {
        let Ok(full) = RefName::parse(&name) else { continue };
        let mut moves = reflog(reader.git_dir(), &full);
        if Ticket::cut_off(reader, &full)?.is_some() {
            moves.pop();
        }
        // A move of the second in which the log began may be older than it.
        for moved in moves.iter().filter(|moved| moved.at > began) {
            audit.moves += 1;
            let step = (name.clone(), moved.old, moved.new);
            if !allowed.contains(&step) {
                audit.doubts.push(doubt(&name, moved, "no decision let it move so"));
            }
            made.insert(step);
        }
        for pair in moves.windows(2) {
            let [before, after] = pair else { continue };
            if before.new != after.old && after.at > began {
                let why = "between two moves somebody wrote the reference itself";
                let (old, new, at) = (before.new, after.old, Some(after.at));
                audit.doubts.push(AuditFinding { name: name.clone(), old, new, at, why });
            }
        }
        made.extend(moves.iter().map(|moved| (name.clone(), moved.old, moved.new)));
        let last = moves.last().and_then(|moved| moved.new);
        if last.is_some() && last != tip {
            let why = "it is not where Git's own log says: somebody wrote the reference itself";
            audit.doubts.push(AuditFinding { name, old: last, new: tip, at: None, why });
        }
    }
    audit.unused =
        allowed.iter().filter(|step| guarded(policy, &step.0) && !made.contains(step)).count();
    Ok(audit)
}

fn doubt(name: &str, moved: &ReflogEntry, why: &'static str) -> AuditFinding {
    let ReflogEntry { old, new, at } = *moved;
    AuditFinding { name: name.to_string(), old, new, at: Some(at), why }
}

/// Protected references that exist, or whose log still does.
fn protected(reader: &Reader, policy: &Policy) -> Result<BTreeMap<String, Option<Oid>>, GitError> {
    let mut all = BTreeMap::new();
    for (name, tip) in reader.references()? {
        if guarded(policy, &name) {
            all.insert(name, Some(tip));
        }
    }
    for stage in &policy.flow.stages {
        all.entry(stage.branch.as_str().to_string()).or_insert(None);
    }
    all.entry(LEDGER.to_string()).or_insert(None);
    Ok(all)
}

/// The moves that an entry let be made.
pub(crate) fn steps(object: &Value) -> Vec<RefMove> {
    let id =
        |update: &Value, key: &str| update.get(key).and_then(Value::as_str).and_then(Oid::from_hex);
    let updates = object.get("updates").and_then(Value::as_array);
    let step = |update: &Value| {
        let name = update.get("ref").and_then(Value::as_str)?.to_string();
        Some((name, id(update, "old"), id(update, "new")))
    };
    updates.into_iter().flatten().filter_map(step).collect()
}
