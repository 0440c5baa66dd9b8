//! What facts does a training repository's file hand to the gate: its clock and its records?

use refgate_core::{
    Approval, Blocker, Classes, DeletionRequest, Evidence, Instant, Interval, LedgerView,
    NextIteration, Oid, RefName, SignOff, Waiver,
};
use serde::{Deserialize, Serialize};

use crate::parse_instant;

/// A training repository: its own clock, and records without signatures.
#[derive(Debug, Clone)]
pub struct Training {
    /// The clock.
    pub at: Instant,
    /// The records.
    pub ledger: LedgerView,
}

/// Why a records file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecords {
    /// It cannot be read as TOML of this shape.
    #[error("{0}")]
    Toml(String),
    /// A value is of no use.
    #[error("`{value}` is no {expected}")]
    Value {
        /// What stands there.
        value: String,
        /// What should.
        expected: &'static str,
    },
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    at: String,
    approval: Vec<Raw>,
    waiver: Vec<Raw>,
    sign_off: Vec<Raw>,
    evidence: Vec<Raw>,
    blocker: Vec<Raw>,
    iteration: Vec<Raw>,
    deletion: Vec<Raw>,
}

/// The union of what records say; each kind checks that it has what it needs.
#[derive(Serialize, Deserialize, Default, Clone)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Raw {
    #[serde(skip_serializing_if = "String::is_empty")]
    rule: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    by: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    commit: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    class: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    on: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    meaning: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    at: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    until: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    approved_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<u32>,
}

/// Reads a training file. Class names are those of `classes`.
///
/// # Errors
/// The first thing wrong with it.
pub fn read_training(text: &str, classes: &Classes) -> Result<Training, BadRecords> {
    let file: File = toml::from_str(text).map_err(|error| BadRecords::Toml(error.to_string()))?;
    let mut ledger = LedgerView::default();
    for raw in &file.approval {
        let (rule, by) = (raw.rule.clone(), raw.by.clone());
        ledger.approvals.push(Approval { rule, by, of: id(&raw.commit)?, at: at(&raw.at)? });
    }
    for (place, raw) in file.waiver.iter().enumerate() {
        ledger.waivers.push(waiver(place, raw, classes)?);
    }
    for raw in &file.sign_off {
        ledger.sign_offs.push(SignOff {
            meaning: raw.meaning.clone(),
            by: raw.by.clone(),
            commit: optional(&raw.commit, id)?,
            class: optional(&raw.class, |name| class(classes, name))?,
            at: at(&raw.at)?,
        });
    }
    for raw in &file.evidence {
        ledger.evidence.push(Evidence { kind: raw.meaning.clone(), at: at(&raw.at)? });
    }
    for raw in &file.blocker {
        let open = between(raw)?;
        ledger.blockers.push(Blocker { name: raw.reason.clone(), open });
    }
    for raw in &file.iteration {
        let (by, reason) = (raw.by.clone(), raw.reason.clone());
        ledger.iterations.push(NextIteration { by, reason, at: at(&raw.at)? });
    }
    for raw in &file.deletion {
        ledger.deletions.push(DeletionRequest {
            name: name(&raw.on)?,
            value: id(&raw.commit)?,
            by: raw.by.clone(),
            approved_by: (!raw.approved_by.is_empty()).then(|| raw.approved_by.clone()),
            at: at(&raw.at)?,
        });
    }
    Ok(Training { at: at(&file.at)?, ledger })
}

/// The clock of a training file, without its records.
///
/// # Errors
/// As [`read_training`].
pub fn training_clock(text: &str) -> Result<Instant, BadRecords> {
    let file: File = toml::from_str(text).map_err(|error| BadRecords::Toml(error.to_string()))?;
    at(&file.at)
}

