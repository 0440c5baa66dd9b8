//! Finds changes that make the last rejected push pass. Each is tested with the gate's own `check`.

use std::collections::BTreeSet;

use refgate_core::rules::PolicyChangeViolation;
use refgate_core::{
    Actor, Duration, EvidenceKind, Instant, Oid, Policy, Record, RecordBody, RecordId, RefChange,
    RefName, Requirement, RuleId, Violation, last_major, roles_that_may_make,
};
use refgate_format::{PolicySource, Signers, parse_instant};
use refgate_gate::{
    CheckResult, ProposedUpdate, Records, ServerState, Setup, bounds, check, find_earliest,
};
use refgate_git::{Reader, releases};
use refgate_report::show;
use refgate_scenario::REPOSITORY;
use serde_json::Value;

use crate::command::receive::decision;
use crate::output::Failure;
use crate::world::{World, failed};

/// The number of commits that are left out, one after another.
const MOST_COMMITS: usize = 20;

/// Of up to this many records, each smaller choice is tried: 2,047 at most, in a second.
const MOST_RECORDS: usize = 11;

/// The last rejected push and its updates.
pub(crate) struct WhatIf<'w> {
    world: &'w World,
    reader: Reader,
    source: PolicySource,
    actor: Option<Actor>,
    proposals: Vec<ProposedUpdate>,
    now: Instant,
}

impl<'w> WhatIf<'w> {
    /// The last push, if it was rejected and the learner's clone can judge it.
    pub(crate) fn of(world: &'w World) -> Result<Option<Self>, Failure> {
        let Some((_, object)) = decision(world)? else { return Ok(None) };
        let text = |value: &Value, key: &str| {
            value.get(key).and_then(Value::as_str).map(ToString::to_string)
        };
        if text(&object, "verdict").as_deref() != Some("reject") {
            return Ok(None);
        }
        let wish = |update: &Value| {
            let name = RefName::parse(&text(update, "ref")?).ok()?;
            Some(ProposedUpdate { revision: text(update, "new"), name })
        };
        let updates = object.get("updates").and_then(Value::as_array);
        let proposals = updates.into_iter().flatten().filter_map(wish).collect();
        let limits = bounds(&refgate_format::Limits::default());
        let Ok(mut reader) = Reader::open(&world.you(), limits) else { return Ok(None) };
        reader.use_remote("origin");
        let (actor, now) = (text(&object, "actor").map(Actor), world.real.clock());
        let setup = Setup::read(&world.real.server()).map_err(failed)?;
        let source = setup.settings.policy;
        let trial = Self { world, reader, source, actor, proposals, now };
        // If the clone does not give the findings of the server, it can test nothing.
        let met = object.get("rules").and_then(Value::as_array).into_iter().flatten();
        let met: BTreeSet<String> =
            met.filter_map(Value::as_str).map(ToString::to_string).collect();
        let then = text(&object, "at").and_then(|at| parse_instant(&at));
        let known = match text(&object, "ledger").and_then(|hex| Oid::from_hex(&hex)) {
            Some(tip) => world.reader()?.ledger_delta(None, tip)?.added.len(),
            None => 0,
        };
        let records = world.real.records().get(..known).unwrap_or_default();
        let again = then.and_then(|at| trial.met(at, records));
        Ok((again == Some(met)).then_some(trial))
    }

    /// Judges the push at another time with more records, if the clone has its commits.
    fn judged(
        &self,
        at: Instant,
        more: &[Record],
        proposals: &[ProposedUpdate],
    ) -> Option<CheckResult> {
        let records = [self.world.real.records(), more].concat();
        self.with(&records, |rest| check(rest, (self.actor.clone(), at), proposals, &[]).ok())
    }

