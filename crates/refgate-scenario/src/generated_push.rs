//! Judges one push with the engine and with the reference model, and checks the properties that
//! every decision has.

use std::collections::BTreeSet;

use refgate_core::{Decision, Verdict};

use crate::memory_facts::PushFacts;
use crate::memory_world::MemoryWorld;
use crate::reference::judge_naively;
use crate::step::PushItem;

/// What came of one push.
pub(crate) struct Comparison {
    /// The facts of the push, if the engine accepts it.
    pub(crate) accepted: Option<PushFacts>,
    /// What does not agree: the verdict and rules of the engine, then those of the model or the
    /// property that does not hold.
    pub(crate) disagreements: Vec<(String, String)>,
}

/// Judges the push `specs` of `who`. `None` if the world cannot build it.
pub(crate) fn compare(
    world: &MemoryWorld,
    who: &str,
    specs: &[PushItem],
    options: &[String],
) -> Option<Comparison> {
    let facts = world.take(who, specs, options)?;
    let decision = world.decide(&facts);
    let (lands, rules) = judge_naively(world, who, specs, options);
    let objecting: BTreeSet<&str> = decision.findings.iter().map(|f| f.rule.name()).collect();
    let accepted = decision.verdict == Verdict::Accept;
    let engine = format!("{accepted} {objecting:?}");
    let mut disagreements = Vec::new();
    if accepted != lands || objecting != rules {
        disagreements.push((engine.clone(), format!("{lands} {rules:?}")));
    }
    if let Some(property) = broken_property(world, who, specs, options, &decision) {
        disagreements.push((engine, property.to_string()));
    }
    Some(Comparison { accepted: accepted.then_some(facts), disagreements })
}

/// A property that the verdict breaks (docs/design/model.md, "Decision"; threats.md, R1).
fn broken_property(
    world: &MemoryWorld,
    who: &str,
    specs: &[PushItem],
    options: &[String],
    decision: &Decision,
) -> Option<&'static str> {
    let verdict = |world: &MemoryWorld, specs: &[PushItem]| {
        world.take(who, specs, options).map(|facts| world.decide(&facts).verdict)
    };
    let accepted = decision.verdict == Verdict::Accept;
    let mut reversed = specs.to_vec();
    reversed.reverse();
    if verdict(world, &reversed) != Some(decision.verdict) {
        return Some("the order of the updates changes the verdict");
    }
    let alone = |spec: &PushItem| verdict(world, std::slice::from_ref(spec));
    if accepted && specs.iter().any(|spec| alone(spec) != Some(Verdict::Accept)) {
        return Some("an update is accepted with others, but rejected alone");
    }
    let mut silent = world.clone();
    silent.records.clear();
    // Without records, no waiver applies and no freeze ends early.
    if !accepted && verdict(&silent, specs) == Some(Verdict::Accept) {
        return Some("a rejected push is accepted without its records");
    }
    let mut closed = world.clone();
    closed.policy.windows.iter_mut().for_each(|window| window.lets_through.clear());
    if !accepted && verdict(&closed, specs) == Some(Verdict::Accept) {
        return Some("a rejected push is accepted if the freezes accept no class");
    }
    None
}
