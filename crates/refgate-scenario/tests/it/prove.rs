//! Tests that `prove` finds every fault of a bad policy, and that each example shows it.

use std::path::Path;

use refgate_core::Instant;
use refgate_gate::{horizon, policy_from_text};
use refgate_scenario::{
    DeliveryPath, ProveCase, compare, parse_scenarios, proof_scenario, prove, run_in_memory,
};

/// A policy in which each window, role and line has a different fault.
const BAD: &str = r#"
format = 1
name = "bad"
[[stage]]
branch = "dev"
[[stage]]
branch = "main"
production = true
pushers = ["boss"]
[[line]]
branches = "release/*"
[roles]
boss = ["grace"]
[[freeze]]
name = "nights"
reason = "sleep"
stages = ["dev"]
lets-through = ["docs"]
from = "2026-10-20 00:00"
lasts = "24 hours"
recur = "FREQ=DAILY;COUNT=14"
zone = "Europe/Paris"
[[freeze]]
name = "audit"
reason = "the thirteenth was forgotten"
stages = ["dev"]
lets-through = ["docs"]
from = "2026-11-10 00:00"
lasts = "24 hours"
recur = "FREQ=DAILY;COUNT=5;BYMONTHDAY=10,11,12,14,15"
zone = "Europe/Paris"
[[freeze]]
name = "inner"
reason = "audit"
stages = ["dev"]
from = "2026-10-22"
to = "2026-10-23"
lets-through = ["docs", "bugfix"]
[[freeze]]
name = "old"
reason = "history"
stages = ["main"]
from = "2020-10-22"
to = "2020-10-23"
lets-through = ["docs"]
[[freeze]]
name = "all"
reason = "nothing"
stages = ["dev"]
from = "2026-12-22"
to = "2026-12-23"
lets-through = ["docs", "chore", "bugfix", "hotfix", "security", "minor-feature", "feature"]
[waivers]
approvers = "boss"
persons = 1
[gate]
sign-off = [{ meaning = "uat", role = "boss" }]
[rules]
candidate = "warn"
"#;

fn from() -> Instant {
    refgate_format::parse_instant("2026-10-19T00:00:00Z").unwrap()
}

fn policy(text: &str) -> refgate_core::Policy {
    policy_from_text(text, "bad", horizon(from()), |_| None).unwrap()
}

/// Runs an example. The scenario gets the policy as a block, so it needs no file.
fn run_example(text: &str, scenario: &str) {
    let scenario = scenario.replacen("policy bad\n", &format!("policy {{\n{text}\n}}\n"), 1);
    let parsed = parse_scenarios("proof", &scenario).unwrap();
    for one in &parsed {
        run_in_memory(one, Path::new("."), None).unwrap();
    }
    assert!(!parsed.is_empty() && scenario.contains("expect "), "{scenario}");
}

#[test]
fn finds_each_fault_with_an_example() {
    let found = prove(&policy(BAD), "bad", from()).unwrap();
    let shown: Vec<String> = found
        .iter()
        .map(|proof| {
            let scenario = proof.scenario.as_deref().unwrap_or("");
            format!("{}\n{scenario}", proof.what)
        })
        .collect();
    insta::assert_snapshot!("proofs", shown.join("\n"));
    let scenarios = found.iter().filter_map(|proof| proof.scenario.as_deref());
    scenarios.for_each(|scenario| run_example(BAD, scenario));
}

#[test]
fn finds_no_fault_in_sound_policies() {
    for name in ["portal", "minimal", "release-lines"] {
        let text = refgate_gate::builtin(name).unwrap();
        assert_eq!(prove(&policy(text), name, from()).unwrap(), [], "{name}");
    }
}

#[test]
fn compares_policies_by_delivery_path() {
    let open = "format = 1\nname = \"bad\"\n[[stage]]\nbranch = \"dev\"\n[[stage]]\n\
                branch = \"main\"\nproduction = true\n";
    let gated = format!("{open}[promotion]\ncandidate = true\n[gate]\nsoak = \"2 days\"\n");
    let freed = format!("{open}[hotfix]\nclasses = [\"bugfix\"]\n");
    let (looser, stricter) = compare(&policy(&freed), &policy(open), from()).unwrap();
    assert!(stricter.is_empty() && !looser.is_empty());
    let straight =
        |case: &ProveCase| case.delivery == DeliveryPath::Direct && case.class == "bugfix";
    assert!(looser.iter().all(|(case, _)| straight(case) && case.onto == "main"));
    for (case, now) in &looser {
        run_example(&freed, &proof_scenario("bad", case, now));
    }
    // A promotion without the new records is rejected. With them it is accepted.
    let (looser, stricter) = compare(&policy(&gated), &policy(open), from()).unwrap();
    assert!(looser.is_empty() && !stricter.is_empty());
    for (case, now) in &stricter {
        assert_eq!((case.delivery, now.rules.len()), (DeliveryPath::Promotion, 1));
        run_example(&gated, &proof_scenario("bad", case, now));
    }
    assert_eq!(prove(&policy(&gated), "bad", from()).unwrap(), []);
}