    fn with<T>(&self, records: &[Record], ask: impl FnOnce(&ServerState<'_>) -> T) -> T {
        let signers = Signers::default();
        ask(&ServerState {
            reader: &self.reader,
            policy: self.world.real.policy(),
            source: &self.source,
            policy_hash: "",
            signers: &signers,
            records: Records::Given(records),
            repositories: &[REPOSITORY.to_string()],
            baseline: None,
        })
    }

    /// The rules with findings at a time.
    pub(crate) fn rules(&self, at: Instant) -> Option<BTreeSet<String>> {
        self.met(at, self.world.real.records())
    }

    fn met(&self, at: Instant, records: &[Record]) -> Option<BTreeSet<String>> {
        let asked = (self.actor.clone(), at);
        let checked = self.with(records, |rest| check(rest, asked, &self.proposals, &[]).ok())?;
        let found = &checked.judged.decision.findings;
        Some(found.iter().map(|one| one.rule.name().to_string()).collect())
    }

    /// The smallest changes that make the push pass: a later day, fewer commits, or a
    /// smallest set of records. Each is tested.
    pub(crate) fn smallest(&self) -> Vec<String> {
        let records = self.world.real.records();
        let later = self.with(records, |rest| {
            find_earliest(rest, (self.actor.clone(), self.now), &self.proposals).ok()
        });
        let later = later.map(|later| (later.push.at, passes(&later)));
        let mut all = Vec::new();
        if let Some((at, true)) = later {
            all.push(format!("the same push, from {} on (`refgate-sim tick`)", show(at)));
        }
        let needed_records =
            self.needed_records(self.now, false).map(|told| format!("now, {told}"));
        let cooled = (self.now + self.world.real.policy().deletion.cooling_off, false);
        let deletes = self.proposals.iter().any(|wish| wish.revision.is_none());
        let later = later.filter(|(at, passes)| *at > self.now && !passes);
        let later = later.or(deletes.then_some(cooled));
        let later = || {
            let (at, _) = later?;
            Some(format!("from {} on, {}", show(at), self.needed_records(at, false)?))
        };
        let waived = || self.needed_records(self.now, true).map(|told| format!("now, {told}"));
        let ways = match needed_records {
            Some(needed_records) => vec![needed_records],
            None => [later(), waived()].into_iter().flatten().collect(),
        };
        all.extend(ways.into_iter().map(|way| format!("the same push, {way}")));
        all.extend(self.fewer());
        all
    }

    /// The smallest set of possible records with which the push passes at a time.
    fn needed_records(&self, at: Instant, waived: bool) -> Option<String> {
        let all = self.possible(&self.judged(at, &[], &self.proposals)?, at, waived);
        let mut needed = all.clone();
        let passes = |records: &[Record]| {
            self.judged(at, records, &self.proposals).is_some_and(|again| passes(&again))
        };
        if !passes(&needed) {
            return None;
        }
        for place in (0..needed.len()).rev() {
            let one = needed.remove(place);
            if !passes(&needed) {
                needed.insert(place, one);
            }
        }
        // Each record of this set is needed, but another set can be smaller.
        if all.len() <= MOST_RECORDS {
            needed = smallest_choice(&all, needed.len(), passes).unwrap_or(needed);
        }
        let told: Vec<String> = needed.iter().map(told).collect();
        Some(format!("if this is recorded first: {}", told.join("; ")))
    }

    /// The records that people could make about the findings: waivers, or all others.
    fn possible(&self, checked: &CheckResult, at: Instant, waived: bool) -> Vec<Record> {
        let policy = self.world.real.policy();
        let mut bodies: Vec<(String, RecordBody)> = Vec::new();
        let until = at + Duration::days(1);
        for finding in &checked.judged.decision.findings {
            let Some(update) = checked.push.updates.get(finding.update) else { continue };
            let (rule, on) = (finding.rule, update.name.clone());
            let of = match finding.violation {
                Violation::PolicyChange(PolicyChangeViolation::NotApproved { folder, .. }) => {
                    Some(folder)
                }
                _ => finding.landing.or(update.change.new_value()).or(update.change.old_value()),
            };
            match (&finding.requirement, of) {
                _ if waived => {
                    let body = RecordBody::Waiver {
                        rule,
                        on,
                        class: None,
                        commit: None,
                        until,
                        uses: 1,
                        owes: None,
                    };
                    bodies.extend(records_by_role(policy, &policy.waivers.approvers, &body));
                }
                (Requirement::Needs { role }, Some(of)) => {
                    bodies.extend(records_by_role(
                        policy,
                        role,
                        &RecordBody::Approval { rule, on, of },
                    ));
                }
                _ => {}
            }
        }
        if !waived {
            let rules = checked.judged.decision.findings.iter().map(|one| one.rule);
            let rules: BTreeSet<RuleId> = rules.collect();
            bodies.extend(
                self.gate(checked, until)
                    .into_iter()
                    .filter(|_| rules.contains(&RuleId::ReleaseGate)),
            );
            bodies.extend(
                self.thaw_records(at).into_iter().filter(|_| rules.contains(&RuleId::Freeze)),
            );
        }
        let record = |(number, (by, body)): (u8, (String, RecordBody))| {
            // Cooling-off periods start with the record, so it is made now, not at `at`.
            let at = self.now;
            let (repository, reason) = (REPOSITORY.to_string(), "tried".to_string());
            Record { id: RecordId([number; 32]), by, at, repository, reason, link: None, body }
        };
        if let (false, Some(Actor(by))) = (waived, &self.actor) {
            bodies.extend(self.deletion(checked).into_iter().map(|body| (by.clone(), body)));
        }
        (1..=u8::MAX).zip(bodies).map(record).collect()
    }

    /// The sign-offs and certificates that the release gate requires.
    fn gate(&self, checked: &CheckResult, until: Instant) -> Vec<(String, RecordBody)> {
        let policy = self.world.real.policy();
        let mut all = Vec::new();
        let shipped = checked.push.updates.iter().find_map(|one| one.change.new_value());
        let tree = shipped.and_then(|id| Some((id, self.reader.commit(id).ok()?.tree)));
        for wanted in &policy.gate.sign_offs {
            let Some((commit, tree)) = tree else { continue };
            let body = RecordBody::SignOff { meaning: wanted.meaning, commit, tree };
            all.extend(records_by_role(policy, &wanted.role, &body));
        }
        if let (Some(course), Some(Actor(person))) = (&policy.gate.course, &self.actor) {
            let (person, course) = (person.clone(), course.clone());
            let body = RecordBody::Certificate { person, course, until };
            all.extend(records_by_role(policy, &policy.ledger.trainers, &body));
        }
        all
    }

    /// The requests for the deletions of the push.
    fn deletion(&self, checked: &CheckResult) -> Vec<RecordBody> {
        let asked = checked.push.updates.iter().filter_map(|update| match update.change {
            RefChange::Delete { old } => {
                Some(RecordBody::DeletionRequest { on: update.name.clone(), value: old })
            }
            _ => None,
        });
        asked.collect()
    }

    /// The evidence and sign-offs that end the freeze after the last major release.
    fn thaw_records(&self, at: Instant) -> Vec<(String, RecordBody)> {
        let policy = self.world.real.policy();
        let releases = releases(&self.reader, &policy.release).unwrap_or_default();
        let Some(release) = last_major(&releases, at).map(|one| one.tag.clone()) else {
            return Vec::new();
        };
        let seen = |what, run: Option<u32>| RecordBody::Evidence {
            what,
            release: release.clone(),
            run: run.map(|number| format!("run-{number}")),
        };
        let run = |number| seen(EvidenceKind::ProductionRun, Some(number));
        let notice = seen(EvidenceKind::Notice, None);
        let bodies = [run(1), run(2), run(3), notice, RecordBody::FreezeExit { release }];
        bodies
            .into_iter()
            .flat_map(|body| {
                let roles = roles_that_may_make(policy, &body).unwrap_or_default();
                roles
                    .iter()
                    .flat_map(|role| records_by_role(policy, role, &body))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// The same push up to the latest earlier commit that passes.
    fn fewer(&self) -> Option<String> {
        let [wish] = self.proposals.as_slice() else { return None };
        let mut at: Oid = self.reader.resolve(wish.revision.as_ref()?).ok()?;
        let old = self.reader.reference(&wish.name).ok()?.map(|(tip, _)| tip);
        let mut left = Vec::new();
        for _ in 0..MOST_COMMITS {
            let commit = self.reader.commit(at).ok()?;
            left.push(format!("{} \"{}\"", at.short(), commit.message.subject()));
            at = commit.parents.first().copied().filter(|parent| Some(*parent) != old)?;
            let proposals =
                [ProposedUpdate { revision: Some(at.to_string()), name: wish.name.clone() }];
            let checked = self.judged(self.now, &[], &proposals)?;
            if checked.judged.decision.findings.is_empty() && !checked.push.updates.is_empty() {
                let (short, name) = (at.short(), wish.name.short());
                let without = left.join(", ");
                return Some(format!("without {without}:\ngit push origin {short}:{name}"));
            }
        }
        None
    }
}

/// The smallest choice of `all`, below this size, with which the push passes.
fn smallest_choice(
    all: &[Record],
    below: usize,
    passes: impl Fn(&[Record]) -> bool,
) -> Option<Vec<Record>> {
    let chosen = |of: u32| {
        let which = |(place, _): &(usize, &Record)| of & (1 << place) != 0;
        all.iter().enumerate().filter(which).map(|(_, one)| one.clone()).collect::<Vec<_>>()
    };
    let sized =
        |size: usize| (1_u32..1 << all.len()).filter(move |one| one.count_ones() as usize == size);
    (1..below).flat_map(sized).map(chosen).find(|some| passes(some))
}

fn passes(checked: &CheckResult) -> bool {
    checked.judged.decision.findings.is_empty()
}

/// One record body for each person with a role.
fn records_by_role(policy: &Policy, role: &str, body: &RecordBody) -> Vec<(String, RecordBody)> {
    policy.roles.people(role).iter().map(|by| (by.clone(), body.clone())).collect()
}

/// Describes a record with the verb that makes it.
fn told(record: &Record) -> String {
    let by = &record.by;
    match &record.body {
        RecordBody::Approval { rule, .. } => format!("{by} approves ({})", rule.name()),
        RecordBody::Waiver { rule, .. } => format!("{by} waives {}", rule.name()),
        RecordBody::SignOff { meaning, .. } => format!("{by} signs off {}", meaning.name()),
        RecordBody::Certificate { person, course, .. } => {
            format!("{by} certifies {person} in {course}")
        }
        RecordBody::Evidence { what, .. } => format!("{by} records a {}", what.name()),
        RecordBody::DeletionRequest { on, .. } => format!("{by} asks to delete {}", on.short()),
        RecordBody::FreezeExit { .. } => format!("{by} signs off the end of the freeze"),
        other => format!("{} by {by}", other.kind()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(by: &str) -> Record {
        let (repository, reason) = (REPOSITORY.to_string(), String::new());
        let body = RecordBody::FreezeExit { release: "v1".to_string() };
        let (by, at) = (by.to_string(), Instant::UNIX_EPOCH);
        Record { id: RecordId([1; 32]), by, at, repository, reason, link: None, body }
    }

    #[test]
    fn prefers_one_sufficient_record_to_two_necessary_ones() {
        let all = ["ana", "ben", "cem"].map(exit);
        let named = |some: &[Record], by: &str| some.iter().any(|one| one.by == by);
        let passes =
            |some: &[Record]| named(some, "cem") || (named(some, "ana") && named(some, "ben"));
        let found = smallest_choice(&all, 2, passes).unwrap_or_default();
        assert_eq!(found.iter().map(|one| one.by.as_str()).collect::<Vec<_>>(), ["cem"]);
        assert!(smallest_choice(&all, 2, |some| some.len() > 1).is_none());
    }
}
