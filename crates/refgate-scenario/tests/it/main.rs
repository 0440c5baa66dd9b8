//! Compares the engine with the reference model, and rejection texts with a snapshot.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod prove;

use std::path::Path;

use refgate_core::RuleId;
use refgate_scenario::{differences, parse_markdown, run_in_memory};

/// Judges 100,000 pushes; `cargo xtask differential` judges a million.
#[test]
fn engine_and_model_agree() {
    let (judged, rejected, found) = differences(1, 100_000).unwrap();
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
    // The generated pushes must be a mix of honest and hostile ones.
    assert!(rejected > judged / 5 && rejected < judged * 9 / 10, "{rejected} of {judged}");
}

/// The snapshot contains every rejection of every rule page, so that a reviewer sees
/// each changed word.
#[test]
fn rejection_texts_match_the_snapshot() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = Vec::new();
    for rule in RuleId::ALL {
        for scenario in parse_markdown(rule.name(), rule.page()).unwrap() {
            let reports = run_in_memory(&scenario, &root, None).unwrap();
            let rejected = reports.into_iter().filter(|report| !report.text.is_empty());
            texts
                .extend(rejected.map(|report| format!("=== {}\n\n{}", scenario.name, report.text)));
        }
    }
    let text = texts.join("\n\n");
    assert!(text.lines().all(|line| line.chars().count() <= 72 || line.starts_with("    git ")));
    insta::assert_snapshot!("refusals", text);
}
