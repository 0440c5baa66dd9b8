//! Collects what the page and the terminal show: branches, calendar, last verdict, goal.

use std::collections::HashMap;
use std::path::Path;

use refgate_core::{Duration, Instant, Policy, freezes_at};
use refgate_gate::Exit;
use refgate_git::releases;
use refgate_report::show;
use refgate_scenario::git_command;

use crate::clone_setup::said;
use crate::command::receive::decision;
use crate::journal::{self, Event};
use crate::output::Failure;
use crate::what_if::WhatIf;
use crate::world::World;

/// The number of newest commits that are shown.
const MAX_COUNT_OPTION: &str = "--max-count=40";

/// The number of days for which the last push is judged again.
const DAYS_AHEAD: i64 = 42;

/// A commit, its lane, and the rows of its parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) author: String,
    pub(crate) subject: String,
    pub(crate) lane: usize,
    pub(crate) parents: Vec<usize>,
    pub(crate) labels: Vec<String>,
}

/// The verdict about the same push on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) date: String,
    pub(crate) accepted: bool,
    pub(crate) rules: Vec<String>,
}

/// Everything that the page and the terminal show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) title: String,
    pub(crate) clock: String,
    /// The stages in fixed lanes, then one lane for all other branches.
    pub(crate) lanes: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// Active freezes and open debts.
    pub(crate) calendar: Vec<String>,
    pub(crate) verdict: Option<String>,
    pub(crate) strip: Vec<Day>,
    pub(crate) missing: Vec<String>,
    pub(crate) task: String,
    pub(crate) events: Vec<Event>,
}

impl View {
    /// Views a training world.
    pub(crate) fn of(world: &World) -> Result<Self, Failure> {
        let now = world.real.clock();
        let policy = world.real.policy();
        let mut view = Self {
            title: world.lesson.title.clone(),
            clock: show(now),
            calendar: calendar(world, now)?,
            missing: world.missing()?,
            task: world.lesson.task.clone(),
            ..Self::default()
        };
        view.draw(&world.real.server(), policy, false)?;
        let mut events = journal::read(&world.root);
        events.reverse();
        events.truncate(12);
        view.events = events;
        view.verdict = decision(world)?.map(|(head, _)| head);
        view.strip = strip(world, now)?;
        Ok(view)
    }

    /// Views a real repository, without a goal, events and verdicts.
    pub(crate) fn of_repository(
        path: &Path,
        policy: &Policy,
        now: Instant,
    ) -> Result<Self, Failure> {
        let mut view =
            Self { title: path.display().to_string(), clock: show(now), ..Self::default() };
        // In a clone, the remote-tracking branches are the branches of the server.
        let mut fetched = git_command(path);
        fetched.args(["for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes/origin"]);
        let stage = |name: &str| policy.flow.stages.iter().any(|one| one.branch.short() == name);
        let cloned = said(&mut fetched)?.lines().any(stage);
        view.draw(path, policy, cloned)?;
        let stages = policy.flow.stages.len();
        if view.rows.iter().all(|row| row.lane == stages) {
            let names: Vec<&String> = view.lanes.iter().take(stages).collect();
            let message = format!(
                "cannot show `{}`: none of its branches is a stage: {names:?}",
                path.display()
            );
            return Err(Failure::new(Exit::BadInput, message));
        }
        Ok(view)
    }

