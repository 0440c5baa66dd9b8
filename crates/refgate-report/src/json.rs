//! How do programs read a decision? One stable JSON object; fields may be added.

use refgate_core::{Case, DecidedLanding, Decision, Finding, Requirement};
use serde_json::{Value, json};

use crate::class_reason::render_class_reason;
use crate::finding_text::render_finding;
use crate::remedy::remedies;

/// The decision, its landings and its findings.
#[must_use]
pub fn decision_json(case: &Case<'_>, decision: &Decision) -> Value {
    let landings = decision.landings.iter().map(|seen| landing_json(case, seen));
    let waived = decision.waived.iter().map(
        |waived| json!({ "waiver": waived.waiver.to_string(), "finding": finding(case, &decision.findings, &waived.finding) }),
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

/// One landing as the decision saw it.
#[must_use]
pub fn landing_json(case: &Case<'_>, seen: &DecidedLanding) -> Value {
    json!({
        "ref": reference(case, seen.update),
        "commit": seen.commit.to_string(),
        "route": seen.route.name(),
        "class": case.policy.classes.name(seen.class.class),
        "contradicted": seen.class.contradiction.is_some(),
        "because": render_class_reason(&case.policy.classes, &seen.class.reason),
    })
}

/// Findings, with what they take and how to go on.
#[must_use]
pub fn findings_json(case: &Case<'_>, findings: &[Finding]) -> Value {
    findings.iter().map(|one| finding(case, findings, one)).collect()
}

fn reference<'a>(case: &Case<'a>, update: usize) -> Option<&'a str> {
    case.push.updates.get(update).map(|update| update.name.as_str())
}

fn finding(case: &Case<'_>, all: &[Finding], finding: &Finding) -> Value {
    let said = render_finding(case, finding);
    let facts: Vec<Value> =
        said.facts.iter().map(|(label, text)| json!({ "label": label, "text": text })).collect();
    let remedies: Vec<Value> = remedies(case, all, finding)
        .iter()
        .map(|remedy| json!({ "what": remedy.what, "commands": remedy.commands }))
        .collect();
    json!({
        "rule": finding.rule.name(),
        "ref": reference(case, finding.update),
        "landing": finding.landing.map(|id| id.to_string()),
        "message": said.sentence,
        "facts": facts,
        "takes": requirement(&finding.requirement),
        "remedies": remedies,
    })
}

fn requirement(requirement: &Requirement) -> Value {
    match requirement {
        Requirement::Until(at) => json!({ "until": at.to_rfc3339() }),
        Requirement::Needs { role } => json!({ "approval": role }),
        Requirement::WaitsFor(what) => json!({ "waits-for": what }),
        Requirement::Never => json!("never"),
    }
}
