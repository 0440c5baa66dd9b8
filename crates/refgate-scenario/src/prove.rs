//! What does a policy say to every kind of push, at every moment that matters? Exhaustion over small stories.
//!
//! Each case is a scenario that `refgate test` runs as it stands: a proof comes
//! with its counterexample.

use std::collections::BTreeSet;

use refgate_core::{Duration, Instant, Policy, Span, Window};

use crate::act::Act;
use crate::memory::Memory;
use crate::parse::parse_scenarios;
use crate::run::World as _;

/// A case: who brings what where, when; told as a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The acts, without what is expected.
    pub story: String,
    /// The branch that is pushed to.
    pub onto: String,
    /// The class that is declared.
    pub class: String,
    /// Who pushes.
    pub who: String,
    /// When.
    pub at: Instant,
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// In a sentence.
    pub what: String,
    /// A scenario that shows it, if one can.
    pub scenario: Option<String>,
}

/// Every case of a policy: all governed branches, classes, kinds of people and
/// moments at which something changes, from `from` on.
#[must_use]
pub fn cases(policy: &Policy, from: Instant) -> Vec<Case> {
    let mut all = Vec::new();
    let branches = policy.flow.stages.iter().map(|stage| stage.branch.short().to_string());
    for onto in branches {
        for class in policy.classes.names() {
            for who in people(policy) {
                for at in moments(policy, from) {
                    all.push(case(policy, &onto, class, &who, at, from));
                }
            }
        }
    }
    all
}

fn case(policy: &Policy, onto: &str, class: &str, who: &str, at: Instant, from: Instant) -> Case {
    let show = |at: Instant| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut story = format!("at {}\n", show(at));
    let days = (at - from).num_days();
    let derived = policy.windows.iter().any(|w| matches!(w.span, Span::AfterMajorRelease { .. }));
    if let (true, Some(stage)) = (derived, policy.flow.stages.last()) {
        let tag = policy.release.tags.first().map_or_else(
            || "v2.0.0".to_string(),
            |pattern| format!("{}2.0.0{}", pattern.prefix, pattern.suffix),
        );
        story.push_str(&format!("release {tag} on {}, {days} days ago\n", stage.branch.short()));
    }
    story.push_str(&format!(
        "zoe commits \"work\\n\\n{}: {class}\" on {onto}, changing {}\n{who} pushes {onto}\n",
        policy.declare.trailer,
        if class == "docs" { "docs/guide.md" } else { "src/app.rs" },
    ));
    let (onto, class, who) = (onto.to_string(), class.to_string(), who.to_string());
    Case { story, onto, class, who, at }
}

/// One person of each role, and one of none.
fn people(policy: &Policy) -> Vec<String> {
    let mut all: Vec<String> = vec!["nobody-in-particular".to_string()];
    for people in policy.roles.0.values() {
        all.extend(people.first().cloned());
    }
    all.sort();
    all.dedup();
    all
}

/// The moments around every edge of every window, and of derived freezes after
/// a release that happened at `from`.
fn moments(policy: &Policy, from: Instant) -> Vec<Instant> {
    let second = Duration::seconds(1);
    let mut all = BTreeSet::from([from]);
    for window in &policy.windows {
        match &window.span {
            Span::Fixed(intervals) => {
                // Recurring windows are alike; the next ones stand for all.
                for interval in intervals.iter().filter(|i| i.end > from).take(3) {
                    let edges = [interval.start - second, interval.start];
                    all.extend(edges.into_iter().chain([interval.end - second, interval.end]));
                }
            }
            Span::AfterMajorRelease { minimum, maximum, .. } => {
                for edge in [from + *minimum, from + *maximum] {
                    all.extend([edge - second, edge]);
                }
            }
        }
    }
    all.retain(|at| *at >= from);
    all.into_iter().collect()
}

/// What the engine says to a case under a policy: `accept` or `reject`.
///
/// # Errors
/// If the story cannot be told, which is a fault of this program.
pub fn answer(policy: &Policy, case: &Case) -> Result<String, String> {
    let scenarios = parse_scenarios("prove", &case.story).map_err(|error| error.to_string())?;
    let scenario = scenarios.first().ok_or("the story is empty")?;
    let mut world = Memory::new(policy.clone(), case.at);
    let mut verdict = String::new();
    for line in &scenario.lines {
        if let Some(report) = world.act(&line.act)? {
            verdict = report.verdict;
        } else if matches!(line.act, Act::Push { .. }) {
            return Err("the push gave no answer".to_string());
        }
    }
    Ok(verdict)
}

/// A case as a scenario that expects a verdict.
#[must_use]
pub fn scenario(policy_name: &str, case: &Case, verdict: &str) -> String {
    format!("policy {policy_name}\n{}expect {verdict}\n", case.story)
}

