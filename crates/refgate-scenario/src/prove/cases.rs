//! Generates the cases of `prove`: branches, delivery paths, classes, people and times.

use std::collections::BTreeSet;

use refgate_core::{
    Duration, Instant, LinePattern, Policy, RefName, SignOffCount, Target, WindowSpan,
};

/// The author of the change in every case. The author has no role.
const AUTHOR: &str = "zoe";

/// A pusher without a role.
const WITHOUT_ROLE: &str = "person-without-role";

/// How a change comes to a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryPath {
    /// As a commit on the branch itself.
    Direct,
    /// By promotion from stage to stage, with all records that the policy requires.
    Promotion,
}

impl DeliveryPath {
    /// The words for a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "directly",
            Self::Promotion => "by promotion",
        }
    }
}

/// A case, written as a scenario: a class, a branch, a delivery path, a pusher and a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProveCase {
    /// The steps, without `expect`.
    pub story: String,
    /// The branch that is pushed to.
    pub onto: String,
    /// The delivery path.
    pub delivery: DeliveryPath,
    /// The declared class.
    pub class: String,
    /// The pusher.
    pub who: String,
    /// The receipt time.
    pub at: Instant,
}

/// All cases of a policy: every governed branch, delivery path, class, kind of
/// person, and time from `from` on at which a window starts or ends.
#[must_use]
pub fn cases(policy: &Policy, from: Instant) -> Vec<ProveCase> {
    let (people, moments) = (people(policy), moments(policy, from));
    let stages = policy.flow.stages.iter().map(|stage| stage.branch.short().to_string());
    let direct =
        stages.chain(policy.flow.lines.iter().filter_map(|line| example_branch(policy, line)));
    let later = policy.flow.stages.iter().skip(1);
    let promoted = later.map(|stage| stage.branch.short().to_string());
    let places = direct
        .map(|onto| (onto, DeliveryPath::Direct))
        .chain(promoted.map(|onto| (onto, DeliveryPath::Promotion)));
    let mut all = Vec::new();
    for (onto, delivery) in places {
        for class in policy.classes.names() {
            for who in &people {
                for at in &moments {
                    all.push(case(policy, (&onto, delivery), class, who, (*at, from)));
                }
            }
        }
    }
    all
}

/// One case. `from` is the time of the last major release, for derived freezes.
pub(super) fn case(
    policy: &Policy,
    (onto, delivery): (&str, DeliveryPath),
    class: &str,
    who: &str,
    (at, from): (Instant, Instant),
) -> ProveCase {
    let mut story = format!("at {}\n", at.format("%Y-%m-%dT%H:%M:%SZ"));
    let derived =
        policy.windows.iter().any(|w| matches!(w.span, WindowSpan::AfterMajorRelease { .. }));
    if let (true, Some((_, stage))) = (derived, policy.flow.production()) {
        let (tag, days) = (release(policy, "2.0.0"), (at - from).num_days());
        story.push_str(&format!("release {tag} on {}, {days} days ago\n", stage.branch.short()));
    }
    match delivery {
        DeliveryPath::Direct => direct(policy, onto, class, who, &mut story),
        DeliveryPath::Promotion => promotion(policy, onto, class, who, &mut story),
    }
    let (onto, class, who) = (onto.to_string(), class.to_string(), who.to_string());
    ProveCase { story, onto, delivery, class, who, at }
}

fn commit(policy: &Policy, onto: &str, class: &str) -> String {
    let path = if class == "docs" { "docs/guide.md" } else { "src/app.rs" };
    let trailer = &policy.declare.trailer;
    format!("{AUTHOR} commits \"work\\n\\n{trailer}: {class}\" on {onto}, changing {path}\n")
}

fn direct(policy: &Policy, onto: &str, class: &str, who: &str, story: &mut String) {
    let line = RefName::branch(onto).ok().and_then(|name| match policy.flow.target(&name) {
        Some(Target::Line(line)) => policy.flow.production().map(|(_, stage)| (line, stage)),
        _ => None,
    });
    if let Some((line, stage)) = line {
        let opener = able(policy, &line.pushers);
        story.push_str(&format!(
            "{opener} branches {onto} from {}\n{opener} pushes {onto}\n",
            stage.branch.short()
        ));
    }
    story.push_str(&format!("{}{who} pushes {onto}\n", commit(policy, onto, class)));
}

