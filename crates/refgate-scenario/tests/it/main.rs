//! Does the engine agree with a model that shares no code with it?

use refgate_scenario::differences;

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
