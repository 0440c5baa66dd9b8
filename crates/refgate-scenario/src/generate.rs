//! Generates random scenarios and compares the engine with the reference model on each push.

use refgate_core::{ChangeMode, Duration, EvidenceKind, Meaning, Policy};
use refgate_gate::{builtin, horizon, policy_from_text};

use crate::generated_push::compare;
use crate::memory_world::MemoryWorld;
use crate::record_builder::make;
use crate::rng::{MARKS, MESSAGES, PATHS, PEOPLE, SeededRng};
use crate::runner::default_clock;
use crate::step::{MergeMethod, PathChange, PickTrailer, PushItem, Record};

/// A push on which engine and reference model disagree, with the steps before it.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The seed of the scenario.
    pub seed: u64,
    /// The steps; the push is the last one.
    pub story: Vec<String>,
    /// The verdict and the rules of the engine.
    pub engine: String,
    /// The verdict and the rules of the model, or the property that does not hold.
    pub model: String,
}

/// Judges generated pushes. Returns their number, the rejections and the differences.
///
/// # Errors
/// Fails if a built-in policy cannot be read.
pub fn differences(seed: u64, pushes: usize) -> Result<(usize, usize, Vec<Difference>), String> {
    let at = default_clock();
    let mut policies = Vec::new();
    for name in ["portal", "strict", "release-lines", "minimal"] {
        let text = builtin(name).ok_or("no such policy")?;
        let policy = policy_from_text(text, name, horizon(at), |_| None);
        policies.push(policy.map_err(|error| error.to_string())?);
    }
    let (mut judged, mut rejected) = (0, 0);
    let mut found = Vec::new();
    let mut next = seed;
    while judged < pushes && found.len() < 10 {
        let mut story = Generator::new(next, &policies).ok_or("there is no policy")?;
        story.generate();
        judged += story.judged;
        rejected += story.rejected;
        found.extend(story.found);
        next += 1;
    }
    Ok((judged, rejected, found))
}

struct Generator {
    seed: u64,
    random: SeededRng,
    world: MemoryWorld,
    steps: Vec<String>,
    topics: Vec<String>,
    judged: usize,
    rejected: usize,
    found: Vec<Difference>,
}

impl Generator {
    fn new(seed: u64, policies: &[Policy]) -> Option<Self> {
        let mut random = SeededRng(seed);
        let at =
            default_clock() - Duration::days(i64::try_from(random.next_below(60)).unwrap_or(0));
        let place = random.next_below(policies.len());
        let world = MemoryWorld::new(policies.iter().cycle().nth(place).cloned()?, at);
        let (steps, topics, found) = (Vec::new(), Vec::new(), Vec::new());
        Some(Self { seed, random, world, steps, topics, judged: 0, rejected: 0, found })
    }

    fn generate(&mut self) {
        if self.random.next_below(3) > 0 {
            let ago = Duration::days(i64::try_from(self.random.next_below(100)).unwrap_or(0));
            self.release("v2.0.0", ago);
        }
        for _ in 0..4 + self.random.next_below(14) {
            match self.random.next_below(20) {
                0..=5 => self.commit(),
                6 => self.branch(),
                7..=9 => self.merge(),
                10 => self.pick(),
                11 => self.tag(),
                12 => self.record(),
                13 => {
                    let hours = i64::try_from(self.random.next_below(400)).unwrap_or(0);
                    self.world.clock += Duration::hours(hours);
                    self.steps.push(format!("{hours} hours later"));
                }
                _ => self.push(),
            }
        }
        self.push();
    }

    fn push(&mut self) {
        let (who, specs) = (self.random.word(&PEOPLE), self.specs());
        let options: Vec<String> = if self.random.next_below(12) == 0 {
            vec!["class=bugfix".to_string()]
        } else {
            Vec::new()
        };
        self.steps.push(format!("{who} pushes {specs:?} {options:?}"));
        let Some(comparison) = compare(&self.world, &who, &specs, &options) else { return };
        self.judged += 1;
        self.rejected += usize::from(comparison.accepted.is_none());
        for (engine, model) in comparison.disagreements {
            let (seed, story) = (self.seed, self.steps.clone());
            self.found.push(Difference { seed, story, engine, model });
        }
        if let Some(facts) = comparison.accepted {
            self.world.land(&facts);
        }
    }

