//! What may a rule see? The four values of a case, and the questions that several rules ask.

use alloc::vec::Vec;

use crate::{
    Classification, History, Landing, LedgerView, Policy, Push, RefKind, RefUpdate, Route, RuleId,
    Target, UpdateFacts, classify_landing, route,
};

/// Everything that a decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The push.
    pub push: &'a Push,
    /// The photograph of the repository.
    pub history: &'a History,
    /// The human facts.
    pub ledger: &'a LedgerView,
}

/// One reference update with its facts.
#[derive(Debug, Clone, Copy)]
pub struct UpdateItem<'a> {
    /// Its place in the push.
    pub index: usize,
    /// What is asked for.
    pub update: &'a RefUpdate,
    /// What is known about it.
    pub facts: &'a UpdateFacts,
}

impl UpdateItem<'_> {
    /// Whether a person is named as an author of anything that the update brings.
    #[must_use]
    pub(crate) fn wrote(&self, case: &Case<'_>, person: &str) -> bool {
        self.facts.landings.iter().any(|landing| case.wrote(landing, person))
    }
}

/// One landing, classified once for all rules.
#[derive(Debug, Clone)]
pub struct ClassifiedLanding<'a> {
    /// The update that it belongs to.
    pub item: UpdateItem<'a>,
    /// The stage or line.
    pub target: Target<'a>,
    /// The landing.
    pub landing: &'a Landing,
    /// How it came.
    pub route: Route,
    /// What it is.
    pub class: Classification,
}

impl<'a> Case<'a> {
    /// The updates with their facts.
    pub fn items(&self) -> impl Iterator<Item = UpdateItem<'a>> {
        let pairs = self.push.updates.iter().zip(&self.history.updates);
        pairs.enumerate().map(|(index, (update, facts))| UpdateItem { index, update, facts })
    }

    /// Whether a person is known not to be the pusher. Where nobody knows who
    /// pushes, nobody can be told apart from them.
    #[must_use]
    pub(crate) fn is_not_pusher(&self, person: &str) -> bool {
        self.push.actor.as_ref().is_some_and(|actor| actor.0 != person)
    }

    fn wrote(&self, landing: &Landing, person: &str) -> bool {
        let ids = landing.side.iter().chain([&landing.commit]);
        ids.filter_map(|id| self.history.commit(*id)).any(|commit| commit.by(person))
    }

    /// The stage or line that an update moves, if it moves one.
    #[must_use]
    pub fn target(&self, item: &UpdateItem<'a>) -> Option<Target<'a>> {
        match self.policy.kind(&item.update.name) {
            RefKind::Governed(target) => Some(target),
            _ => None,
        }
    }

    /// All landings of the push, with class and route.
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

/// The last landing of each update that brings what an earlier stage holds,
/// with that stage's place. What counts is what the stage will hold, also
/// where a hotfix lands on top of what was promoted.
pub(crate) fn promotions<'l, 'a>(
    case: &Case<'_>,
    landed: &'l [ClassifiedLanding<'a>],
) -> Vec<(&'l ClassifiedLanding<'a>, usize)> {
    let mut all: Vec<(&ClassifiedLanding<'_>, usize)> = Vec::new();
    let mut from = None;
    for (place, one) in landed.iter().enumerate() {
        from = from.max(one.brings(case));
        let next = landed.get(place + 1);
        if next.is_none_or(|next| next.item.index != one.item.index) {
            all.extend(from.take().map(|from| (one, from)));
        }
    }
    all
}

impl ClassifiedLanding<'_> {
    /// The earlier stage whose content it brings, whatever it calls itself.
    fn brings(&self, case: &Case<'_>) -> Option<usize> {
        let place = self.target.place()?;
        match self.route {
            Route::Promotion { from } | Route::Leap { from } => Some(from),
            Route::BackMerge { .. } | Route::AncestryOnly => None,
            Route::Topic | Route::Hotfix | Route::Backport { .. } => {
                (0..place).rev().find(|stage| {
                    self.landing.side.iter().any(|id| case.history.landed_on(*id, *stage))
                })
            }
        }
    }

    /// Whether it holds work that is judged here: new work, or a merge of
    /// another stage that holds content of its own. What a stage has accepted
    /// as it is was judged there.
    #[must_use]
    pub(crate) fn is_new_work(&self) -> bool {
        match self.route {
            Route::Topic | Route::Hotfix | Route::Backport { .. } => true,
            Route::BackMerge { .. } => self.landing.holds_its_own(),
            Route::Promotion { .. } | Route::Leap { .. } | Route::AncestryOnly => false,
        }
    }

    /// Whether it is a squashed promotion, which the rule `promotion` refuses;
    /// elsewhere it would be a hotfix only by name.
    #[must_use]
    pub(crate) fn is_squash(&self, case: &Case<'_>) -> bool {
        self.landing.squash_of.is_some()
            && !matches!(self.route, Route::Promotion { .. } | Route::Leap { .. })
            && case.policy.mode(RuleId::Promotion) == crate::Mode::Enforce
    }

    /// Whether somebody with `role` who neither pushes nor wrote any of it has
    /// approved exactly this landing, by the time of the push.
    #[must_use]
    pub(crate) fn approved(&self, case: &Case<'_>, rule: RuleId, role: &str) -> bool {
        case.ledger.approvals.iter().any(|approval| {
            approval.rule == rule
                && approval.of == self.landing.commit
                && approval.on == self.item.update.name
                && approval.at <= case.push.at
                && case.is_not_pusher(&approval.by)
                && case.policy.roles.has(&approval.by, role)
                && !self.wrote(case, &approval.by)
        })
    }

    /// Whether a person is named as an author of what lands.
    #[must_use]
    pub(crate) fn wrote(&self, case: &Case<'_>, person: &str) -> bool {
        case.wrote(self.landing, person)
    }
}