fn waiver(place: usize, raw: &Raw, classes: &Classes) -> Result<Waiver, BadRecords> {
    Ok(Waiver {
        id: format!("training-{}", place + 1),
        rule: raw.rule.clone(),
        on: name(&raw.on)?,
        class: optional(&raw.class, |name| class(classes, name))?,
        commit: optional(&raw.commit, id)?,
        by: raw.by.clone(),
        reason: raw.reason.clone(),
        during: between(raw)?,
        uses_left: raw.uses.unwrap_or(1),
    })
}

fn between(raw: &Raw) -> Result<Interval, BadRecords> {
    let until = if raw.until.is_empty() { Instant::MAX_UTC } else { at(&raw.until)? };
    let expected = "end after the beginning";
    Interval::new(at(&raw.at)?, until)
        .ok_or_else(|| BadRecords::Value { value: raw.until.clone(), expected })
}

fn optional<T>(
    text: &str,
    read: impl Fn(&str) -> Result<T, BadRecords>,
) -> Result<Option<T>, BadRecords> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some) }
}

fn value<T>(found: Option<T>, text: &str, expected: &'static str) -> Result<T, BadRecords> {
    found.ok_or_else(|| BadRecords::Value { value: text.to_string(), expected })
}

fn id(text: &str) -> Result<Oid, BadRecords> {
    value(Oid::from_hex(text), text, "full commit id")
}

fn at(text: &str) -> Result<Instant, BadRecords> {
    value(parse_instant(text), text, "moment")
}

fn class(classes: &Classes, text: &str) -> Result<refgate_core::ClassId, BadRecords> {
    value(classes.find(text), text, "class of the policy")
}

fn name(text: &str) -> Result<RefName, BadRecords> {
    value(RefName::parse(text).ok(), text, "full reference name")
}

/// Writes a training file.
///
/// # Errors
/// If it cannot be written as TOML.
pub fn write_training(training: &Training, classes: &Classes) -> Result<String, BadRecords> {
    let ledger = &training.ledger;
    let show = |at: Instant| at.to_rfc3339();
    let id = |id: Option<Oid>| id.map_or_else(String::new, |id| id.to_string());
    let class =
        |id: Option<refgate_core::ClassId>| id.map_or_else(String::new, |id| classes.name(id));
    let blank = Raw::default;
    let mut file = File { at: show(training.at), ..File::default() };
    file.approval.extend(ledger.approvals.iter().map(|a| {
        let (rule, by) = (a.rule.clone(), a.by.clone());
        Raw { rule, by, commit: a.of.to_string(), at: show(a.at), ..blank() }
    }));
    file.waiver.extend(ledger.waivers.iter().map(|w| Raw {
        rule: w.rule.clone(),
        on: w.on.as_str().to_string(),
        class: class(w.class),
        commit: id(w.commit),
        by: w.by.clone(),
        reason: w.reason.clone(),
        at: show(w.during.start),
        until: show(w.during.end),
        uses: Some(w.uses_left),
        ..blank()
    }));
    file.sign_off.extend(ledger.sign_offs.iter().map(|s| Raw {
        meaning: s.meaning.clone(),
        by: s.by.clone(),
        commit: id(s.commit),
        class: class(s.class),
        at: show(s.at),
        ..blank()
    }));
    file.evidence.extend(ledger.evidence.iter().map(|e| Raw {
        meaning: e.kind.clone(),
        at: show(e.at),
        ..blank()
    }));
    file.blocker.extend(ledger.blockers.iter().map(|b| {
        let (at, until) = (show(b.open.start), show(b.open.end));
        Raw { reason: b.name.clone(), at, until, ..blank() }
    }));
    file.iteration.extend(ledger.iterations.iter().map(|n| Raw {
        by: n.by.clone(),
        reason: n.reason.clone(),
        at: show(n.at),
        ..blank()
    }));
    file.deletion.extend(ledger.deletions.iter().map(|d| Raw {
        on: d.name.as_str().to_string(),
        commit: d.value.to_string(),
        by: d.by.clone(),
        approved_by: d.approved_by.clone().unwrap_or_default(),
        at: show(d.at),
        ..blank()
    }));
    toml::to_string(&file).map_err(|error| BadRecords::Toml(error.to_string()))
}
