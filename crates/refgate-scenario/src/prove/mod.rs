//! Runs every kind of push against a policy, at every time that matters, and reports faults.
//!
//! Each case is a scenario that `refgate test` can run unchanged. A proof therefore
//! comes with a counterexample.

mod cases;
mod windows;

use std::collections::BTreeSet;

use refgate_core::{Instant, Policy, RuleId, RuleMode, SignOffCount};

pub use cases::{DeliveryPath, ProveCase, cases};

use crate::memory_world::MemoryWorld;
use crate::parse::parse_scenarios;
use crate::runner::{Report, World as _};
use crate::step::Step;

/// A fault of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The fault, in one sentence.
    pub what: String,
    /// A scenario that shows the fault, if a push can show it.
    pub scenario: Option<String>,
}

/// The answer of the engine to a case under a policy.
///
/// # Errors
/// Fails if a step of the case fails. This is a defect of refgate.
pub fn answer(policy: &Policy, case: &ProveCase) -> Result<Report, String> {
    run_steps(policy, &case.story, case.at)
}

fn run_steps(policy: &Policy, story: &str, at: Instant) -> Result<Report, String> {
    let scenarios = parse_scenarios("prove", story).map_err(|error| error.to_string())?;
    let scenario = scenarios.first().ok_or("the scenario has no steps")?;
    let mut world = MemoryWorld::new(policy.clone(), at);
    let mut last = Report::default();
    for line in &scenario.lines {
        if let Some(report) = world.step(&line.step)? {
            last = report;
        } else if matches!(line.step, Step::Push { .. }) {
            return Err("the push has no verdict".to_string());
        }
    }
    Ok(last)
}

/// A case as a scenario that expects the answer.
#[must_use]
pub fn scenario(policy_name: &str, case: &ProveCase, answer: &Report) -> String {
    expecting(policy_name, &case.story, answer)
}

fn expecting(policy_name: &str, story: &str, answer: &Report) -> String {
    let rules: Vec<&str> = answer.rules.iter().map(String::as_str).collect();
    let expected = match answer.verdict.as_str() {
        "reject" => format!("reject {}", rules.join(", ")),
        other => other.to_string(),
    };
    format!("policy {policy_name}\n{story}expect {}\n", expected.trim_end())
}

/// A policy, its name in scenarios, and every case with the answer of the engine.
struct PolicyTable<'p> {
    policy: &'p Policy,
    name: &'p str,
    from: Instant,
    answers: Vec<(ProveCase, Report)>,
}

impl PolicyTable<'_> {
    fn scenario(&self, (case, report): &(ProveCase, Report)) -> String {
        scenario(self.name, case, report)
    }
}

/// All faults of one policy.
///
/// # Errors
/// Fails if a step of a case fails.
pub fn prove(policy: &Policy, name: &str, from: Instant) -> Result<Vec<Proof>, String> {
    let answered = |case: ProveCase| answer(policy, &case).map(|report| (case, report));
    let answers = cases(policy, from).into_iter().map(answered).collect::<Result<_, _>>()?;
    let table = PolicyTable { policy, name, from, answers };
    let mut found = find_locked_branches(&table);
    for window in &policy.windows {
        found.extend(windows::of(&table, window)?);
    }
    found.extend(find_settings_without_effect(policy));
    found.extend(find_small_roles(policy));
    Ok(found)
}

