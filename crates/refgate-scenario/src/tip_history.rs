//! Computes in memory which commits were the tip of a stage or line.

use refgate_core::{History, Oid, RefName, RefUpdate, TagFacts, TagSignature};

use crate::memory_world::MemoryWorld;

impl MemoryWorld {
    pub(crate) fn tag_facts(&self, update: &RefUpdate, new: Oid) -> TagFacts {
        let tag = self.tags.get(&new);
        let commit = tag.map_or(new, |tag| tag.commit);
        let mut facts = TagFacts {
            annotated: tag.is_some_and(|tag| tag.annotated),
            same_name: tag.is_some_and(|tag| Some(tag.name.as_str()) == update.name.tag_name()),
            signature: TagSignature::Missing,
            commit: Some(commit),
            shipped: false,
            on_flow: false,
        };
        for (name, tip) in &self.server {
            let Some(target) = RefName::parse(name).ok().and_then(|name| {
                let target = self.policy.flow.target(&name)?;
                Some(target.place())
            }) else {
                continue;
            };
            let holds = self.chain(*tip, |_| false).contains(&commit);
            let production = target.is_none_or(|place| {
                self.policy.flow.stages.get(place).is_some_and(|s| s.production)
            });
            facts.shipped |= holds && production;
            facts.on_flow |= holds && production && target.is_some();
        }
        facts
    }

    /// The stages of which a commit was once the tip, as bits, and whether it was
    /// the tip of a line.
    pub(crate) fn former_tip_of(&self, new: Oid, history: &History) -> (u32, bool) {
        let was_tip = |tip: Oid| self.chain(tip, |_| false).contains(&new);
        let stages = history.tips.iter().filter(|(_, tip)| was_tip(**tip));
        let bits = stages.fold(0, |bits, (place, _)| bits | 1 << place);
        let line = self.server.iter().any(|(name, tip)| {
            let target = RefName::parse(name).ok();
            let target = target.as_ref().and_then(|name| self.policy.flow.target(name));
            target.is_some_and(|target| target.place().is_none()) && was_tip(*tip)
        });
        (bits, line)
    }
}
