//! Runs a scenario in one of two worlds and compares each verdict with the expected one.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::DateTime;
use refgate_core::{Instant, Policy};
use refgate_gate::{builtin, horizon, policy_from_text};
use refgate_report::render_rejection;

use crate::memory_world::MemoryWorld;
use crate::real_world::{RealError, RealWorld};
use crate::record_builder::make;
use crate::step::{Expected, Line, Scenario, Step};

/// Why a scenario failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{scenario}, line {line}: {what}\n    {text}")]
pub struct Failure {
    /// The scenario.
    pub scenario: String,
    /// The line in its file.
    pub line: usize,
    /// The step as written.
    pub text: String,
    /// The cause.
    pub what: String,
}

/// The answer to one push. Both worlds give it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// `accept`, `reject`, `undecided` or `error`.
    pub verdict: String,
    /// The rules that have findings.
    pub rules: BTreeSet<String>,
    /// The text that the pusher reads.
    pub text: String,
}

/// The clock of a scenario that sets none: 2026-12-24 10:00 UTC.
pub(crate) fn default_clock() -> Instant {
    DateTime::from_timestamp(1_798_106_400, 0).unwrap_or(Instant::UNIX_EPOCH)
}

/// The text of a policy: a built-in policy, or a file relative to `folder`.
pub(crate) fn policy_text(name: &str, folder: &Path) -> Result<String, String> {
    if let Some(text) = builtin(name) {
        return Ok(text.to_string());
    }
    std::fs::read_to_string(folder.join(name))
        .map_err(|error| format!("cannot read policy `{name}`: {error}"))
}

fn read(text: &str, at: Instant) -> Result<Policy, String> {
    policy_from_text(text, "scenario", horizon(at), |_| None).map_err(|error| error.to_string())
}

/// The policy text and the clock at the start of a scenario.
pub(crate) fn initial_policy_and_clock(
    scenario: &Scenario,
    folder: &Path,
    default: Option<&str>,
) -> Result<(String, Instant), String> {
    let mut text = None;
    let mut clock = None;
    for line in &scenario.lines {
        match &line.step {
            Step::Policy(name) => text = Some(policy_text(name, folder)?),
            Step::PolicyText(inline) => text = Some(inline.clone()),
            Step::At(at) if clock.is_none() => clock = Some(*at),
            _ => {}
        }
    }
    let text = match (text, default) {
        (Some(text), _) => text,
        (None, Some(name)) => policy_text(name, folder)?,
        (None, None) => policy_text("portal", folder)?,
    };
    Ok((text, clock.unwrap_or_else(default_clock)))
}

/// A repository in which steps can run.
pub(crate) trait World {
    fn step(&mut self, step: &Step) -> Result<Option<Report>, String>;
}

/// Runs a scenario in memory. It stops at the first step that needs a shell;
/// only a real repository can run the rest.
///
/// # Errors
/// Returns the first step that failed or whose verdict was not the expected one.
pub fn run_in_memory(
    scenario: &Scenario,
    folder: &Path,
    default: Option<&str>,
) -> Result<Vec<Report>, Failure> {
    let (text, clock) =
        initial_policy_and_clock(scenario, folder, default).map_err(|what| top(scenario, what))?;
    let policy = read(&text, clock).map_err(|what| top(scenario, what))?;
    run(scenario, &mut MemoryWorld::new(policy, clock), false)
}

/// Runs a scenario on a real repository, with real pushes and the real hook.
///
/// # Errors
/// Returns the first step that failed or whose verdict was not the expected one.
pub fn run_on_disk(
    scenario: &Scenario,
    folder: &Path,
    default: Option<&str>,
    hook: &Path,
) -> Result<Vec<Report>, Failure> {
    let (text, clock) =
        initial_policy_and_clock(scenario, folder, default).map_err(|what| top(scenario, what))?;
    let policy = read(&text, clock).map_err(|what| top(scenario, what))?;
    let mut world = RealWorld::new(&text, policy, clock, hook)
        .map_err(|error: RealError| top(scenario, error.to_string()))?;
    run(scenario, &mut world, true)
}

fn top(scenario: &Scenario, what: String) -> Failure {
    Failure { scenario: scenario.name.clone(), line: 0, text: String::new(), what }
}

fn run(scenario: &Scenario, world: &mut dyn World, shell: bool) -> Result<Vec<Report>, Failure> {
    let mut reports = Vec::new();
    for line in &scenario.lines {
        let fail = |what: String| Failure {
            scenario: scenario.name.clone(),
            line: line.number,
            text: line.text.clone(),
            what,
        };
        match &line.step {
            Step::Expect(expected) => {
                let last = reports.last().ok_or_else(|| fail("no push comes before it".into()))?;
                check_expected(last, expected).map_err(fail)?;
            }
            Step::Follow(_) if !shell => return Ok(reports),
            step => reports.extend(world.step(step).map_err(fail)?),
        }
    }
    check_has_expect(scenario).map_err(|what| top(scenario, what))?;
    Ok(reports)
}