    fn stages(&self) -> Vec<String> {
        let stages = &self.world.policy.flow.stages;
        stages.iter().map(|stage| stage.branch.short().to_string()).collect()
    }

    fn any_branch(&mut self) -> String {
        let mut all = self.stages();
        all.extend(self.topics.clone());
        if !self.world.policy.flow.lines.is_empty() && self.world.local.contains_key("release/2.x")
        {
            all.push("release/2.x".to_string());
        }
        self.random.pick(&all).cloned().unwrap_or_default()
    }

    fn release(&mut self, tag: &str, ago: Duration) {
        let stages = self.stages();
        let Some(on) = stages.last() else { return };
        self.steps.push(format!("release {tag} on {on}, {} days ago", ago.num_days()));
        if self.world.tag(tag, &format!("origin/{on}"), false).is_some()
            && let Some(id) = self.world.revision(tag)
        {
            let name = format!("refs/tags/{tag}");
            self.world.server.insert(name.clone(), id);
            self.world.received.insert(name, self.world.clock - ago);
        }
    }

    fn touches(&mut self) -> Vec<PathChange> {
        let count = 1 + self.random.next_below(2);
        (0..count)
            .map(|_| {
                let path = self.random.word(&PATHS);
                let modes = [
                    ChangeMode::Added,
                    ChangeMode::Modified,
                    ChangeMode::Modified,
                    ChangeMode::Deleted,
                ];
                PathChange {
                    path,
                    mode: *self.random.pick(&modes).unwrap_or(&ChangeMode::Modified),
                }
            })
            .collect()
    }

    fn commit(&mut self) {
        let (who, branch) = (self.random.word(&PEOPLE), self.any_branch());
        let (message, touches) = (self.random.word(&MESSAGES), self.touches());
        let Some(tip) = self.world.revision(&branch) else { return };
        let mut files = self.world.files(tip);
        self.world.touch(&mut files, &touches);
        self.steps.push(format!("{who} commits {message:?} on {branch} {touches:?}"));
        let id = self.world.add(vec![tip], files, &message, &who);
        self.world.local.insert(branch, id);
    }

    fn branch(&mut self) {
        let kind = self.random.word(&["feature", "fix", "docs", "hotfix", "zz"]);
        let name = if self.random.next_below(6) == 0 {
            "release/2.x".to_string()
        } else {
            format!("{kind}/t{}", self.topics.len())
        };
        let from = self.any_branch();
        let Some(id) = self.world.revision(&from) else { return };
        self.steps.push(format!("branch {name} from {from}"));
        self.world.local.insert(name.clone(), id);
        if !name.starts_with("release/") {
            self.topics.push(name);
        }
    }

    fn merge(&mut self) {
        let (who, from, into) = (self.random.word(&PEOPLE), self.any_branch(), self.any_branch());
        let methods = [
            MergeMethod::Merge,
            MergeMethod::Merge,
            MergeMethod::Merge,
            MergeMethod::Foxtrot,
            MergeMethod::Squash,
            MergeMethod::Ours,
        ];
        let how = *self.random.pick(&methods).unwrap_or(&MergeMethod::Merge);
        let (Some(ours), Some(theirs)) = (self.world.revision(&into), self.world.revision(&from))
        else {
            return;
        };
        // Git makes no merge commit if the branch already contains the other one.
        if self.world.ancestors(ours).contains(&theirs) {
            return;
        }
        let evil = self.random.next_below(6) == 0 && how == MergeMethod::Merge;
        let touches = if evil { self.touches() } else { Vec::new() };
        let message = (how == MergeMethod::Squash).then(|| self.random.word(&MESSAGES));
        self.steps.push(format!("{who} merges {from} into {into} {how:?} {message:?} {touches:?}"));
        let done = self.world.merge(&who, &[from], &into, how, message.as_deref(), &touches);
        debug_assert!(done.is_some());
    }

