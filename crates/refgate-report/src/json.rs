//! Writes a decision as one JSON object for programs. Fields can be added, never removed.

use refgate_core::{Case, DecidedLanding, Decision, Finding, Requirement};
use serde_json::{Value, json};

use crate::class_reason::render_class_reason;
use crate::rendering::{remedies, render_finding};

/// The decision, its landings and its findings.
#[must_use]
pub fn decision_json(case: &Case<'_>, decision: &Decision) -> Value {
    let landings = decision.landings.iter().map(|seen| landing_json(case, seen));
    let waived = decision.waived.iter().map(
        |waived| json!({ "waivers": waived.waivers.iter().map(ToString::to_string).collect::<Vec<_>>(), "finding": finding(case, &decision.findings, &waived.finding) }),
    );
    let freezes = decision
        .freezes
        .iter()
        .map(|(name, state)| json!({ "window": name, "state": state.name() }));
    json!({
        "format": 1,
        "verdict": decision.verdict.name(),
        "at": case.push.at.to_rfc3339(),
        "actor": case.push.actor.as_ref().map(|actor| actor.0.clone()),
        "policy": case.policy.name,
        "revision": case.policy.revision,
        "freezes": freezes.collect::<Vec<_>>(),
        "landings": landings.collect::<Vec<_>>(),
        "findings": findings_json(case, &decision.findings),
        "warnings": findings_json(case, &decision.warnings),
        "waived": waived.collect::<Vec<_>>(),
    })
}

/// One landing as the decision judged it.
#[must_use]
pub fn landing_json(case: &Case<'_>, seen: &DecidedLanding) -> Value {
    json!({
        "ref": reference(case, seen.update),
        "commit": seen.commit.to_string(),
        "route": seen.route.name(),
        "class": case.policy.classes.name(seen.class.class),
        "contradicted": seen.class.contradiction.is_some(),
        "reason": render_class_reason(&case.policy.classes, &seen.class.reason),
    })
}

/// Findings, with their requirements and remedies.
#[must_use]
pub fn findings_json(case: &Case<'_>, findings: &[Finding]) -> Value {
    findings.iter().map(|one| finding(case, findings, one)).collect()
}

fn reference<'a>(case: &Case<'a>, update: usize) -> Option<&'a str> {
    case.push.updates.get(update).map(|update| update.name.as_str())
}

fn finding(case: &Case<'_>, all: &[Finding], finding: &Finding) -> Value {
    let rendered = render_finding(case, finding);
    let facts: Vec<Value> = rendered
        .facts
        .iter()
        .map(|(label, text)| json!({ "label": label, "text": text }))
        .collect();
    let remedies: Vec<Value> = remedies(case, all, finding)
        .iter()
        .map(|remedy| json!({ "title": remedy.title, "commands": remedy.commands }))
        .collect();
    json!({
        "rule": finding.rule.name(),
        "ref": reference(case, finding.update),
        "landing": finding.landing.map(|id| id.to_string()),
        "message": rendered.sentence,
        "facts": facts,
        "requirement": requirement(&finding.requirement),
        "remedies": remedies,
    })
}

fn requirement(requirement: &Requirement) -> Value {
    match requirement {
        Requirement::Until(at) => json!({ "until": at.to_rfc3339() }),
        Requirement::Needs { role } => json!({ "approval": role }),
        Requirement::WaitsFor(event) => json!({ "waits-for": event }),
        Requirement::Never => json!("never"),
    }
}