/// Appends the steps of a promotion from the first stage on, with candidate,
/// certificate, sign-offs and soak time.
fn promotion(policy: &Policy, onto: &str, class: &str, who: &str, story: &mut String) {
    let Some(first) = policy.flow.stages.first() else { return };
    let mut from = first.branch.short();
    let opener = able(policy, &first.pushers);
    story.push_str(&format!("{}{opener} pushes {from}\n", commit(policy, from, class)));
    for stage in policy.flow.stages.iter().skip(1) {
        let to = stage.branch.short();
        let pusher = if to == onto { who.to_string() } else { able(policy, &stage.pushers) };
        if stage.production {
            append_gate_records(policy, from, &pusher, story);
        } else if policy.promotion.candidate {
            let (namer, tag) =
                (person_with_role(policy, &policy.ledger.releases), release(policy, "2.1.0"));
            story.push_str(&format!("{namer} names {from} candidate 1 of {tag}\n"));
        }
        story.push_str(&format!("{pusher} pushes {from} to {to}\n"));
        if to == onto {
            return;
        }
        from = to;
    }
}

/// Appends the records and the soak time that the release gate requires.
fn append_gate_records(policy: &Policy, from: &str, pusher: &str, story: &mut String) {
    let gate = &policy.gate;
    if let Some(course) = &gate.course {
        let trainers = policy.roles.people(&policy.ledger.trainers);
        if let Some(trainer) = trainers.iter().find(|trainer| *trainer != pusher) {
            story.push_str(&format!("{trainer} certifies {pusher} in {course} for 30 days\n"));
        }
    }
    for wanted in &gate.sign_offs {
        let people = policy.roles.people(&wanted.role).iter().filter(|person| *person != pusher);
        let least = match wanted.people {
            SignOffCount::AtLeast(number) => usize::try_from(number).unwrap_or(usize::MAX),
            SignOffCount::All => usize::MAX,
        };
        for person in people.take(least) {
            story.push_str(&format!("{person} signs off {} of {from}\n", wanted.meaning.name()));
        }
    }
    if gate.soak > Duration::zero() {
        story.push_str(&format!("{} minutes later\n", gate.soak.num_minutes() + 1));
    }
}

/// A person with one of these roles, or the person without a role.
fn able(policy: &Policy, roles: &[String]) -> String {
    with_role(policy, roles).unwrap_or(WITHOUT_ROLE).to_string()
}

/// A person with one of these roles.
pub(super) fn with_role<'p>(policy: &'p Policy, roles: &[String]) -> Option<&'p str> {
    roles.iter().find_map(|role| policy.roles.people(role).first()).map(String::as_str)
}

fn person_with_role(policy: &Policy, role: &str) -> String {
    able(policy, &[role.to_string()])
}

fn release(policy: &Policy, version: &str) -> String {
    let pattern = policy.release.tags.first();
    pattern.map_or_else(
        || format!("v{version}"),
        |pattern| format!("{}{version}{}", pattern.prefix, pattern.suffix),
    )
}

/// An example branch of a line pattern. It is not a stage.
fn example_branch(policy: &Policy, line: &LinePattern) -> Option<String> {
    let name = line.branches.as_str().replace("**", "1.0").replace('*', "1.0").replace('?', "1");
    let full = RefName::branch(&name).ok()?;
    let is_line = matches!(policy.flow.target(&full), Some(Target::Line(_)));
    (line.branches.matches(&name) && is_line).then_some(name)
}

/// Two people of each role, because nobody can approve their own push, and one
/// person without a role.
fn people(policy: &Policy) -> Vec<String> {
    let mut all = vec![WITHOUT_ROLE.to_string()];
    for people in policy.roles.0.values() {
        all.extend(people.iter().take(2).cloned());
    }
    all.sort();
    all.dedup();
    all
}

/// The start and end of every window, and one second before each. Derived freezes
/// follow a release at `from`.
pub(super) fn moments(policy: &Policy, from: Instant) -> Vec<Instant> {
    let second = Duration::seconds(1);
    let mut all = BTreeSet::from([from]);
    for window in &policy.windows {
        match &window.span {
            WindowSpan::Fixed(intervals) => {
                // All repetitions of a window are alike, so the next three suffice.
                for interval in intervals.iter().filter(|i| i.end > from).take(3) {
                    let edges = [interval.start - second, interval.start];
                    all.extend(edges.into_iter().chain([interval.end - second, interval.end]));
                }
            }
            WindowSpan::AfterMajorRelease { minimum, maximum, .. } => {
                for edge in [from + *minimum, from + *maximum] {
                    all.extend([edge - second, edge]);
                }
            }
        }
    }
    all.retain(|at| *at >= from);
    all.into_iter().collect()
}
