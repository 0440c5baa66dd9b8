//! Defines the input of a decision and the queries on it that several rules share.

use alloc::string::String;
use alloc::vec::Vec;

use crate::freeze::is_enough;
use crate::{
    Candidate, CandidateFailure, Classification, History, Landing, LedgerView, Policy, Push,
    RefKind, RefUpdate, Route, RuleId, Target, UpdateFacts, classify_landing, route,
};

/// The complete input of a decision.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The push.
    pub push: &'a Push,
    /// The facts about the repository.
    pub history: &'a History,
    /// The records.
    pub ledger: &'a LedgerView,
}

/// One ref update with its facts.
#[derive(Debug, Clone, Copy)]
pub struct UpdateItem<'a> {
    /// Its index in the push.
    pub index: usize,
    /// The requested change.
    pub update: &'a RefUpdate,
    /// The facts about it.
    pub facts: &'a UpdateFacts,
}

impl UpdateItem<'_> {
    /// The failure of a candidate that stands at the time of the push. An author of the change
    /// cannot have withdrawn it.
    #[must_use]
    pub(crate) fn standing_failure<'c>(
        &self,
        case: &Case<'_>,
        candidate: &'c Candidate,
    ) -> Option<&'c CandidateFailure> {
        let failure = candidate.failed.as_ref().filter(|failure| failure.at <= case.push.at)?;
        let withdrawn = failure.withdrawn_by.as_ref().is_some_and(|by| !self.is_author(case, by));
        (!withdrawn).then_some(failure)
    }

    /// Whether a person is named as an author of any commit that the update brings.
    #[must_use]
    pub(crate) fn is_author(&self, case: &Case<'_>, person: &str) -> bool {
        self.facts.landings.iter().any(|landing| case.is_author(landing, person))
    }
}

/// One landing, classified once for all rules.
#[derive(Debug, Clone)]
pub struct ClassifiedLanding<'a> {
    /// The update that the landing belongs to.
    pub item: UpdateItem<'a>,
    /// The stage or line.
    pub target: Target<'a>,
    /// The landing.
    pub landing: &'a Landing,
    /// How it reaches the stage or line.
    pub route: Route,
    /// Its class.
    pub class: Classification,
}

impl<'a> Case<'a> {
    /// The updates with their facts.
    pub fn items(&self) -> impl Iterator<Item = UpdateItem<'a>> {
        let pairs = self.push.updates.iter().zip(&self.history.updates);
        pairs.enumerate().map(|(index, (update, facts))| UpdateItem { index, update, facts })
    }

    /// Whether a person is known not to be the pusher. This is false for
    /// everybody if the pusher is unknown.
    #[must_use]
    pub(crate) fn is_not_pusher(&self, person: &str) -> bool {
        self.push.actor.as_ref().is_some_and(|actor| actor.0 != person)
    }

    /// Whether so many different people agreed, and one of them is known not to be the pusher
    /// (docs/design/model.md, "Two persons").
    #[must_use]
    pub(crate) fn is_agreed(&self, people: &[String], required: u32) -> bool {
        is_enough(people.len(), required) && people.iter().any(|person| self.is_not_pusher(person))
    }

    fn is_author(&self, landing: &Landing, person: &str) -> bool {
        let ids = landing.side.iter().chain([&landing.commit]);
        ids.filter_map(|id| self.history.commit(*id)).any(|commit| commit.by(person))
    }

    /// The stage or line that an update changes, if it changes one.
    #[must_use]
    pub fn target(&self, item: &UpdateItem<'a>) -> Option<Target<'a>> {
        match self.policy.kind(&item.update.name) {
            RefKind::Governed(target) => Some(target),
            _ => None,
        }
    }

    /// All landings of the push, with their routes and classes.
    #[must_use]
    pub fn landed(&self) -> Vec<ClassifiedLanding<'a>> {
        let mut all = Vec::new();
        for item in self.items() {
            let Some(target) = self.target(&item) else { continue };
            for landing in &item.facts.landings {
                let route = route(self, &target, landing);
                let class = classify_landing(self, &target, landing);
                all.push(ClassifiedLanding { item, target, landing, route, class });
            }
        }
        all
    }
}

