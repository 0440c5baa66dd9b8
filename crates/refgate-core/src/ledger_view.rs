//! What have people said, and what has been observed? The human facts, as values.
//!
//! Signatures are checked by whoever reads the ledger; what arrives here is
//! authentic and has happened at the moment that it names.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::record_rights::may_make;
use crate::{
    ClassId, EvidenceKind, Instant, Interval, Meaning, Oid, Policy, Record, RecordBody, RecordId,
    RefName, RuleId, Window, WindowSpan,
};

/// Somebody agrees that one thing may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The rule whose question it answers.
    pub rule: RuleId,
    /// Who approves.
    pub by: String,
    /// The reference that it speaks of.
    pub on: RefName,
    /// The commit, the policy's folder, or the value to be deleted.
    pub of: Oid,
    /// When.
    pub at: Instant,
}

/// A bounded exception (docs/design/model.md, "Records and the ledger").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The record.
    pub id: RecordId,
    /// The one rule that it sets aside.
    pub rule: RuleId,
    /// The one reference that it holds for.
    pub on: RefName,
    /// The only class that it holds for, if it says one.
    pub class: Option<ClassId>,
    /// The only commit that it holds for, if it says one.
    pub commit: Option<Oid>,
    /// Who granted it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it holds.
    pub during: Interval,
    /// How many landings it still lets through.
    pub uses_left: u32,
    /// What is owed for it once it was used, by its end.
    pub owes: Option<String>,
}

/// A sign-off of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOff {
    /// What it means.
    pub meaning: Meaning,
    /// Who signs off.
    pub by: String,
    /// The commit that was looked at.
    pub commit: Oid,
    /// Its tree, which is what counts.
    pub tree: Oid,
    /// When.
    pub at: Instant,
}

/// A settled dispute about a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassSettlement {
    /// The commit.
    pub commit: Oid,
    /// Its class.
    pub class: ClassId,
    /// Who says so.
    pub by: String,
    /// When.
    pub at: Instant,
}

/// Something that happened after a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseEvent {
    /// The release's tag.
    pub release: String,
    /// Who says so.
    pub by: String,
    /// Why or what, in their words.
    pub reason: String,
    /// When.
    pub at: Instant,
}

/// A commit that is to be tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The record.
    pub id: RecordId,
    /// The release that it is a candidate for.
    pub release: String,
    /// The first is 1.
    pub number: u32,
    /// The commit.
    pub commit: Oid,
    /// Its tree.
    pub tree: Oid,
    /// When its user acceptance test failed, if it did.
    pub failed: Option<Instant>,
    /// When it was named.
    pub at: Instant,
}

/// A request to delete a protected reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionRequest {
    /// The reference.
    pub name: RefName,
    /// The value that it had.
    pub value: Oid,
    /// Who asked.
    pub by: String,
    /// When; the cooling-off period begins.
    pub at: Instant,
}

/// A fix that need not go somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotApplicable {
    /// The fix.
    pub fix: Oid,
    /// The branch.
    pub to: RefName,
}

/// A passed course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Who passed it.
    pub person: String,
    /// The course.
    pub course: String,
    /// When it counts.
    pub during: Interval,
}

/// All human facts that a decision may rest on.
#[derive(Debug, Clone, Default)]
pub struct LedgerView {
    /// Approvals.
    pub approvals: Vec<Approval>,
    /// Waivers.
    pub waivers: Vec<Waiver>,
    /// The waivers of which what they owed is done.
    pub settlements: Vec<RecordId>,
    /// Sign-offs of trees.
    pub sign_offs: Vec<SignOff>,
    /// Settled classes.
    pub settled: Vec<ClassSettlement>,
    /// Completed production runs.
    pub runs: Vec<ReleaseEvent>,
    /// Notices to the stakeholders.
    pub notices: Vec<ReleaseEvent>,
    /// Problems that are open.
    pub blockers: Vec<ReleaseEvent>,
    /// Sign-offs of a freeze's end.
    pub exits: Vec<ReleaseEvent>,
    /// Iterations that were opened.
    pub iterations: Vec<ReleaseEvent>,
    /// Releases whose notes and documentation are done.
    pub finished: Vec<ReleaseEvent>,
    /// Freezes that somebody ordered, as windows.
    pub stops: Vec<Window>,
    /// Candidates, failed ones too.
    pub candidates: Vec<Candidate>,
    /// Deletion requests.
    pub deletions: Vec<DeletionRequest>,
    /// Fixes that need not go everywhere.
    pub not_applicable: Vec<NotApplicable>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
}

impl LedgerView {
    /// What records say together. Withdrawn ones say nothing any more, nor do
    /// those that permit and whose makers may no longer make them. One that
    /// forbids was admitted when its maker had the role, and stays.
    #[must_use]
    pub fn assemble(policy: &Policy, records: &[Record]) -> Self {
        let mut view = Self::default();
        let counts = |r: &&Record| r.body.forbids() || may_make(policy, r);
        let valid: Vec<&Record> = records.iter().filter(counts).collect();
        let gone = |id: RecordId| {
            valid.iter().any(|r| matches!(&r.body, RecordBody::Withdrawal { of, .. } if *of == id))
        };
        for record in valid.iter().filter(|record| !gone(record.id)) {
            view.enter(policy, record, &valid);
        }
        view
    }

