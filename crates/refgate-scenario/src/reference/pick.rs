//! Does the model take a landing for a pick that somebody changed?

use refgate_core::Oid;

use super::{Place, View};

impl View<'_> {
    /// A pick of what another stage has, which is not the original's change on
    /// what was there, and of which nobody with the role approves.
    pub(super) fn by_hand(&self, place: Place<'_>, id: Oid, side: &[Oid]) -> bool {
        let rules = &self.policy().backport;
        let Some(of) = self.original(place, id).filter(|_| rules.exact) else { return false };
        let parents = self.parents(id);
        let mut files = parents.first().map(|p| self.world.files(*p)).unwrap_or_default();
        let mut fits = true;
        for (path, (before, after)) in self.world.delta(of) {
            let here = files.remove(&path);
            fits &= here == before || here == after;
            files.extend(after.map(|content| (path, content)));
        }
        let exact = fits && files == self.world.files(id);
        !exact && !self.approved("backport", &rules.approvers, (place, id), side)
    }

    /// The commit of another stage that this one says last it was picked from,
    /// or whose change and message it repeats.
    fn original(&self, place: Place<'_>, id: Oid) -> Option<Oid> {
        let message = self.world.nodes.get(&id)?.message.clone();
        if self.parents(id).len() != 1 {
            return None;
        }
        let stages = (0..self.policy().flow.stages.len()).filter(|s| place != Place::Stage(*s));
        let tips: Vec<Oid> = stages.filter_map(|stage| self.tip(stage)).collect();
        let held = |other: &&Oid| tips.iter().any(|tip| self.past(*tip).contains(*other));
        let said = |other: &&Oid| said_of(&message, **other);
        let named = self.world.nodes.keys().filter(|other| said(other).is_some()).filter(held);
        let twin = |(other, node): &(&Oid, &crate::memory::Node)| {
            **other != id
                && node.message == message
                && self.world.delta(**other) == self.world.delta(id)
        };
        let mut twins = self.world.nodes.iter().filter(twin).map(|(other, _)| other).filter(held);
        named.max_by_key(said).or_else(|| twins.next()).copied()
    }
}

/// Where a message says last that it was picked from a commit: by the whole id
/// or its first twelve digits, in letters of any size.
pub(super) fn said_of(message: &str, other: Oid) -> Option<usize> {
    let (message, whole) = (message.to_lowercase(), other.to_string());
    let said = |id: &str| message.rfind(&format!("(cherry picked from commit {id})"));
    said(&whole).max(whole.get(..12).and_then(said))
}