/// Everything that is wrong with one policy by itself.
///
/// # Errors
/// If a story cannot be told.
pub fn prove(policy: &Policy, name: &str, from: Instant) -> Result<Vec<Proof>, String> {
    let mut found = Vec::new();
    let cases = cases(policy, from);
    for stage in &policy.flow.stages {
        let onto = stage.branch.short();
        let own: Vec<&Case> = cases.iter().filter(|case| case.onto == onto).collect();
        let mut open = false;
        for case in &own {
            open |= answer(policy, case)? == "accept";
        }
        let promoted = policy.flow.stages.first().is_none_or(|first| first.branch != stage.branch);
        if let (false, false, Some(case)) = (open, promoted, own.first()) {
            found.push(Proof {
                what: format!("nothing ever lands on `{onto}`: no class, no person, no moment"),
                scenario: Some(scenario(name, case, "accept")),
            });
        }
    }
    for window in &policy.windows {
        found.extend(of_window(policy, window, from));
    }
    found.extend(of_roles(policy));
    Ok(found)
}

fn of_window(policy: &Policy, window: &Window, from: Instant) -> Vec<Proof> {
    let mut found = Vec::new();
    let mut say = |what: String| found.push(Proof { what, scenario: None });
    let name = &window.name;
    let all = policy.classes.ids().all(|class| window.lets_through.contains(&class));
    if all {
        say(format!("the freeze \"{name}\" lets every class through: it keeps nothing out"));
    }
    match &window.span {
        Span::Fixed(intervals) => {
            if !intervals.iter().any(|interval| interval.end > from) {
                say(format!("the freeze \"{name}\" lies in the past: it never applies again"));
            }
            for hole in holes(intervals) {
                say(format!("the freeze \"{name}\" leaves a gap: {hole}"));
            }
            let shortest = intervals.iter().map(|interval| interval.end - interval.start).min();
            if let Some(shortest) = shortest.filter(|length| policy.waivers.longest > *length)
                && !policy.waivers.approvers.is_empty()
            {
                say(format!(
                    "a waiver may last {} hours, longer than the freeze \"{name}\" ({} hours): it \
                     would outlive it",
                    policy.waivers.longest.num_hours(),
                    shortest.num_hours()
                ));
            }
        }
        Span::AfterMajorRelease { minimum, .. } => {
            if policy.waivers.longest > *minimum && !policy.waivers.approvers.is_empty() {
                say(format!("a waiver may last longer than the freeze \"{name}\" at its shortest"));
            }
        }
    }
    found
}

/// Windows that mostly follow each other without a gap, but not always: clocks
/// that jump leave holes.
fn holes(intervals: &[refgate_core::Interval]) -> Vec<String> {
    let gaps: Vec<(Instant, Duration)> = intervals
        .windows(2)
        .filter_map(|pair| match pair {
            [a, b] => Some((a.end, b.start - a.end)),
            _ => None,
        })
        .collect();
    let closed = gaps.iter().filter(|(_, gap)| gap.is_zero()).count();
    if closed * 2 <= gaps.len() {
        return Vec::new();
    }
    let open = gaps.iter().filter(|(_, gap)| *gap > Duration::zero());
    open.map(|(at, gap)| format!("{} minutes from {at}", gap.num_minutes())).collect()
}

/// Roles that are asked for and have nobody, and people nobody asks for.
fn of_roles(policy: &Policy) -> Vec<Proof> {
    let mut found = Vec::new();
    for wanted in &policy.gate.sign_offs {
        let people = policy.roles.people(&wanted.role);
        if u32::try_from(people.len()).unwrap_or(u32::MAX) < wanted.people {
            let what = format!("nothing can be shipped: `{}` has too few people", wanted.role);
            found.push(Proof { what, scenario: None });
        }
    }
    if policy.gate.course.is_some() {
        let trainers = policy.roles.people(&policy.ledger.trainers);
        if trainers.is_empty() {
            let what = "nothing can be shipped: nobody may issue the certificate".to_string();
            found.push(Proof { what, scenario: None });
        }
    }
    found
}

/// Where two policies answer differently: the cases that the new one lets in
/// and those that it keeps out.
///
/// # Errors
/// If a story cannot be told.
pub fn compare(
    new: &Policy,
    old: &Policy,
    from: Instant,
) -> Result<(Vec<Case>, Vec<Case>), String> {
    let mut all = cases(new, from);
    for case in cases(old, from) {
        if !all.contains(&case) {
            all.push(case);
        }
    }
    let (mut looser, mut stricter) = (Vec::new(), Vec::new());
    for case in all {
        // A branch that one of them does not govern is free there.
        match (answer(new, &case), answer(old, &case)) {
            (Ok(now), Ok(before)) if now != before => {
                if now == "accept" {
                    looser.push(case);
                } else {
                    stricter.push(case);
                }
            }
            _ => {}
        }
    }
    Ok((looser, stricter))
}
