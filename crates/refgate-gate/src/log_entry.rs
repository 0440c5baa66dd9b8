//! Writes and reads an entry of the audit log: a decision with its facts (docs/design/model.md,
//! "Decision").

use refgate_core::{Case, Decision, Oid, RecordId, RefKind, RuleId, UpdateFacts, WaivedFinding};
use refgate_git::{AuditLog, GitError, Graph, Reader, WaiverUse, reflog};
use refgate_report::{findings_json, landing_json};
use serde_json::{Value, json};

use crate::install::CANARY;
use crate::judge::{JudgedPush, ServerState};

/// The maximum number of landings and of findings in an entry. A recomputation has all of them.
const MAX_LISTED: usize = 100;

/// The maximum number of updates of topic refs in an entry. A verdict about more of them cannot
/// be recomputed. Updates of governed refs are always listed, because the audit needs them.
const MAX_TOPICS: usize = 200;

/// Whether a decision is logged: if the push updates a governed ref, or has findings or warnings.
#[must_use]
pub fn is_logged(case: &Case<'_>, decision: &Decision) -> bool {
    let governed = |update: &refgate_core::RefUpdate| {
        !matches!(case.policy.kind(&update.name), RefKind::Topic)
    };
    // `refgate doctor` pushes a canary at each run, so canaries are not logged.
    let canary = |update: &refgate_core::RefUpdate| update.name.as_str().starts_with(CANARY);
    let has_findings = !decision.findings.is_empty() || !decision.warnings.is_empty();
    !case.push.updates.iter().all(canary)
        && (has_findings || case.push.updates.iter().any(governed))
}

/// Appends a decision to the audit log. The entry is on the disk before any ref is updated.
///
/// # Errors
/// Returns an error if the entry cannot be written.
pub fn append_entry(
    rest: &ServerState<'_>,
    case: &Case<'_>,
    judged: &JudgedPush,
    place: &str,
) -> Result<Oid, GitError> {
    let log = AuditLog::open(rest.reader.git_dir())?;
    let text = entry(rest, case, judged, place)?;
    let uses: Vec<WaiverUse> =
        judged.decision.waived.iter().flat_map(|waived| used(case, waived)).collect();
    log.append(&text, &uses, case.push.at)
}

fn used(case: &Case<'_>, waived: &WaivedFinding) -> Vec<WaiverUse> {
    let Some(update) = case.push.updates.get(waived.finding.update) else { return Vec::new() };
    let Some(of) = waived.finding.landing.or(update.change.new_value()) else { return Vec::new() };
    let on = update.name.as_str();
    let each = waived.waivers.iter();
    each.map(|id| WaiverUse { waiver: *id, on: on.to_string(), of }).collect()
}

