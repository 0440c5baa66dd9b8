//! Reads the facts of a tag and of a promotion that depend on former tips of stages and lines.

use refgate_core::{Instant, Oid, RefName, RefUpdate, TagFacts, TagSignature, UpdateFacts};

use crate::history_builder::HistoryBuilder;
use crate::tag::follow;
use crate::{GitError, debts};

impl HistoryBuilder<'_> {
    /// The facts of a release tag. It is `shipped` if its commit was once the tip of a production
    /// stage or a line.
    pub(crate) fn tag(&self, update: &RefUpdate, new: Oid) -> Result<Option<TagFacts>, GitError> {
        let chain = follow(self.reader, &update.name, new)?;
        let mut facts = TagFacts {
            annotated: chain.annotated,
            same_name: chain.same_name,
            signature: match chain.signed {
                true => TagSignature::Invalid("it was not verified".to_string()),
                false => TagSignature::Missing,
            },
            commit: chain.commit,
            shipped: false,
            on_flow: false,
        };
        let Some(commit) = chain.commit else { return Ok(Some(facts)) };
        for (place, stage) in self.policy.flow.stages.iter().enumerate() {
            let Some(tip) = self.history.tips.get(&place).filter(|_| stage.production) else {
                continue;
            };
            if self.graph.was_tip(*tip, commit)? {
                (facts.shipped, facts.on_flow) = (true, true);
            }
        }
        if !facts.shipped {
            facts.shipped = self.was_line_tip(commit)?;
        }
        Ok(Some(facts))
    }

    /// Whether a commit was once the tip of a release line.
    pub(crate) fn was_line_tip(&self, commit: Oid) -> Result<bool, GitError> {
        for line in &self.policy.flow.lines {
            // The `*` of libgit2 matches slashes and that of the policy does not, so the policy
            // checks each name again.
            let pattern = format!("refs/heads/{}", line.branches.as_str());
            for branch in self.reader.repository().references_glob(&pattern)? {
                let branch = branch?;
                let name = branch.name().ok().and_then(|name| RefName::parse(name).ok());
                if name.is_none_or(|name| self.policy.flow.target(&name).is_none()) {
                    continue;
                }
                let tip = branch.peel_to_commit()?.id();
                if self.graph.was_tip(crate::reader::oid(tip), commit)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The stages that once had a commit as their tip, as bits by their place in the flow.
    pub(crate) fn stages_with_former_tip(&self, id: Oid) -> Result<u32, GitError> {
        let mut bits = 0;
        for (place, tip) in &self.history.tips {
            bits |= u32::from(self.graph.was_tip(*tip, id)?) << place;
        }
        Ok(bits)
    }

    /// Reads the facts that a promotion needs besides its own commits: soak time and debts.
    pub(crate) fn gate(
        &self,
        update: &RefUpdate,
        now: Instant,
        facts: &mut UpdateFacts,
    ) -> Result<(), GitError> {
        let Some(place) = self.policy.flow.target(&update.name).and_then(|t| t.place()) else {
            return Ok(());
        };
        let Some(last) = facts.landings.last() else { return Ok(()) };
        let tree = self.tree_of(last.commit)?;
        if let Some(before) = self.policy.flow.previous(place) {
            facts.soaking_since = self.soak_start(&before.branch, tree)?;
        }
        let mut tips = self.history.tips.clone();
        tips.insert(place, last.commit);
        let flow = &self.policy.flow;
        facts.debts = debts(self.reader, self.graph, flow, &tips, self.baseline, now)?;
        Ok(())
    }

    /// The time since which the tips of a branch have had this tree without interruption.
    pub(crate) fn soak_start(
        &self,
        branch: &RefName,
        tree: Oid,
    ) -> Result<Option<Instant>, GitError> {
        let mut since = None;
        for moved in self.reader.moves(branch).iter().rev() {
            let Some(new) = moved.new else { break };
            if self.tree_of(new)? != tree {
                break;
            }
            since = Some(moved.at);
        }
        Ok(since)
    }
}
