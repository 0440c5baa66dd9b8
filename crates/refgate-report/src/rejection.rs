//! Renders the text that the pusher reads: all findings, grouped by ref, with remedies.

use std::collections::BTreeSet;

use refgate_core::rules::BackportViolation;
use refgate_core::{Case, Decision, Finding, Oid, Verdict, Violation};

use crate::escape::shorten;
use crate::joint_remedies::{move_all_to_topic, promote_after};
use crate::layout::{labelled, wrap};
use crate::remedy::Remedy;
use crate::rendering::{remedies, render_finding};
use crate::units::count;

/// The maximum number of landings of one ref that are listed in full. The rest are counted.
const MOST_LANDINGS: usize = 8;

/// The rejection of a push, in lines of at most 72 columns and without colour. Empty if
/// the push was accepted.
#[must_use]
pub fn render_rejection(case: &Case<'_>, decision: &Decision) -> String {
    let mut out = Vec::new();
    match decision.verdict {
        Verdict::Accept => return String::new(),
        Verdict::Reject => {
            out.push("refgate: push rejected. Nothing has changed on the server.".into());
        }
        Verdict::Undecided => {
            out.push("refgate: push rejected, because it could not be judged. Nothing has".into());
            out.push("changed on the server. This is a fault of the server, not of your".into());
            out.push("push: tell the administrator.".into());
        }
    }
    body(case, &decision.findings, &mut out);
    for waived in &decision.waived {
        let ids: Vec<String> = waived.waivers.iter().map(refgate_core::RecordId::short).collect();
        let text =
            format!("Waived: {} by record {}.", waived.finding.rule.name(), ids.join(" and "));
        out.push(wrap("  ", "  ", &text));
    }
    if !decision.warnings.is_empty() {
        out.push(String::new());
        out.push(warnings(case, decision));
    }
    let rules: BTreeSet<&str> = decision.findings.iter().map(|f| f.rule.name()).collect();
    out.push(String::new());
    let pages: Vec<String> = rules.iter().map(|rule| format!("refgate explain {rule}")).collect();
    out.push(wrap("Read more: ", "           ", &pages.join(", ")));
    out.join("\n")
}

/// The findings of rules in `warn` mode. Empty if there are none.
#[must_use]
pub fn warnings(case: &Case<'_>, decision: &Decision) -> String {
    if decision.warnings.is_empty() {
        return String::new();
    }
    let mut out = vec!["refgate: push accepted, with warnings:".to_string()];
    body(case, &decision.warnings, &mut out);
    out.join("\n")
}

/// The most refs that are listed. The rest are counted.
const MAX_REFS: usize = 20;

fn body(case: &Case<'_>, findings: &[Finding], out: &mut Vec<String>) {
    let places: BTreeSet<usize> = findings.iter().map(|finding| finding.update).collect();
    for place in places.iter().copied().take(MAX_REFS) {
        let Some(update) = case.push.updates.get(place) else { continue };
        let about: Vec<&Finding> = findings.iter().filter(|f| f.update == place).collect();
        out.push(String::new());
        out.push(shorten(update.name.short(), 70));
        for finding in about.iter().filter(|finding| finding.landing.is_none()) {
            push_finding(case, finding, out);
        }
        let rejected = landings(case, place, &about);
        for landing in rejected.iter().take(MOST_LANDINGS) {
            headline(case, *landing, out);
            for finding in about.iter().filter(|f| f.landing == Some(*landing)) {
                push_finding(case, finding, out);
            }
        }
        let more = rejected.len().saturating_sub(MOST_LANDINGS);
        if more > 0 {
            out.push(format!("  and {}, rejected too", count(more, "more landing")));
        }
        push_remedies(case, findings, place, &about, out);
    }
    let more = places.len().saturating_sub(MAX_REFS);
    if more > 0 {
        out.push(String::new());
        out.push(format!("and {}", count(more, "more ref")));
    }
}

/// The rejected landings, oldest first.
fn landings(case: &Case<'_>, update: usize, about: &[&Finding]) -> Vec<Oid> {
    let rejected: BTreeSet<Oid> = about.iter().filter_map(|finding| finding.landing).collect();
    let facts = case.history.updates.get(update);
    let order = facts.into_iter().flat_map(|facts| &facts.landings).map(|one| one.commit);
    order.filter(|id| rejected.contains(id)).collect()
}

fn headline(case: &Case<'_>, landing: Oid, out: &mut Vec<String>) {
    let subject = case.history.commit(landing).map_or("", |commit| commit.message.subject());
    out.push(format!("  {} {}", landing.short(), shorten(subject, 58)));
}

fn push_finding(case: &Case<'_>, finding: &Finding, out: &mut Vec<String>) {
    let rendered = render_finding(case, finding);
    out.push(wrap(&format!("  [{}] ", finding.rule.name()), "    ", &rendered.sentence));
    out.extend(rendered.facts.iter().map(|(label, text)| labelled(4, label, text)));
}

/// The remedies of one ref, each once. If a landing is frozen or not eligible, moving it
/// off the branch resolves all of its findings.
fn push_remedies(
    case: &Case<'_>,
    findings: &[Finding],
    update: usize,
    about: &[&Finding],
    out: &mut Vec<String>,
) {
    let mut all: Vec<Remedy> = Vec::new();
    let out_of_place = |finding: &&&Finding| {
        matches!(
            finding.violation,
            Violation::Freeze(_) | Violation::Backport(BackportViolation::NotEligible { .. })
        )
    };
    let moved: BTreeSet<Option<Oid>> =
        about.iter().filter(out_of_place).map(|finding| finding.landing).collect();
    // Remedies that each move one landing would undo each other.
    let several = landings(case, update, about).len() > 1;
    let second = || about.iter().find_map(|finding| promote_after(case, findings, finding));
    if several {
        all.extend(second().or_else(|| move_all_to_topic(case, update)));
    }
    for finding in about.iter().filter(|f| out_of_place(f) || !moved.contains(&f.landing)) {
        if several && finding.landing.is_some() {
            continue;
        }
        for remedy in remedies(case, findings, finding) {
            if !all.contains(&remedy) && all.len() < MOST_LANDINGS {
                all.push(remedy);
            }
        }
    }
    for remedy in all {
        out.push(String::new());
        out.push(wrap("  To fix it, ", "  ", &remedy.title));
        out.extend(remedy.commands.iter().map(|command| format!("    {command}")));
    }
}