/// The text of an entry: one line for people, and one JSON object.
fn entry(
    rest: &ServerState<'_>,
    case: &Case<'_>,
    judged: &JudgedPush,
    place: &str,
) -> Result<String, GitError> {
    let JudgedPush { history, decision, .. } = judged;
    let names: Vec<&str> = case.push.updates.iter().map(|u| u.name.short()).take(5).collect();
    let who = case.push.actor.as_ref().map_or("somebody", |actor| actor.0.as_str());
    let mut rules: Vec<&str> = decision.findings.iter().map(|f| f.rule.name()).collect();
    rules.sort_unstable();
    rules.dedup();
    let id = |id: Option<Oid>| id.map(|id| id.to_string());
    let mut topics = 0;
    let listed: Vec<usize> = (0..case.push.updates.len())
        .filter(|place| {
            let update = case.push.updates.get(*place);
            let kind = update.map(|update| case.policy.kind(&update.name));
            topics += usize::from(matches!(kind, Some(RefKind::Topic)));
            !matches!(kind, Some(RefKind::Topic)) || topics <= MAX_TOPICS
        })
        .collect();
    let updates: Vec<Value> = listed
        .iter()
        .filter_map(|place| case.push.updates.get(*place))
        .map(|update| {
            let (old, new) = (update.change.old_value(), update.change.new_value());
            json!({ "ref": update.name.as_str(), "old": id(old), "new": id(new) })
        })
        .collect();
    let flow = &case.policy.flow.stages;
    let tips: Vec<Value> = history
        .tips
        .iter()
        .filter_map(|(place, tip)| {
            Some(json!({ "ref": flow.get(*place)?.branch.as_str(), "is": tip.to_string() }))
        })
        .collect();
    let releases: Vec<Value> = history
        .releases
        .iter()
        .map(|r| json!({ "tag": r.tag, "commit": r.commit.to_string(), "at": r.at.to_rfc3339() }))
        .collect();
    let landings: Vec<Value> =
        decision.landings.iter().take(MAX_LISTED).map(|seen| landing_json(case, seen)).collect();
    let facts = listed.iter().filter_map(|place| history.updates.get(*place));
    let facts: Vec<Value> = facts.map(measured).collect();
    let object = json!({
        "format": 1,
        "at": case.push.at.to_rfc3339(),
        "actor": case.push.actor.as_ref().map(|actor| actor.0.clone()),
        "options": case.push.options,
        "updates": updates,
        "updates-in-all": case.push.updates.len(),
        "policy": { "name": case.policy.name, "revision": case.policy.revision,
            "place": place, "hash": rest.policy_hash },
        "ledger": id(rest.reader.ledger_tip()?),
        "tips": tips,
        "releases": releases,
        "facts": facts,
        "uses-left": judged.ledger.waivers.iter()
            .map(|w| json!({ "waiver": w.id.to_string(), "left": w.uses_left }))
            .collect::<Vec<_>>(),
        "verdict": decision.verdict.name(),
        "rules": rules,
        "waived": decision.waived.iter().flat_map(|w| &w.waivers).map(ToString::to_string).collect::<Vec<_>>(),
        "landings": landings,
        "landings-in-all": decision.landings.len(),
        "findings": findings_json(case, decision.findings.get(..MAX_LISTED).unwrap_or(&decision.findings)),
        "findings-in-all": decision.findings.len(),
        "warnings": findings_json(case, decision.warnings.get(..MAX_LISTED).unwrap_or(&decision.warnings)),
    });
    let why = if rules.is_empty() { String::new() } else { format!(" ({})", rules.join(", ")) };
    let head = format!("{} {} by {who}{why}", decision.verdict.name(), names.join(", "));
    let head = refgate_report::clean(&head);
    Ok(format!("{head}\n\n{object}\n"))
}

/// The facts that were measured on the server and are not stored in a Git object.
fn measured(facts: &UpdateFacts) -> Value {
    let debts = facts.debts.iter().map(|debt| {
        json!({ "fix": debt.fix.to_string(), "from": debt.from, "to": debt.to,
            "since": debt.since.map(|at| at.to_rfc3339()) })
    });
    json!({
        "created": facts.created.map(|at| at.to_rfc3339()),
        "soaking-since": facts.soaking_since.map(|at| at.to_rfc3339()),
        "debts": debts.collect::<Vec<_>>(),
    })
}

/// The number of uses of a waiver. A use counts if the ref reached the landing at any time: an
/// accepted push that updated no ref uses nothing. The reflog of the ref shows this. If the ref
/// was deleted, every use counts.
///
/// # Errors
/// Returns an error if the log or a ref cannot be read.
pub fn uses(reader: &Reader, waiver: RecordId) -> Result<u32, GitError> {
    let graph = Graph::new(reader);
    let mut count = 0;
    for (on, of) in reader.uses(waiver)? {
        let Ok(name) = refgate_core::RefName::parse(&on) else { continue };
        let Some((tip, _)) = reader.reference(&name)? else {
            count += 1;
            continue;
        };
        let is = |tip: Oid| -> Result<bool, GitError> {
            Ok(tip == of || (reader.commit(of).is_ok() && graph.is_ancestor(of, tip)?))
        };
        let once = || reflog(reader.git_dir(), &name).into_iter().rev().filter_map(|m| m.new);
        let landed = is(tip)? || once().any(|tip| is(tip).unwrap_or(true));
        count += u32::from(landed);
    }
    Ok(count)
}

/// A parsed entry of the audit log.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// The commit of the entry.
    pub id: Oid,
    /// The first line of the entry.
    pub head: String,
    /// The JSON object; `Null` if it cannot be parsed.
    pub object: Value,
}

impl LogEntry {
    /// Parses the text of an entry.
    #[must_use]
    pub fn parse(id: Oid, text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let object = serde_json::from_str(body.trim_end()).unwrap_or(Value::Null);
        Self { id, head: head.to_string(), object }
    }

    /// The rules with findings.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleId> {
        let rules = self.object.get("rules").and_then(Value::as_array);
        let names = rules.into_iter().flatten().filter_map(Value::as_str);
        names.filter_map(RuleId::find).collect()
    }
}