    fn enter(&mut self, policy: &Policy, record: &Record, all: &[&Record]) {
        let (by, at) = (record.by.clone(), record.at);
        let after = |release: &String| ReleaseEvent {
            release: release.clone(),
            by: record.by.clone(),
            reason: record.reason.clone(),
            at,
        };
        match &record.body {
            RecordBody::Approval { rule, on, of } => {
                self.approvals.push(Approval { rule: *rule, by, on: on.clone(), of: *of, at });
            }
            RecordBody::SignOff { meaning, commit, tree } => {
                let (meaning, commit, tree) = (*meaning, *commit, *tree);
                self.sign_offs.push(SignOff { meaning, by, commit, tree, at });
            }
            RecordBody::Classification { commit, class } => {
                if let Some(class) = policy.classes.find(class) {
                    self.settled.push(ClassSettlement { commit: *commit, class, by, at });
                }
            }
            RecordBody::FreezeExit { release } => self.exits.push(after(release)),
            RecordBody::Iteration { release } => self.iterations.push(after(release)),
            RecordBody::ReleaseFinish { release } => self.finished.push(after(release)),
            RecordBody::Evidence { what, release } => match what {
                EvidenceKind::ProductionRun => self.runs.push(after(release)),
                EvidenceKind::Notice => self.notices.push(after(release)),
                EvidenceKind::Blocker => self.blockers.push(after(release)),
            },
            RecordBody::Waiver { .. } => self.waivers.extend(waiver(policy, record)),
            RecordBody::Settlement { of, .. } => self.settlements.push(*of),
            RecordBody::Freeze { .. } => self.stops.extend(stop(policy, record, all)),
            RecordBody::Candidate { release, number, commit, tree } => {
                let failed = all.iter().find(
                    |r| matches!(&r.body, RecordBody::UatFailed { of, .. } if *of == record.id),
                );
                self.candidates.push(Candidate {
                    id: record.id,
                    release: release.clone(),
                    number: *number,
                    commit: *commit,
                    tree: *tree,
                    failed: failed.map(|record| record.at),
                    at,
                });
            }
            RecordBody::DeletionRequest { on, value } => {
                let (name, value) = (on.clone(), *value);
                self.deletions.push(DeletionRequest { name, value, by, at });
            }
            RecordBody::NotApplicable { fix, to } => {
                self.not_applicable.push(NotApplicable { fix: *fix, to: to.clone() });
            }
            RecordBody::Certificate { person, course, until } => {
                if let Some(during) = Interval::new(at, *until).filter(|_| by != *person) {
                    let (person, course) = (person.clone(), course.clone());
                    self.certificates.push(Certificate { person, course, during });
                }
            }
            RecordBody::Thaw { .. }
            | RecordBody::UatFailed { .. }
            | RecordBody::Withdrawal { .. }
            | RecordBody::ReleaseOpen { .. } => {}
        }
    }
}

fn waiver(policy: &Policy, record: &Record) -> Option<Waiver> {
    let RecordBody::Waiver { rule, on, class, commit, until, uses, owes } = &record.body else {
        return None;
    };
    // A class that the policy no longer has is none that anything could be of.
    let class = match class {
        Some(name) => Some(policy.classes.find(name)?),
        None => None,
    };
    let cap = crate::freeze::after(record.at, policy.waivers.longest);
    Some(Waiver {
        id: record.id,
        rule: *rule,
        on: on.clone(),
        class,
        commit: *commit,
        by: record.by.clone(),
        reason: record.reason.clone(),
        during: Interval::new(record.at, (*until).min(cap))?,
        uses_left: *uses,
        owes: owes.clone(),
    })
}

fn stop(policy: &Policy, record: &Record, all: &[&Record]) -> Option<Window> {
    let RecordBody::Freeze { stages, lets_through, until } = &record.body else { return None };
    let thaws =
        all.iter().filter(|r| matches!(&r.body, RecordBody::Thaw { of } if *of == record.id));
    let end = thaws.map(|thaw| thaw.at).min().map_or(*until, |thaw| thaw.min(*until));
    let flow = policy.flow.stages.iter().enumerate();
    let covered = flow.filter(|(_, stage)| stages.iter().any(|name| stage.branch.short() == name));
    let lines =
        policy.flow.lines.iter().any(|line| stages.iter().any(|s| line.branches.as_str() == s));
    Some(Window {
        name: format!("stop {}", record.id.short()),
        reason: format!("{} (ordered by {})", record.reason, record.by),
        stages: covered.map(|(place, _)| place).collect(),
        lines,
        lets_through: lets_through.iter().filter_map(|name| policy.classes.find(name)).collect(),
        fast_track: Vec::new(),
        approvers: String::new(),
        span: WindowSpan::Fixed(Vec::from_iter(Interval::new(record.at, end))),
    })
}
