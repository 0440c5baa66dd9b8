//! Checks the landings of a governed branch in the reference model.

use std::collections::BTreeSet;

use refgate_core::{ClassId, Oid};

use super::{BrokenRules, GovernedBranch, View};

impl View<'_> {
    pub(super) fn stage(
        &self,
        name: &str,
        place: GovernedBranch<'_>,
        old: Option<Oid>,
        new: Oid,
        no: &mut BrokenRules,
    ) {
        let stages = self.policy().flow.stages.len();
        let known: BTreeSet<Oid> = match old {
            Some(old) => self.past(old),
            None => (0..stages)
                .filter_map(|stage| self.tip(stage))
                .flat_map(|tip| self.past(tip))
                .collect(),
        };
        if old.is_none() && known.is_empty() {
            return;
        }
        let mut chain = Vec::new();
        let mut at = Some(new);
        while let Some(id) = at {
            if old == Some(id) || (old.is_none() && known.contains(&id)) {
                break;
            }
            chain.push(id);
            at = self.parents(id).first().copied();
        }
        if let (Some(old), None) = (old, at) {
            no.insert(if self.past(new).contains(&old) { "first-parent" } else { "rewrite" });
            return;
        }
        if old.is_none() && !self.may_begin(place, new) {
            no.insert("ref-name");
        }
        let mut seen = known.clone();
        seen.extend(&chain);
        let mut brings = false;
        for id in chain.iter().rev() {
            let side: Vec<Oid> =
                self.past(*id).into_iter().filter(|other| seen.insert(*other)).collect();
            brings |= self.landing(name, place, *id, &side, (old, &known), no);
        }
        if let (true, GovernedBranch::Stage(at)) = (brings, place) {
            let all: Vec<Oid> =
                self.past(new).into_iter().filter(|id| !known.contains(id)).collect();
            let mut broken_rules = BrokenRules::new();
            self.promoted(at, new, &all, &mut broken_rules);
            no.extend(broken_rules.into_iter().filter(|rule| !self.waived(name, rule, new, &all)));
        }
    }

    /// Adds the rules that a landing breaks. Returns whether the landing brings
    /// commits of an earlier stage.
    pub(super) fn landing(
        &self,
        name: &str,
        place: GovernedBranch<'_>,
        id: Oid,
        side: &[Oid],
        (old, known): (Option<Oid>, &BTreeSet<Oid>),
        no: &mut BrokenRules,
    ) -> bool {
        let parents = self.parents(id);
        let files = self.world.files(id);
        let mut broken_rules = BrokenRules::new();
        let first = parents.first().map(|p| self.world.files(*p)).unwrap_or_default();
        let unchanged = !parents.is_empty() && files == first;
        if parents.len() > 2 || (parents.len() == 2 && parents.first() == parents.get(1)) {
            broken_rules.insert("first-parent");
        }
        let empty = unchanged && side.iter().all(|id| self.later(place, *id));
        let (class, contradicted, trailer, sum) = self.class(id, side, &first, empty);
        let effective = if contradicted { ClassId::UNCLASSIFIED } else { class };
        let (earlier, later) = self.sources(place, id, (&parents, unchanged), known);
        let squashed = self.squash(place, id, old) && earlier.is_none();
        let squash = squashed && !self.picks_only(place, id, side);
        let ancestry_only = parents.len() > 1 && empty && earlier.is_none() && later.is_none();
        let (evil, resolved) = self.mixed(id, &parents);
        if let (Some(from), GovernedBranch::Stage(at)) = (earlier, place) {
            let own = !self.tip(from).is_some_and(|tip| self.past(tip).contains(&id));
            let same = parents.get(1).is_some_and(|p| self.world.files(*p) == files);
            let differs = !same || resolved;
            if from + 1 < at || (own && differs && self.policy().promotion.same_tree) {
                broken_rules.insert("promotion");
            }
        } else if !ancestry_only && (later.is_none() || evil || resolved || squash) {
            let straight = place != GovernedBranch::Stage(0);
            if squash && straight {
                broken_rules.insert("promotion");
            } else {
                if contradicted || self.lacks_declaration(class, sum) {
                    broken_rules.insert("class");
                }
                // A sum opens no way past a stage.
                let known = |class| if sum { ClassId::UNCLASSIFIED } else { class };
                let (class, effective) = (known(class), known(effective));
                let said = (class, contradicted, evil || resolved);
                let from = (earlier.is_some(), later.is_some());
                let lacks_approval = self.lacks_approval(place, (id, side), said, from);
                if straight && (lacks_approval || !self.is_eligible(place, effective, id, side)) {
                    broken_rules.insert("backport");
                }
            }
        }
        let new_work = earlier.is_none() && (later.is_none() || evil || resolved);
        let declared_by_author = trailer && !contradicted && new_work && !unchanged;
        let accepted = (0..self.policy().flow.stages.len())
            .any(|stage| place != GovernedBranch::Stage(stage) && self.was_tip(stage, id));
        if parents.len() == 2 && evil && !ancestry_only && !declared_by_author && !accepted {
            broken_rules.insert("evil-merge");
        }
        if !ancestry_only && self.frozen(place, effective, id, side) {
            broken_rules.insert("freeze");
        }
        for rule in broken_rules {
            if !self.waived(name, rule, id, side) {
                no.insert(rule);
            }
        }
        let GovernedBranch::Stage(at) = place else { return false };
        let shown = side.iter().any(|id| (0..at).any(|stage| self.was_tip(stage, *id)));
        earlier.is_some() || (later.is_none() && !ancestry_only && shown)
    }

    /// An earlier and a later stage of which the commit, or the second parent that it brings, is
    /// or was the tip.
    fn sources(
        &self,
        place: GovernedBranch<'_>,
        id: Oid,
        (parents, unchanged): (&[Oid], bool),
        known: &BTreeSet<Oid>,
    ) -> (Option<usize>, Option<usize>) {
        let mut others = (0..self.policy().flow.stages.len())
            .filter(|stage| place != GovernedBranch::Stage(*stage));
        let second = parents.get(1).filter(|_| !unchanged);
        let holds = |stage: &usize| {
            let line = self.tip(*stage).map(|tip| self.line(tip)).unwrap_or_default();
            let brought = second.filter(|p| !known.contains(p));
            line.contains(&id) || brought.is_some_and(|p| line.contains(p))
        };
        match place {
            GovernedBranch::Stage(at) => (
                others.clone().filter(|stage| *stage < at).rfind(holds),
                others.find(|stage| *stage > at && holds(stage)),
            ),
            GovernedBranch::Line(_) => (None, None),
        }
    }

    fn lacks_declaration(&self, class: ClassId, sum: bool) -> bool {
        self.policy().declared_only && (sum || class == ClassId::UNCLASSIFIED)
    }

    fn was_tip(&self, stage: usize, id: Oid) -> bool {
        self.tip(stage).is_some_and(|tip| self.line(tip).contains(&id))
    }

    pub(super) fn squash(&self, place: GovernedBranch<'_>, id: Oid, old: Option<Oid>) -> bool {
        let (GovernedBranch::Stage(at), Some(old)) = (place, old) else { return false };
        let Some(tip) = at.checked_sub(1).and_then(|at| self.tip(at)) else { return false };
        let (here, own) = (self.past(old), self.past(id));
        let waiting = self.past(tip).into_iter().filter(|o| !here.contains(o) && !own.contains(o));
        waiting.into_iter().any(|other| self.world.files(other) == self.world.files(id))
    }

    /// Whether a merge differs from a plain merge in a path without a conflict, and
    /// whether the plain merge has conflicts.
    pub(super) fn mixed(&self, id: Oid, parents: &[Oid]) -> (bool, bool) {
        let [ours, theirs] = parents else { return (false, false) };
        let files = self.world.files(id);
        let plain = self.world.merged(*ours, *theirs);
        let conflicts = self.world.conflicts(*ours, *theirs);
        let paths: BTreeSet<&String> = files.keys().chain(plain.keys()).collect();
        let evil =
            paths.into_iter().any(|p| !conflicts.contains(p) && files.get(p) != plain.get(p));
        (evil, !conflicts.is_empty())
    }

    /// Whether a later stage reaches a commit. For a line, every stage counts.
    pub(super) fn later(&self, place: GovernedBranch<'_>, id: Oid) -> bool {
        let after = |stage: &usize| match place {
            GovernedBranch::Stage(at) => *stage > at,
            GovernedBranch::Line(_) => true,
        };
        (0..self.policy().flow.stages.len())
            .filter(after)
            .filter_map(|stage| self.tip(stage))
            .any(|tip| self.past(tip).contains(&id))
    }

    /// Whether a stage or line can be created at a commit.
    fn may_begin(&self, place: GovernedBranch<'_>, id: Oid) -> bool {
        let stages = self.policy().flow.stages.iter().enumerate();
        let mut shown =
            stages.filter(|(at, _)| self.tip(*at).is_some_and(|tip| self.line(tip).contains(&id)));
        match place {
            GovernedBranch::Stage(_) => shown.next().is_some(),
            GovernedBranch::Line(_) => {
                shown.any(|(_, stage)| stage.production)
                    || self.world.server.iter().any(|(name, tip)| {
                        matches!(self.place(name), Some(GovernedBranch::Line(_)))
                            && self.line(*tip).contains(&id)
                    })
            }
        }
    }

    /// The first-parent chain of a tip.
    pub(super) fn line(&self, tip: Oid) -> BTreeSet<Oid> {
        let mut all = BTreeSet::new();
        let mut at = Some(tip);
        while let Some(id) = at {
            all.insert(id);
            at = self.parents(id).first().copied();
        }
        all
    }
}
