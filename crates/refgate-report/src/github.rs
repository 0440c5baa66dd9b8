//! How does a decision show on a pull request's page? As workflow commands of GitHub Actions.

use refgate_core::{Case, Decision, Finding};

use crate::finding_text::render_finding;

/// One annotation per finding; GitLab shows the same lines as plain text.
#[must_use]
pub fn annotations(case: &Case<'_>, decision: &Decision) -> String {
    let lines = |kind: &str, list: &[Finding]| {
        list.iter().map(|f| annotation(case, kind, f)).collect::<String>()
    };
    lines("error", &decision.findings) + &lines("warning", &decision.warnings)
}

fn annotation(case: &Case<'_>, kind: &str, finding: &Finding) -> String {
    let said = render_finding(case, finding);
    let mut text = said.sentence;
    if let Some(commit) = finding.landing.and_then(|id| case.history.commit(id)) {
        text = format!("{} {}\n{text}", commit.id.short(), commit.message.subject());
    }
    for (label, fact) in &said.facts {
        text.push_str(&format!("\n{label}: {fact}"));
    }
    format!("::{kind} title=refgate {}::{}\n", finding.rule.name(), escaped(&text))
}

/// The escapes of workflow commands; without them a subject could end the
/// command and begin one of its own.
fn escaped(text: &str) -> String {
    let visible = crate::escape::clean_block(text);
    visible.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
