//! How do things stand? Everything that a release manager looks up in the morning, as one value.

use std::collections::HashSet;

use refgate_core::{
    Actor, Candidate, Debt, Freeze, Instant, LedgerView, Oid, RecordId, Verdict, Waiver, freezes_at,
};
use refgate_git::{Graph, ServerSurvey, debts, releases, stage_tips};

use crate::check::{CheckError, CheckResult, ProposedUpdate, check};
use crate::judge::ServerState;
use crate::ledger_reader::LedgerError;
use crate::log_entry::uses;

/// One stage, and what waits to come to it.
#[derive(Debug)]
pub struct StageStatus {
    /// The branch.
    pub branch: String,
    /// Its environment.
    pub environment: String,
    /// Its tip, if it exists.
    pub tip: Option<Oid>,
    /// How many commits the stage before has that it lacks.
    pub waiting: usize,
    /// What the server would say if the stage before were promoted now.
    pub promotion: Option<CheckResult>,
}

/// The state of everything.
#[derive(Debug)]
pub struct Overview {
    /// When.
    pub at: Instant,
    /// The stages, in order.
    pub stages: Vec<StageStatus>,
    /// The human facts that concern it.
    pub ledger: LedgerView,
    /// Survey of releases.
    pub survey: ServerSurvey,
    /// What is owed.
    pub debts: Vec<Debt>,
    /// Whether the server's log is here, which counts the uses of waivers.
    pub logged: bool,
    /// What the last release and waivers still owe.
    pub follow_ups: Vec<FollowUp>,
}

/// What a release owes beside its deployment (docs/design/model.md, "Promotion and release"), and what a waiver that
/// was used does (docs/design/model.md, "Records and the ledger").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowUp {
    /// Production holds what no release names.
    Tag {
        /// Its branch.
        branch: String,
        /// So many commits since the last release.
        commits: usize,
        /// The last release.
        since: String,
    },
    /// Nobody has said that notes and documentation are done.
    Finish {
        /// The release.
        tag: String,
    },
    /// What was promised for a waiver that has been used.
    Waiver {
        /// The waiver.
        id: RecordId,
        /// What, in its maker's words.
        owes: String,
        /// When it must be done: the waiver's end.
        due: Instant,
    },
}

impl Overview {
    /// The freezes that were or are in force.
    #[must_use]
    pub fn freezes<'a>(&'a self, policy: &'a refgate_core::Policy) -> Vec<Freeze<'a>> {
        freezes_at(policy, &self.survey.releases, &self.ledger, self.at)
    }

    /// Candidates that are open: neither failed nor released.
    #[must_use]
    pub fn candidates(&self) -> Vec<&Candidate> {
        let released = |tag: &str| self.survey.releases.iter().any(|release| release.tag == tag);
        let open = |one: &&Candidate| one.failed.is_none() && !released(&one.release);
        self.ledger.candidates.iter().filter(open).collect()
    }

    /// Waivers that can still be used.
    #[must_use]
    pub fn waivers(&self) -> Vec<&Waiver> {
        let holds = |waiver: &&Waiver| waiver.during.contains(self.at) && waiver.uses_left > 0;
        self.ledger.waivers.iter().filter(holds).collect()
    }
}

/// Looks everything up.
///
/// # Errors
/// If something cannot be read.
pub fn overview(
    rest: &ServerState<'_>,
    actor: Option<&Actor>,
    at: Instant,
) -> Result<Overview, CheckError> {
    let (reader, policy) = (rest.reader, rest.policy);
    let releases = releases(reader, &policy.release)?;
    let survey = ServerSurvey { releases, tips: stage_tips(reader, &policy.flow)? };
    let graph = Graph::new(reader);
    let debts = debts(reader, &graph, &policy.flow, &survey.tips, rest.baseline, at)?;
    let mut records = rest.records.early(policy, &survey, at)?;
    let last = survey.releases.last();
    let tag = last.map(|release| release.tag.as_str());
    records.extend(rest.records.overview(reader, policy, (&debts, tag))?);
    let mut ledger = LedgerView::assemble(policy, &records);
    let mut owed = Vec::new();
    for waiver in &mut ledger.waivers {
        let used = uses(reader, waiver.id).map_err(LedgerError::Git)?;
        waiver.uses_left = waiver.uses_left.saturating_sub(used);
        let open = used > 0 && !ledger.settlements.contains(&waiver.id);
        owed.extend(waiver.owes.clone().filter(|_| open).map(|owes| {
            let (id, due) = (waiver.id, waiver.during.end);
            FollowUp::Waiver { id, owes, due }
        }));
    }
    // Those that have ended stay visible for as long as they could last.
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
                let wish = ProposedUpdate {
                    revision: Some(before.to_string()),
                    name: stage.branch.clone(),
                };
                promotion = Some(check(rest, (actor.cloned(), at), &[wish], &[])?);
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
    follow_ups.extend(owed);
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
    /// Whether the stage before could be promoted now.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.promotion.as_ref().is_some_and(|c| c.judged.decision.verdict == Verdict::Accept)
    }
}
