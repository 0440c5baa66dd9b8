//! Gathers the state of a repository for `refgate status`: stages, freezes, debts and follow-ups.

use std::collections::HashSet;

use refgate_core::{
    Actor, Candidate, Debt, Freeze, Instant, LedgerView, Oid, RecordId, Verdict, Waiver, freezes_at,
};
use refgate_git::{Graph, ServerSurvey, debts, releases, stage_tips};

use crate::check::{CheckError, CheckResult, ProposedUpdate, check};
use crate::judge::ServerState;
use crate::ledger_reader::LedgerError;
use crate::log_entry::uses;

/// A stage with the commits that wait for promotion to it.
#[derive(Debug)]
pub struct StageStatus {
    /// The branch of the stage.
    pub branch: String,
    /// The environment of the stage.
    pub environment: String,
    /// The tip of the branch, if the branch exists.
    pub tip: Option<Oid>,
    /// The number of commits of the previous stage that this stage does not contain.
    pub waiting: usize,
    /// The decision about a promotion of the previous stage to this stage now.
    pub promotion: Option<CheckResult>,
}

/// The state of a repository.
#[derive(Debug)]
pub struct Overview {
    /// The time of the overview.
    pub at: Instant,
    /// The stages, in the order of the flow.
    pub stages: Vec<StageStatus>,
    /// The facts from the ledger.
    pub ledger: LedgerView,
    /// The releases and the tips of the stages.
    pub survey: ServerSurvey,
    /// The open debts.
    pub debts: Vec<Debt>,
    /// Whether the audit log is present. Without it, the uses of waivers are not known.
    pub logged: bool,
    /// The open follow-ups of the last release and of used waivers.
    pub follow_ups: Vec<FollowUp>,
}

/// A task that must be done after a release (docs/design/model.md, "Promotion and release") or
/// after the use of a waiver (docs/design/model.md, "Records and the ledger").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowUp {
    /// The production stage has commits without a release tag.
    Tag {
        /// The branch of the production stage.
        branch: String,
        /// The number of commits since the last release.
        commits: usize,
        /// The tag of the last release.
        since: String,
    },
    /// No record states that release notes and documentation are done.
    Finish {
        /// The tag of the release.
        tag: String,
    },
    /// The follow-up of a used waiver.
    Waiver {
        /// The id of the waiver.
        id: RecordId,
        /// The follow-up, as the signer of the waiver describes it.
        owes: String,
        /// The due time of the follow-up: the end of the waiver.
        due: Instant,
    },
}

impl Overview {
    /// The freezes with their states.
    #[must_use]
    pub fn freezes<'a>(&'a self, policy: &'a refgate_core::Policy) -> Vec<Freeze<'a>> {
        freezes_at(policy, &self.survey.releases, &self.ledger, self.at)
    }

    /// The candidates of releases that are not tagged yet, failed ones included.
    #[must_use]
    pub fn candidates(&self) -> Vec<&Candidate> {
        let released = |tag: &str| self.survey.releases.iter().any(|release| release.tag == tag);
        let open = |one: &&Candidate| !released(&one.release);
        self.ledger.candidates.iter().filter(open).collect()
    }

    /// The waivers that can still be used.
    #[must_use]
    pub fn waivers(&self) -> Vec<&Waiver> {
        let holds = |waiver: &&Waiver| waiver.during.contains(self.at) && waiver.uses_left > 0;
        self.ledger.waivers.iter().filter(holds).collect()
    }
}

/// Gathers the state of a repository at a time, as `actor` would see it.
///
/// # Errors
/// Returns an error if a fact cannot be read.
pub fn overview(
    rest: &ServerState<'_>,
    actor: Option<&Actor>,
    at: Instant,
) -> Result<Overview, CheckError> {
    let (reader, policy) = (rest.reader, rest.policy);
    let releases = releases(reader, &policy.release)?;
    let survey = ServerSurvey { releases, tips: stage_tips(reader, &policy.flow)? };
    let graph = Graph::new(reader);
    let mut debts = debts(reader, &graph, &policy.flow, &survey.tips, rest.baseline, at)?;
    crate::date_debts(reader, &policy.flow, &mut debts)?;
    let mut records = rest.records.calendar_records(policy, &survey, at)?;
    let last = survey.releases.last();
    let tag = last.map(|release| release.tag.as_str());
    records.extend(rest.records.overview(reader, policy, (&debts, tag))?);
    let mut ledger = LedgerView::assemble(policy, &records);
    let mut waiver_follow_ups = Vec::new();
    for waiver in &mut ledger.waivers {
        let used = uses(reader, waiver.id).map_err(LedgerError::Git)?;
        waiver.uses_left = waiver.uses_left.saturating_sub(used);
        let open = used > 0 && !ledger.settlements.contains(&waiver.id);
        waiver_follow_ups.extend(waiver.owes.clone().filter(|_| open).map(|owes| {
            let (id, due) = (waiver.id, waiver.during.end);
            FollowUp::Waiver { id, owes, due }
        }));
    }
    // A waiver stays visible after its end for as long as the longest waiver lasts.
    let from = at.checked_sub_signed(policy.waivers.longest).unwrap_or(at);
    ledger.waivers.retain(|waiver| waiver.during.end >= from);
    let mut stages = Vec::new();
    for (place, stage) in policy.flow.stages.iter().enumerate() {
        let tip = survey.tips.get(&place).copied();
        let before = place.checked_sub(1).and_then(|before| survey.tips.get(&before).copied());
        let (mut waiting, mut promotion) = (0, None);
        if let (Some(before), Some(tip)) = (before, tip) {
            waiting = graph.fresh(before, &[tip], &HashSet::new())?.len();
            if waiting > 0 {
                let proposed_update = ProposedUpdate {
                    revision: Some(before.to_string()),
                    name: stage.branch.clone(),
                };
                promotion = Some(check(rest, (actor.cloned(), at), &[proposed_update], &[])?);
            }
        }
        stages.push(StageStatus {
            branch: stage.branch.short().to_string(),
            environment: stage.environment.clone(),
            tip,
            waiting,
            promotion,
        });
    }
    let mut follow_ups = follow_ups(rest, &graph, &survey, &ledger)?;
    follow_ups.extend(waiver_follow_ups);
    let logged = reader.log_tip()?.is_some();
    Ok(Overview { at, stages, ledger, survey, debts, logged, follow_ups })
}

fn follow_ups(
    rest: &ServerState<'_>,
    graph: &Graph<'_>,
    survey: &ServerSurvey,
    ledger: &LedgerView,
) -> Result<Vec<FollowUp>, CheckError> {
    let mut all = Vec::new();
    let Some(last) = survey.releases.last() else { return Ok(all) };
    let stages = rest.policy.flow.stages.iter().enumerate();
    for (place, stage) in stages.filter(|(_, stage)| stage.production) {
        let Some(tip) = survey.tips.get(&place) else { continue };
        let commits = graph.fresh(*tip, &[last.commit], &HashSet::new())?.len();
        let (branch, since) = (stage.branch.short().to_string(), last.tag.clone());
        all.extend((commits > 0).then_some(FollowUp::Tag { branch, commits, since }));
    }
    let done = ledger.finished.iter().any(|after| after.release == last.tag);
    if !done && rest.reader.ledger_tip()?.is_some() {
        all.push(FollowUp::Finish { tag: last.tag.clone() });
    }
    Ok(all)
}

impl StageStatus {
    /// Whether a promotion of the previous stage would be accepted now.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.promotion.as_ref().is_some_and(|c| c.judged.decision.verdict == Verdict::Accept)
    }
}
