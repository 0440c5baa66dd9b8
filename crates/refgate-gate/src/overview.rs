//! How do things stand? Everything that a release manager looks up in the morning, as one value.

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
}

impl Overview {
    /// The freezes that were or are in force.
    #[must_use]
    pub fn freezes<'a>(&'a self, policy: &'a refgate_core::Policy) -> Vec<Freeze<'a>> {
        freezes_at(policy, &self.survey.releases, &self.ledger, self.at)
    }

    /// Candidates that are open: neither failed nor in production.
    #[must_use]
    pub fn candidates(&self) -> Vec<&Candidate> {
        self.ledger.candidates.iter().filter(|candidate| candidate.failed.is_none()).collect()
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
    records.extend(rest.records.overview(reader, policy, &debts, at)?);
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
            waiting = graph.fresh(before, &[tip], &std::collections::HashSet::new())?.len();
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
    Ok(Overview { at, stages, ledger, survey, debts })
}

impl StageNow {
    /// Whether the stage before could be promoted now.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.promotion.as_ref().is_some_and(|c| c.judged.decision.verdict == Verdict::Accept)
    }
}
