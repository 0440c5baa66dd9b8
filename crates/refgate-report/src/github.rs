//! Renders findings as workflow commands, which GitHub shows as annotations.

use refgate_core::{Case, Decision, Finding};

use crate::rendering::render_finding;

/// One annotation for each finding. GitLab shows the same lines as plain text.
#[must_use]
pub fn annotations(case: &Case<'_>, decision: &Decision) -> String {
    let lines = |kind: &str, list: &[Finding]| {
        list.iter().map(|f| annotation(case, kind, f)).collect::<String>()
    };
    lines("error", &decision.findings) + &lines("warning", &decision.warnings)
}

fn annotation(case: &Case<'_>, kind: &str, finding: &Finding) -> String {
    let rendered = render_finding(case, finding);
    let mut text = rendered.sentence;
    if let Some(commit) = finding.landing.and_then(|id| case.history.commit(id)) {
        text = format!("{} {}\n{text}", commit.id.short(), commit.message.subject());
    }
    for (label, fact) in &rendered.facts {
        text.push_str(&format!("\n{label}: {fact}"));
    }
    format!("::{kind} title=refgate {}::{}\n", finding.rule.name(), escaped(&text))
}

/// Escapes the data of a workflow command. Without this, a subject could end the command
/// and start another one.
fn escaped(text: &str) -> String {
    let visible = crate::escape::clean_block(text);
    visible.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