/// Finds branches to which no push is accepted, and classes that can land nowhere.
fn find_locked_branches(table: &PolicyTable<'_>) -> Vec<Proof> {
    let mut found = Vec::new();
    let proof = |what: String, own: &[&(ProveCase, Report)]| {
        // The case with the fewest rules explains the fault best. Among those, a
        // promotion is the normal way of the process.
        let far = |(case, report): &&&(ProveCase, Report)| {
            (report.rules.len(), case.delivery == DeliveryPath::Direct)
        };
        let nearest = own.iter().min_by_key(far);
        Proof { what, scenario: nearest.map(|case| table.scenario(case)) }
    };
    let passes = |own: &[&(ProveCase, Report)]| own.iter().any(|(_, r)| r.verdict == "accept");
    let branches: BTreeSet<&str> =
        table.answers.iter().map(|(case, _)| case.onto.as_str()).collect();
    let mut open = false;
    for onto in branches {
        let own: Vec<_> = table.answers.iter().filter(|(case, _)| case.onto == onto).collect();
        if passes(&own) {
            open = true;
        } else {
            let what = format!(
                "nothing can land on `{onto}`: every class, person and time is rejected, \
                 directly and by promotion"
            );
            found.push(proof(what, &own));
        }
    }
    for class in table.policy.classes.names() {
        let own: Vec<_> = table.answers.iter().filter(|(case, _)| case.class == class).collect();
        if open && !passes(&own) {
            found.push(proof(format!("the class `{class}` can land on no branch"), &own));
        }
    }
    found
}

/// Finds settings that never have an effect.
fn find_settings_without_effect(policy: &Policy) -> Vec<Proof> {
    let mut found = Vec::new();
    let mut say = |what: String| found.push(Proof { what, scenario: None });
    let idle = |rule: RuleId| match rule {
        RuleId::Freeze => policy.windows.is_empty(),
        RuleId::Candidate => !policy.promotion.candidate,
        RuleId::ReleaseGate => {
            let gate = &policy.gate;
            gate.sign_offs.is_empty() && gate.course.is_none() && gate.soak.is_zero()
        }
        RuleId::ReleaseTag => policy.release.tags.is_empty(),
        _ => false,
    };
    for (rule, _) in
        policy.modes.iter().filter(|(rule, mode)| **mode != RuleMode::Off && idle(**rule))
    {
        say(format!("the rule `{}` is on, but has nothing to check", rule.name()));
    }
    let backport = &policy.backport;
    for class in backport.within.iter().chain(&backport.with_approval) {
        if backport.always.contains(class) {
            let class = policy.classes.name(*class);
            say(format!("`{class}` may always be backported; its window has no effect"));
        }
    }
    for class in backport.with_approval.iter().filter(|class| backport.within.contains(class)) {
        let class = policy.classes.name(*class);
        say(format!("`{class}` needs no approval for a backport; `with-approval` has no effect"));
    }
    found
}

/// Finds roles with too few people for what the policy requires.
fn find_small_roles(policy: &Policy) -> Vec<Proof> {
    let mut found = Vec::new();
    for wanted in &policy.gate.sign_offs {
        let people = policy.roles.people(&wanted.role);
        let least = match wanted.people {
            SignOffCount::AtLeast(number) => usize::try_from(number).unwrap_or(usize::MAX),
            SignOffCount::All => 1,
        };
        if people.len() < least {
            let what = format!("no release passes the gate: `{}` has too few people", wanted.role);
            found.push(Proof { what, scenario: None });
        }
    }
    if policy.gate.course.is_some() && policy.roles.people(&policy.ledger.trainers).is_empty() {
        let what = "no release passes the gate: nobody may issue the certificate".to_string();
        found.push(Proof { what, scenario: None });
    }
    found
}

/// A case and the answer to it.
pub type AnsweredCase = (ProveCase, Report);

/// Compares two policies. Returns the cases that only the new policy accepts and
/// the cases that only the old policy accepts, with the answers of the new policy.
///
/// # Errors
/// Returns no error at present: a case that fails under a policy is left out.
pub fn compare(
    new: &Policy,
    old: &Policy,
    from: Instant,
) -> Result<(Vec<AnsweredCase>, Vec<AnsweredCase>), String> {
    let mut all = cases(new, from);
    for case in cases(old, from) {
        if !all.contains(&case) {
            all.push(case);
        }
    }
    let (mut looser, mut stricter) = (Vec::new(), Vec::new());
    for case in all {
        // A branch without rules accepts every push. A case that fails is left out.
        match (answer(new, &case), answer(old, &case)) {
            (Ok(now), Ok(before)) if now.verdict != before.verdict => {
                if now.verdict == "accept" {
                    looser.push((case, now));
                } else {
                    stricter.push((case, now));
                }
            }
            _ => {}
        }
    }
    Ok((looser, stricter))
}