    fn pick(&mut self) {
        let (from, onto) = (self.any_branch(), self.any_branch());
        let node = self.world.revision(&from).and_then(|id| self.world.node(id));
        let (1, mut touches) = (node.map_or(0, |node| node.parents.len()), self.touches()) else {
            return;
        };
        touches.truncate(usize::from(self.random.next_below(4) == 0));
        let mark = self.random.pick(&MARKS).copied().unwrap_or(PickTrailer::Whole);
        self.steps.push(format!("pick {from} onto {onto} {mark:?} {touches:?}"));
        let done = self.world.pick(&from, &onto, mark, &touches);
        debug_assert!(done.is_some());
    }

    fn tag(&mut self) {
        let name = self.random.word(&["v1.0.0", "v2.0.1", "v2.1.0", "v3.0.0", "v2.0.0", "nightly"]);
        let (on, light) = (self.any_branch(), self.random.next_below(4) == 0);
        self.steps.push(format!("tag {name} on {on} light={light}"));
        let done = self.world.tag(&name, &on, light);
        debug_assert!(done.is_some());
    }

    fn record(&mut self) {
        let who = self.random.word(&PEOPLE);
        let (of, onto) = (self.any_branch(), Some(self.any_branch()));
        let record = match self.random.next_below(13) {
            0 => Record::Approval { rule: self.random.rule(&["freeze", "backport"]), of, onto },
            1 => Record::Waiver {
                rule: self.random.rule(&[
                    "freeze",
                    "class",
                    "backport",
                    "promotion",
                    "deletion",
                    "release-gate",
                    "debts",
                ]),
                on: of,
                lasts: Duration::days(5),
                // No push can use up so many uses, because the model does not count them.
                uses: 1_000,
                reason: "so".to_string(),
            },
            2 => Record::Exit,
            3 => Record::Settled { of, class: self.random.word(&["docs", "bugfix"]) },
            4 => Record::Evidence {
                what: self
                    .random
                    .pick(&[EvidenceKind::ProductionRun, EvidenceKind::Notice])
                    .copied()
                    .unwrap_or(EvidenceKind::Notice),
                run: (self.random.next_below(2) == 0).then(|| self.random.word(&["r1", "r2"])),
            },
            5 => Record::Iteration { reason: "so".to_string() },
            6 | 7 => Record::SignOff {
                meaning: self.random.pick(&Meaning::ALL).copied().unwrap_or(Meaning::Uat),
                of,
            },
            9 | 10 => Record::Certificate {
                person: self.random.word(&PEOPLE),
                course: "operator".to_string(),
                lasts: Duration::days(20),
            },
            11 => Record::Absence { person: self.random.word(&PEOPLE), lasts: Duration::days(9) },
            8 => Record::NotApplicable { fix: of, to: self.any_branch() },
            _ => {
                let agreed_by = Some(self.random.word(&PEOPLE));
                Record::Deletion { name: format!("refs/heads/{of}"), agreed_by }
            }
        };
        self.steps.push(format!("{who} records {record:?}"));
        // A record that names a missing ref or commit is not made.
        if let Ok(made) = make(&self.world, (who.as_str(), self.world.clock), &record) {
            self.world.records.extend(made);
        }
    }

    fn specs(&mut self) -> Vec<PushItem> {
        let mut specs = Vec::new();
        for _ in 0..1 + self.random.next_below(8) / 6 {
            let from = self.any_branch();
            let spec = match self.random.next_below(12) {
                0 => PushItem { from: None, to: format!("refs/heads/{from}") },
                1 => {
                    let tag = self.random.word(&["v1.0.0", "v2.0.1", "v2.1.0", "v3.0.0", "v2.0.0"]);
                    PushItem { from: Some(tag.clone()), to: format!("refs/tags/{tag}") }
                }
                2 => PushItem { from: Some(from), to: "refs/replace/0123456789".to_string() },
                3 | 4 => {
                    let to = self.any_branch();
                    PushItem { from: Some(from), to: format!("refs/heads/{to}") }
                }
                _ => PushItem { from: Some(from.clone()), to: format!("refs/heads/{from}") },
            };
            if !specs.iter().any(|other: &PushItem| other.to == spec.to) {
                specs.push(spec);
            }
        }
        specs
    }
}