    fn draw(&mut self, repository: &Path, policy: &Policy, cloned: bool) -> Result<(), Failure> {
        let stages: Vec<&str> = policy.flow.stages.iter().map(|one| one.branch.short()).collect();
        self.lanes = stages.iter().map(ToString::to_string).collect();
        let mut log = git_command(repository);
        let format = "--format=%H%x09%P%x09%D%x09%an%x09%s";
        let (decorate, which) = if cloned {
            ("--decorate-refs=refs/remotes/origin/", "--remotes=origin")
        } else {
            ("--decorate-refs=refs/heads/", "--branches")
        };
        log.args(["log", "--topo-order", decorate, "--decorate-refs=refs/tags/"]);
        log.args([MAX_COUNT_OPTION, format, which, "--"]);
        let text = said(&mut log)?;
        let parts: Vec<Vec<&str>> =
            text.lines().map(|line| line.splitn(5, '\t').collect()).collect();
        let part = |row: &[&str], place: usize| row.get(place).map_or("", |text| *text).to_string();
        let places: HashMap<String, usize> =
            parts.iter().enumerate().map(|(at, row)| (part(row, 0), at)).collect();
        for row in &parts {
            let labels = part(row, 2);
            let labels = labels.split(", ").map(|name| {
                let name = name.trim_start_matches("HEAD -> ");
                // `origin/HEAD` is not a branch, it points to one.
                match name.strip_prefix("origin/").filter(|_| cloned) {
                    Some("HEAD") => "",
                    other => other.unwrap_or(name),
                }
            });
            let parents = part(row, 1);
            self.rows.push(Row {
                id: part(row, 0),
                author: part(row, 3),
                subject: part(row, 4),
                lane: stages.len(),
                parents: parents.split(' ').filter_map(|id| places.get(id).copied()).collect(),
                labels: labels.filter(|name| !name.is_empty()).map(ToString::to_string).collect(),
            });
        }
        // The lane of the first stage wins, so it is drawn last.
        for (lane, stage) in stages.iter().enumerate().rev() {
            let tip = self.rows.iter().position(|row| row.labels.iter().any(|name| name == stage));
            let mut at = tip;
            while let Some(place) = at {
                let Some(row) = self.rows.get_mut(place) else { break };
                row.lane = lane;
                at = row.parents.first().copied();
            }
        }
        if self.rows.iter().any(|row| row.lane == stages.len()) {
            self.lanes.push("other branches".to_string());
        }
        Ok(())
    }

    /// Describes a commit in words, for readers who do not see the drawing.
    pub(crate) fn told(&self, row: &Row) -> String {
        let lane = self.lanes.get(row.lane).map_or("", String::as_str);
        let short = row.id.get(..10).unwrap_or(&row.id);
        let merge = if row.parents.len() > 1 { ", a merge" } else { "" };
        let labels = if row.labels.is_empty() {
            String::new()
        } else {
            format!("; refs: {}", row.labels.join(", "))
        };
        format!("{short} on {lane}{merge}: {} ({}){labels}", row.subject, row.author)
    }

    /// Lists the days on which the verdict of the strip changes, in words.
    pub(crate) fn describe_strip(&self) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        let mut last: Option<&Day> = None;
        for day in &self.strip {
            let same =
                last.is_some_and(|one| (one.accepted, &one.rules) == (day.accepted, &day.rules));
            if !same {
                let what = if day.accepted {
                    "accepted".to_string()
                } else {
                    format!("rejected by {}", day.rules.join(", "))
                };
                told.push(format!("from {}: {what}", day.date));
            }
            last = Some(day);
        }
        told
    }
}

/// The active freezes and the open debts.
fn calendar(world: &World, now: Instant) -> Result<Vec<String>, Failure> {
    let policy = world.real.policy();
    let reader = world.reader()?;
    let releases = releases(&reader, &policy.release)?;
    let ledger = refgate_core::LedgerView::assemble(policy, world.real.records());
    let mut all = Vec::new();
    for freeze in freezes_at(policy, &releases, &ledger, now) {
        if freeze.state.closed() {
            let earliest = freeze.window.name.clone();
            all.push(format!("frozen by \"{earliest}\": {}", freeze.window.reason));
        }
    }
    let facts = world.facts(&reader);
    let open_debts = crate::condition::Condition::NoOpenDebt.missing(&facts)?;
    all.extend(open_debts.into_iter().map(|what| format!("debt: {what}")));
    Ok(all)
}

/// Judges the last rejected push again for each of the next days.
fn strip(world: &World, now: Instant) -> Result<Vec<Day>, Failure> {
    let Some(trial) = WhatIf::of(world)? else { return Ok(Vec::new()) };
    let mut days = Vec::new();
    for day in 0..DAYS_AHEAD {
        let at = now + Duration::days(day);
        // Without the pushed commits in the clone, there is no verdict.
        let Some(rules) = trial.rules(at) else { break };
        let date = at.format("%Y-%m-%d").to_string();
        days.push(Day { date, accepted: rules.is_empty(), rules: rules.into_iter().collect() });
    }
    Ok(days)
}