/// Rejects a scenario without `expect`: it cannot fail, so it tests nothing.
fn check_has_expect(scenario: &Scenario) -> Result<(), String> {
    let expects = |line: &Line| matches!(line.step, Step::Expect(_));
    if scenario.lines.iter().any(expects) {
        return Ok(());
    }
    Err("the scenario has no `expect`".to_string())
}

fn check_expected(report: &Report, expected: &Expected) -> Result<(), String> {
    let answer_text = || format!("\n{}", report.text);
    if report.verdict != expected.verdict {
        return Err(format!(
            "expected {}, got {}{}",
            expected.verdict,
            report.verdict,
            answer_text()
        ));
    }
    let wanted: BTreeSet<String> = expected.rules.iter().cloned().collect();
    if !wanted.is_empty() && wanted != report.rules {
        return Err(format!(
            "expected findings of {wanted:?}, got {:?}{}",
            report.rules,
            answer_text()
        ));
    }
    let flat = report.text.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in &expected.texts {
        if !flat.contains(said.as_str()) {
            return Err(format!("the answer does not contain \"{said}\"{}", answer_text()));
        }
    }
    Ok(())
}

impl World for MemoryWorld {
    fn step(&mut self, step: &Step) -> Result<Option<Report>, String> {
        let missing = |name: &str| format!("there is no `{name}`");
        match step {
            Step::At(at) => self.clock = *at,
            Step::Later(length) => self.clock += *length,
            Step::Release { tag, on, ago } => {
                self.tag(tag, &format!("origin/{on}"), false).ok_or_else(|| missing(on))?;
                let id = self.revision(tag).ok_or_else(|| missing(tag))?;
                self.server.insert(format!("refs/tags/{tag}"), id);
                self.received.insert(format!("refs/tags/{tag}"), self.clock - *ago);
            }
            Step::Branch { name, from } => {
                let id = self.revision(from).ok_or_else(|| missing(from))?;
                self.local.insert(name.clone(), id);
            }
            Step::Reset { branch, to } => {
                let id = self.revision(to).ok_or_else(|| missing(to))?;
                self.local.insert(branch.clone(), id);
            }
            Step::Commit { who, message, branch, touches, encoding, .. } => {
                let tip = self.revision(branch).ok_or_else(|| missing(branch))?;
                let mut files = self.files(tip);
                self.touch(&mut files, touches);
                let id = self.add(vec![tip], files, message, who);
                if let Some(node) = self.nodes.get_mut(&id) {
                    node.encoding.clone_from(encoding);
                }
                self.local.insert(branch.clone(), id);
            }
            Step::Merge { who, from, into, how, message, touches } => {
                let done = self.merge(who, from, into, *how, message.as_deref(), touches);
                done.ok_or_else(|| missing(into))?;
            }
            Step::Pick { from, onto, mark, touches, .. } => {
                self.pick(from, onto, *mark, touches).ok_or_else(|| missing(from))?;
            }
            Step::Tag { name, on, light, .. } => {
                self.tag(name, on, *light).ok_or_else(|| missing(on))?;
            }
            Step::Record { who, record } => {
                let made = make(self, (who.as_str(), self.clock), record)?;
                self.records.extend(made);
            }
            Step::Push { who, specs, options } => return self.push(who, specs, options).map(Some),
            Step::Revise { .. } => {
                return Err("the policy is not in the repository".to_string());
            }
            Step::Policy(_) | Step::PolicyText(_) | Step::Expect(_) | Step::Follow(_) => {}
        }
        Ok(None)
    }
}

impl MemoryWorld {
    fn push(
        &mut self,
        who: &str,
        specs: &[crate::step::PushItem],
        options: &[String],
    ) -> Result<Report, String> {
        let Some(facts) = self.take(who, specs, options) else {
            return Ok(Report { verdict: "error".to_string(), ..Report::default() });
        };
        let decision = self.decide(&facts);
        let case = self.case(&facts);
        let text = render_rejection(&case, &decision);
        let rules = decision.findings.iter().map(|f| f.rule.name().to_string()).collect();
        let verdict = decision.verdict.name().to_string();
        if decision.verdict == refgate_core::Verdict::Accept {
            self.land(&facts);
        }
        Ok(Report { verdict, rules, text })
    }
}

impl World for RealWorld {
    fn step(&mut self, step: &Step) -> Result<Option<Report>, String> {
        self.perform(step).map_err(|error| error.to_string())
    }
}
