//! Collects the valid records of the ledger into the facts that rules use.
//!
//! It does not check signatures. The reader of the ledger has verified them, and has
//! checked the time of each record.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::record_rights::may_make;
use crate::record_rights::may_withdraw_failure;
use crate::{
    Absence, Approval, Candidate, CandidateFailure, Certificate, ClassSettlement, DeletionRequest,
    EvidenceKind, Interval, NotApplicable, Policy, Record, RecordBody, RecordId, ReleaseEvent,
    SignOff, Waiver, Window, WindowSpan,
};

/// All facts from the ledger that a decision can use.
#[derive(Debug, Clone, Default)]
pub struct LedgerView {
    /// Approvals.
    pub approvals: Vec<Approval>,
    /// Waivers.
    pub waivers: Vec<Waiver>,
    /// The waivers whose follow-up is done.
    pub settlements: Vec<RecordId>,
    /// Sign-offs of trees.
    pub sign_offs: Vec<SignOff>,
    /// Signed classifications.
    pub settled: Vec<ClassSettlement>,
    /// Completed production runs.
    pub runs: Vec<ReleaseEvent>,
    /// Notices to the stakeholders.
    pub notices: Vec<ReleaseEvent>,
    /// Blockers.
    pub blockers: Vec<ReleaseEvent>,
    /// Sign-offs of the end of a freeze.
    pub exits: Vec<ReleaseEvent>,
    /// Iterations that are open.
    pub iterations: Vec<ReleaseEvent>,
    /// Releases whose notes and documentation are done.
    pub finished: Vec<ReleaseEvent>,
    /// Freezes that a record ordered, as windows.
    pub stops: Vec<Window>,
    /// Candidates, including failed ones.
    pub candidates: Vec<Candidate>,
    /// Deletion requests.
    pub deletions: Vec<DeletionRequest>,
    /// Fixes that do not apply to a branch.
    pub not_applicable: Vec<NotApplicable>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// Absences.
    pub absences: Vec<Absence>,
}

impl LedgerView {
    /// Collects the records into one view. A withdrawn record does not count. A record that
    /// permits something counts only while its maker has the role for it. A record that
    /// forbids something stays valid without the role: it was valid when it was accepted.
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
            run: None,
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
            RecordBody::Evidence { what, release, run } => match what {
                EvidenceKind::ProductionRun => {
                    self.runs.push(ReleaseEvent { run: run.clone(), ..after(release) });
                }
                EvidenceKind::Notice => self.notices.push(after(release)),
                EvidenceKind::Blocker => self.blockers.push(after(release)),
            },
            RecordBody::Waiver { .. } => self.waivers.extend(waiver(policy, record)),
            RecordBody::Settlement { of, .. } => self.settlements.push(*of),
            RecordBody::Freeze { .. } => self.stops.extend(stop(policy, record, all)),
            RecordBody::Candidate { release, number, commit, tree } => {
                self.candidates.push(Candidate {
                    id: record.id,
                    release: release.clone(),
                    number: *number,
                    commit: *commit,
                    tree: *tree,
                    failed: failure(policy, record.id, all),
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
            RecordBody::Absence { person, until } => {
                let person = person.clone();
                let during = Interval::new(at, *until);
                self.absences.extend(during.map(|during| Absence { person, by, during }));
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

/// The failure of a candidate that stands, or else the last one that was withdrawn. Only a
/// person who could have recorded it can withdraw it.
fn failure(policy: &Policy, candidate: RecordId, all: &[&Record]) -> Option<CandidateFailure> {
    let failures = all
        .iter()
        .filter(|r| matches!(&r.body, RecordBody::UatFailed { of, .. } if *of == candidate));
    let failures = failures.map(|record| {
        let withdrawals = all.iter().filter(|r| {
            matches!(&r.body, RecordBody::Withdrawal { of, .. } if *of == record.id)
                && may_withdraw_failure(policy, &r.by, &record.body)
        });
        CandidateFailure {
            id: record.id,
            by: record.by.clone(),
            reason: record.reason.clone(),
            at: record.at,
            withdrawn_by: withdrawals.map(|r| r.by.clone()).min(),
        }
    });
    failures.min_by_key(|failure| (failure.withdrawn_by.is_some(), failure.at, failure.id))
}

fn waiver(policy: &Policy, record: &Record) -> Option<Waiver> {
    let RecordBody::Waiver { rule, on, class, commit, until, uses, owes } = &record.body else {
        return None;
    };
    // A class that the policy no longer has applies to no change.
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
        persons: 1,
        span: WindowSpan::Fixed(Vec::from_iter(Interval::new(record.at, end))),
    })
}
