//! Checks backports and class downgrades in the reference model.

use refgate_core::{ClassId, Oid};

use super::{GovernedBranch, View};

impl View<'_> {
    /// Whether a landing needs an approval for `backport` and has none. A commit
    /// that no other stage reaches must be an exact backport without a class
    /// downgrade. A commit without an original passes if its class is in
    /// `[hotfix] classes`.
    fn lacks_backport_approval(
        &self,
        place: GovernedBranch<'_>,
        id: Oid,
        side: &[Oid],
        (class, contradicted, mixed): (ClassId, bool, bool),
    ) -> bool {
        let rules = &self.policy().backport;
        let new =
            side.iter().chain([&id]).copied().filter(|one| !self.on_another_stage(place, *one));
        let urgent = !contradicted && self.policy().hotfix.classes.contains(&class);
        let declared = self.said(id, true).filter(|own| *own == class);
        let rank = |class: ClassId| self.policy().classes.rank(class);
        // A push option can lower the landing itself, too, which has its own type elsewhere.
        let mut elsewhere =
            side.iter().chain([&id]).filter(|one| self.on_another_stage(place, **one));
        let downgraded = elsewhere.any(|one| {
            let was = self.said(*one, false).filter(|_| self.parents(*one).len() < 2);
            declared.zip(was).is_some_and(|(named, was)| rank(named) < rank(was))
        });
        let suspect = |one: Oid| match self.original(place, one) {
            Some(of) => {
                let named = declared.filter(|_| one != id);
                !self.exact(one, of) || self.is_class_downgrade(one, of, one == id, named)
            }
            None if urgent => false,
            None if one == id => mixed || self.parents(one).len() != 2,
            None => {
                let parents = self.parents(one);
                parents.len() != 2 || self.mixed(one, &parents) != (false, false)
            }
        };
        rules.exact
            && (downgraded || new.into_iter().any(suspect))
            && !self.approved("backport", &rules.approvers, (place, id), side, 1)
    }

    /// Whether all new single commits of a landing are exact backports.
    pub(super) fn picks_only(&self, place: GovernedBranch<'_>, id: Oid, side: &[Oid]) -> bool {
        let new =
            side.iter().chain([&id]).copied().filter(|one| !self.on_another_stage(place, *one));
        let plain: Vec<Oid> = new.filter(|one| self.parents(*one).len() < 2).collect();
        let exact = |one: &Oid| self.original(place, *one).is_some_and(|of| self.exact(*one, of));
        self.policy().backport.exact && !plain.is_empty() && plain.iter().all(exact)
    }

    /// Whether a landing needs an approval for `backport` and has none. `from`
    /// states whether it comes from an earlier and from a later stage.
    pub(super) fn lacks_approval(
        &self,
        place: GovernedBranch<'_>,
        (id, side): (Oid, &[Oid]),
        said: (ClassId, bool, bool),
        from: (bool, bool),
    ) -> bool {
        match from {
            (_, true) => said.2 && self.lacks_addition_approval(place, id, side, said),
            (earlier, false) => !earlier && self.lacks_backport_approval(place, id, side, said),
        }
    }

    /// Whether a back-merge adds content, is no hotfix and has no approval.
    fn lacks_addition_approval(
        &self,
        place: GovernedBranch<'_>,
        id: Oid,
        side: &[Oid],
        (class, contradicted, _): (ClassId, bool, bool),
    ) -> bool {
        let rules = &self.policy().backport;
        let urgent = !contradicted && self.policy().hotfix.classes.contains(&class);
        rules.exact && !urgent && !self.approved("backport", &rules.approvers, (place, id), side, 1)
    }

    fn on_another_stage(&self, place: GovernedBranch<'_>, id: Oid) -> bool {
        let stages =
            (0..self.policy().flow.stages.len()).filter(|s| place != GovernedBranch::Stage(*s));
        stages.filter_map(|stage| self.tip(stage)).any(|tip| self.past(tip).contains(&id))
    }

    fn exact(&self, id: Oid, of: Oid) -> bool {
        let parents = self.parents(id);
        let mut files = parents.first().map(|p| self.world.files(*p)).unwrap_or_default();
        let mut fits = true;
        for (path, (before, after)) in self.world.delta(of) {
            let here = files.remove(&path);
            fits &= here == before || here == after;
            files.extend(after.map(|content| (path, content)));
        }
        fits && files == self.world.files(id)
    }

    fn said(&self, id: Oid, tip: bool) -> Option<ClassId> {
        let message = self.world.nodes.get(&id).map(|n| n.message.clone()).unwrap_or_default();
        self.own_class(&message, tip).map(|(class, _)| class)
    }

    fn is_class_downgrade(&self, id: Oid, of: Oid, tip: bool, named: Option<ClassId>) -> bool {
        let rank = |class| self.policy().classes.rank(class);
        match (self.said(of, false), self.said(id, tip)) {
            (None, here) => named.or(here).is_some(),
            (Some(was), here) => rank(named.or(here).unwrap_or(ClassId::UNCLASSIFIED)) < rank(was),
        }
    }

    /// The original of a commit, on another stage: the last one that the message
    /// names, else a commit with the same changes and message.
    fn original(&self, place: GovernedBranch<'_>, id: Oid) -> Option<Oid> {
        let message = self.world.nodes.get(&id)?.message.clone();
        if self.parents(id).len() != 1 {
            return None;
        }
        let held = |other: &&Oid| self.on_another_stage(place, **other);
        let said = |other: &&Oid| original_position(&message, **other);
        let named = self.world.nodes.keys().filter(|other| said(other).is_some()).filter(held);
        let twin = |(other, node): &(&Oid, &crate::memory_world::Node)| {
            **other != id
                && node.message == message
                && self.world.delta(**other) == self.world.delta(id)
        };
        let mut twins = self.world.nodes.iter().filter(twin).map(|(other, _)| other).filter(held);
        named.max_by_key(said).or_else(|| twins.next()).copied()
    }
}

/// The position of the last `cherry picked from` line that names a commit, by its
/// full id or its first twelve digits. Case does not matter.
pub(super) fn original_position(message: &str, other: Oid) -> Option<usize> {
    let (message, whole) = (message.to_lowercase(), other.to_string());
    let said = |id: &str| message.rfind(&format!("(cherry picked from commit {id})"));
    said(&whole).max(whole.get(..12).and_then(said))
}
