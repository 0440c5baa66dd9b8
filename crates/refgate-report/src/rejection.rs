//! What does the person who pushed read? All findings, grouped, and how to go on.

use std::collections::BTreeSet;

use refgate_core::{Case, Decision, Finding, Oid, Verdict, Violation};

use crate::escape::shorten;
use crate::finding_text::render_finding;
use crate::joint_remedies::{go_second, keep_all};
use crate::layout::{labelled, wrap};
use crate::remedy::{Remedy, remedies};

/// So many landings of one reference are told in full; the rest are counted.
const MOST_LANDINGS: usize = 8;

/// The refusal of a push, in lines of at most 72 columns, complete without
/// colour. Empty if the push was accepted.
#[must_use]
pub fn render_rejection(case: &Case<'_>, decision: &Decision) -> String {
    let mut out = Vec::new();
    match decision.verdict {
        Verdict::Accept => return String::new(),
        Verdict::Reject => out.push("refgate: refused. Nothing has changed on the server.".into()),
        Verdict::Undecided => {
            out.push("refgate: could not decide, so it refuses. Nothing has changed".to_string());
            out.push("on the server. This is the server's fault, not yours: tell its".to_string());
            out.push("administrator.".to_string());
        }
    }
    body(case, &decision.findings, &mut out);
    for waived in &decision.waived {
        let id = waived.waiver.short();
        out.push(wrap(
            "  ",
            "  ",
            &format!("Waived: {} by record {id}.", waived.finding.rule.name()),
        ));
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

/// What rules in `warn` mode say; empty if they say nothing.
#[must_use]
pub fn warnings(case: &Case<'_>, decision: &Decision) -> String {
    if decision.warnings.is_empty() {
        return String::new();
    }
    let mut out = vec!["refgate warns, and lets it pass for now:".to_string()];
    body(case, &decision.warnings, &mut out);
    out.join("\n")
}

fn body(case: &Case<'_>, findings: &[Finding], out: &mut Vec<String>) {
    for (place, update) in case.push.updates.iter().enumerate() {
        let about: Vec<&Finding> = findings.iter().filter(|f| f.update == place).collect();
        if about.is_empty() {
            continue;
        }
        out.push(String::new());
        out.push(shorten(update.name.short(), 70));
        for finding in about.iter().filter(|finding| finding.landing.is_none()) {
            told(case, finding, out);
        }
        let refused = landings(case, place, &about);
        for landing in refused.iter().take(MOST_LANDINGS) {
            headline(case, *landing, out);
            for finding in about.iter().filter(|f| f.landing == Some(*landing)) {
                told(case, finding, out);
            }
        }
        let more = refused.len().saturating_sub(MOST_LANDINGS);
        if more > 0 {
            out.push(format!("  and {more} more landings, refused in the same way"));
        }
        ways_out(case, findings, place, &about, out);
    }
}

/// The refused landings, oldest first.
fn landings(case: &Case<'_>, update: usize, about: &[&Finding]) -> Vec<Oid> {
    let refused: BTreeSet<Oid> = about.iter().filter_map(|finding| finding.landing).collect();
    let facts = case.history.updates.get(update);
    let order = facts.into_iter().flat_map(|facts| &facts.landings).map(|one| one.commit);
    order.filter(|id| refused.contains(id)).collect()
}

fn headline(case: &Case<'_>, landing: Oid, out: &mut Vec<String>) {
    let subject = case.history.commit(landing).map_or("", |commit| commit.message.subject());
    out.push(format!("  {} {}", landing.short(), shorten(subject, 58)));
}

fn told(case: &Case<'_>, finding: &Finding, out: &mut Vec<String>) {
    let said = render_finding(case, finding);
    out.push(wrap(&format!("  [{}] ", finding.rule.name()), "    ", &said.sentence));
    out.extend(said.facts.iter().map(|(label, text)| labelled(4, label, text)));
}

/// The remedies of one reference, each once. Where a landing is frozen or not
/// eligible, taking it off the branch mends all that is wrong with it.
fn ways_out(
    case: &Case<'_>,
    findings: &[Finding],
    update: usize,
    about: &[&Finding],
    out: &mut Vec<String>,
) {
    let mut all: Vec<Remedy> = Vec::new();
    let out_of_place = |finding: &&&Finding| {
        matches!(finding.what, Violation::Frozen { .. } | Violation::NotEligible { .. })
    };
    let moved: BTreeSet<Option<Oid>> =
        about.iter().filter(out_of_place).map(|finding| finding.landing).collect();
    // Several remedies that each move one landing would undo each other.
    let several = landings(case, update, about).len() > 1;
    let second = || about.iter().find_map(|finding| go_second(case, findings, finding));
    if several {
        all.extend(second().or_else(|| keep_all(case, update)));
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
        out.push(wrap("  To go on, ", "  ", &remedy.what));
        out.extend(remedy.commands.iter().map(|command| format!("    {command}")));
    }
}
