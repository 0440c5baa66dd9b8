//! How do things stand? Everything that a release manager looks up in the morning, as one value.

use std::collections::HashSet;

use refgate_core::{
    Actor, Candidate, Debt, Freeze, Instant, LedgerView, Oid, Verdict, Waiver, freezes_at,
};
use refgate_git::{Graph, Survey, debts, releases, stage_tips};

use crate::book::BookError;
use crate::check::{CheckError, Checked, Wish, check};
use crate::journal::uses;
use crate::judge::AtRest;

/// One stage, and what waits to come to it.
#[derive(Debug)]
pub struct StageNow {
    /// The branch.
    pub branch: String,
    /// Its environment.
    pub environment: String,
    /// Its tip, if it exists.
    pub tip: Option<Oid>,
    /// How many commits the stage before has that it lacks.
    pub waiting: usize,
    /// What the server would say if the stage before were promoted now.
    pub promotion: Option<Checked>,
}

/// The state of everything.
#[derive(Debug)]
pub struct Overview {
    /// When.
    pub at: Instant,
    /// The stages, in order.
    pub stages: Vec<StageNow>,
    /// The human facts that concern it.
    pub ledger: LedgerView,
    /// Survey of releases.
    pub survey: Survey,
    /// What is owed.
    pub debts: Vec<Debt>,
    /// What the last release still owes.
    pub follow_ups: Vec<FollowUp>,
}

/// What a release owes beside its deployment (MODEL.md 5).
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
    rest: &AtRest<'_>,
    actor: Option<&Actor>,
    at: Instant,
) -> Result<Overview, CheckError> {
    let (reader, policy) = (rest.reader, rest.policy);
    let releases = releases(reader, &policy.release)?;
    let survey = Survey { releases, tips: stage_tips(reader, &policy.flow)? };
    let graph = Graph::new(reader);
    let debts = debts(reader, &graph, &policy.flow, &survey.tips, rest.baseline, at)?;
    let mut records = rest.records.early(policy, &survey, at)?;
    let last = survey.releases.last();
    let tag = last.map(|release| release.tag.as_str());
    records.extend(rest.records.overview(reader, policy, (&debts, tag), at)?);
    let mut ledger = LedgerView::assemble(policy, &records);
    for waiver in &mut ledger.waivers {
        waiver.uses_left =
            waiver.uses_left.saturating_sub(uses(reader, waiver.id).map_err(BookError::Git)?);
    }
    let mut stages = Vec::new();
    for (place, stage) in policy.flow.stages.iter().enumerate() {
        let tip = survey.tips.get(&place).copied();
        let before = place.checked_sub(1).and_then(|before| survey.tips.get(&before).copied());
        let (mut waiting, mut promotion) = (0, None);
        if let (Some(before), Some(tip)) = (before, tip) {
            waiting = graph.fresh(before, &[tip], &HashSet::new())?.len();
            if waiting > 0 {
                let wish = Wish { revision: Some(before.to_string()), name: stage.branch.clone() };
                promotion = Some(check(rest, (actor.cloned(), at), &[wish], &[])?);
            }
        }
        stages.push(StageNow {
            branch: stage.branch.short().to_string(),
            environment: stage.environment.clone(),
            tip,
            waiting,
            promotion,
        });
    }
    let follow_ups = follow_ups(rest, &graph, &survey, &ledger)?;
    Ok(Overview { at, stages, ledger, survey, debts, follow_ups })
}

fn follow_ups(
    rest: &AtRest<'_>,
    graph: &Graph<'_>,
    survey: &Survey,
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

impl StageNow {
    /// Whether the stage before could be promoted now.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.promotion.as_ref().is_some_and(|c| c.judged.decision.verdict == Verdict::Accept)
    }
}
