//! Does the engine agree with a model that shares no code with it, and what does it say?
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod prove;

use std::path::Path;

use refgate_core::RuleId;
use refgate_scenario::{differences, parse_markdown, run_in_memory};

/// A hundred thousand pushes; `cargo xtask differential` judges a million.
#[test]
fn engine_and_model_agree() {
    let (judged, refused, found) = differences(1, 100_000).unwrap();
    if let Some(first) = found.first() {
        panic!(
            "seed {}\n{}\nengine {}\nmodel  {}",
            first.seed,
            first.story.join("\n"),
            first.engine,
            first.model
        );
    }
    assert!(judged >= 100_000);
    // A generator of honest pushes only, or of hostile ones only, would prove little.
    assert!(refused > judged / 5 && refused < judged * 9 / 10, "{refused} of {judged}");
}

/// What people read, of every refusal on every rule's page: a changed word is
/// seen by whoever reviews the change.
#[test]
fn refusals_read_as_they_did() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut told = Vec::new();
    for rule in RuleId::ALL {
        for scenario in parse_markdown(rule.name(), rule.page()).unwrap() {
            let reports = run_in_memory(&scenario, &root, None).unwrap();
            let refused = reports.into_iter().filter(|report| !report.text.is_empty());
            told.extend(refused.map(|report| format!("=== {}\n\n{}", scenario.name, report.text)));
        }
    }
    let text = told.join("\n\n");
    assert!(text.lines().all(|line| line.chars().count() <= 72 || line.starts_with("    git ")));
    insta::assert_snapshot!("refusals", text);
}