/// The last landing of each update that promotes content, with the index of the highest
/// stage that the content comes from. Rules judge what the stage contains after the push,
/// so the last landing counts even if a hotfix follows the promotion.
pub(crate) fn promotions<'l, 'a>(
    case: &Case<'_>,
    landed: &'l [ClassifiedLanding<'a>],
) -> Vec<(&'l ClassifiedLanding<'a>, usize)> {
    let mut all: Vec<(&ClassifiedLanding<'_>, usize)> = Vec::new();
    let mut from = None;
    for (place, one) in landed.iter().enumerate() {
        from = from.max(one.promoted_from(case));
        let next = landed.get(place + 1);
        if next.is_none_or(|next| next.item.index != one.item.index) {
            all.extend(from.take().map(|from| (one, from)));
        }
    }
    all
}

impl ClassifiedLanding<'_> {
    /// The index of the earlier stage whose content the landing brings, whatever its route.
    fn promoted_from(&self, case: &Case<'_>) -> Option<usize> {
        let place = self.target.place()?;
        match self.route {
            Route::Promotion { from } | Route::SkippedStage { from } => Some(from),
            Route::BackMerge { .. } | Route::AncestryOnly => None,
            Route::Topic | Route::Hotfix | Route::Backport { .. } => {
                (0..place).rev().find(|stage| {
                    self.landing.side.iter().any(|id| case.history.landed_on(*id, *stage))
                })
            }
        }
    }

    /// Whether the landing contains work that this stage must judge: new work, or a back-merge
    /// with content of its own. Another stage has already judged the content that it accepted.
    #[must_use]
    pub(crate) fn is_new_work(&self) -> bool {
        match self.route {
            Route::Topic | Route::Hotfix | Route::Backport { .. } => true,
            Route::BackMerge { .. } => self.landing.has_own_content(),
            Route::Promotion { .. } | Route::SkippedStage { .. } | Route::AncestryOnly => false,
        }
    }

    /// Whether it is a squashed promotion that the rule `promotion` rejects. Other rules then
    /// skip it, because they would report it as a hotfix.
    #[must_use]
    pub(crate) fn is_squash(&self, case: &Case<'_>) -> bool {
        self.landing.squash_of.is_some()
            && !matches!(self.route, Route::Promotion { .. } | Route::SkippedStage { .. })
            && case.policy.mode(RuleId::Promotion) == crate::RuleMode::Enforce
    }

    /// The people with `role`, none of them an author, who have approved exactly this landing
    /// by the time of the push.
    #[must_use]
    pub(crate) fn approvers(&self, case: &Case<'_>, rule: RuleId, role: &str) -> Vec<String> {
        let given = case.ledger.approvals.iter().filter(|approval| {
            approval.rule == rule
                && approval.of == self.landing.commit
                && approval.on == self.item.update.name
                && approval.at <= case.push.at
                && case.policy.roles.has(&approval.by, role)
                && !self.is_author(case, &approval.by)
        });
        let mut people: Vec<String> = given.map(|approval| approval.by.clone()).collect();
        people.sort_unstable();
        people.dedup();
        people
    }

    /// Whether a person with `role`, neither the pusher nor an author, has approved it.
    #[must_use]
    pub(crate) fn approved(&self, case: &Case<'_>, rule: RuleId, role: &str) -> bool {
        case.is_agreed(&self.approvers(case, rule, role), 1)
    }

    /// Whether a person is named as an author of the landing.
    #[must_use]
    pub(crate) fn is_author(&self, case: &Case<'_>, person: &str) -> bool {
        case.is_author(self.landing, person)
    }
}
