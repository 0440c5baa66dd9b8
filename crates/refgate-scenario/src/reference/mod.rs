//! Judges a push with a simple reference model that shares no code with the engine.
//!
//! A test compares the model with the engine on generated pushes. The model reads
//! only `MemoryWorld`. It takes the parsed policy as given and decides everything
//! else itself. Comments state what it leaves out.

mod class;
mod gate;
mod landing;
mod pick;
mod time;

use std::collections::BTreeSet;

use refgate_core::{Oid, Policy, RecordBody, RuleId, RuleMode};

use crate::memory_world::MemoryWorld;
use crate::step::PushItem;

type BrokenRules = BTreeSet<&'static str>;

/// Returns whether a push is accepted, and which rules it breaks. Ref names must
/// be valid. The model leaves out look-alike names, malformed objects and policy
/// changes.
#[must_use]
pub fn judge_naively(
    world: &MemoryWorld,
    who: &str,
    specs: &[PushItem],
    options: &[String],
) -> (bool, BTreeSet<&'static str>) {
    let mut no = BrokenRules::new();
    for spec in specs {
        let new = spec.from.as_ref().and_then(|from| world.revision(from));
        let old = world.server.get(&spec.to).copied();
        if new != old {
            let view = View { world, who, options };
            view.update(&spec.to, old, new, &mut no);
        }
    }
    no.retain(|rule| {
        RuleId::find(rule).is_some_and(|id| world.policy.mode(id) == RuleMode::Enforce)
    });
    (no.is_empty(), no)
}

struct View<'w> {
    world: &'w MemoryWorld,
    who: &'w str,
    options: &'w [String],
}

/// A stage, by its index in the flow, or a release line, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GovernedBranch<'n> {
    Stage(usize),
    Line(&'n str),
}

impl View<'_> {
    fn policy(&self) -> &Policy {
        &self.world.policy
    }

    fn past(&self, id: Oid) -> BTreeSet<Oid> {
        let mut all = BTreeSet::new();
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if all.insert(id) {
                todo.extend(self.parents(id));
            }
        }
        all
    }

    fn parents(&self, id: Oid) -> Vec<Oid> {
        self.world.nodes.get(&id).map(|node| node.parents.clone()).unwrap_or_default()
    }

    fn tip(&self, stage: usize) -> Option<Oid> {
        let branch = self.policy().flow.stages.get(stage)?.branch.as_str().to_string();
        self.world.server.get(&branch).copied()
    }

    fn place<'n>(&self, name: &'n str) -> Option<GovernedBranch<'n>> {
        let stages = &self.policy().flow.stages;
        if let Some(at) = stages.iter().position(|stage| stage.branch.as_str() == name) {
            return Some(GovernedBranch::Stage(at));
        }
        let branch = name.strip_prefix("refs/heads/")?;
        let line = |glob: &str| {
            // The built-in policies write lines as `prefix/*`.
            glob.strip_suffix('*').is_some_and(|prefix| {
                branch
                    .strip_prefix(prefix)
                    .is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
            })
        };
        self.policy()
            .flow
            .lines
            .iter()
            .any(|l| line(l.branches.as_str()))
            .then_some(GovernedBranch::Line(name))
    }

    fn version(&self, name: &str) -> Option<Vec<u32>> {
        let tag = name.strip_prefix("refs/tags/")?;
        self.policy().release.tags.iter().find_map(|pattern| {
            let middle = tag.strip_prefix(&*pattern.prefix)?.strip_suffix(&*pattern.suffix)?;
            let mut parts: Vec<u32> =
                middle.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
            // One number is a version only where the policy says `{major}`.
            if (parts.len() == 1) != pattern.single {
                return None;
            }
            parts.resize(parts.len().max(3), 0);
            (parts.len() == 3).then_some(parts)
        })
    }

    /// A tag of numbers and dots in the place of a version, with a number of ten digits or more.
    fn looks_like_a_huge_version(&self, name: &str) -> bool {
        let Some(tag) = name.strip_prefix("refs/tags/") else { return false };
        self.policy().release.tags.iter().any(|pattern| {
            let middle = tag.strip_prefix(&*pattern.prefix);
            let middle = middle.and_then(|rest| rest.strip_suffix(&*pattern.suffix));
            middle.is_some_and(|text| {
                let numbers: Vec<&str> = text.split('.').collect();
                let digits =
                    |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
                (numbers.len() == 1) == pattern.single
                    && numbers.iter().all(digits)
                    && numbers.iter().any(|part| part.len() >= 10)
            })
        })
    }

    /// Whether a person is not the pusher. False if the pusher is not identified.
    fn other(&self, person: &str) -> bool {
        self.who != "somebody" && self.who != person
    }

    fn may(&self, roles: &[String]) -> bool {
        roles.is_empty()
            || roles.iter().any(|role| {
                self.policy()
                    .roles
                    .0
                    .get(role)
                    .is_some_and(|people| people.iter().any(|p| p == self.who))
            })
    }

    fn update(&self, name: &str, old: Option<Oid>, new: Option<Oid>, no: &mut BrokenRules) {
        let place = self.place(name);
        let version = self.version(name);
        if place.is_none() && version.is_none() {
            if name == "refs/refgate/ledger" {
                no.insert("ledger");
            } else if name.starts_with("refs/replace/") || name.starts_with("refs/refgate/") {
                no.insert("ref-name");
            } else if new.is_some() && self.looks_like_a_huge_version(name) {
                no.insert("release-tag");
            }
            return;
        }
        let flow = &self.policy().flow;
        let pushers = match place {
            Some(GovernedBranch::Stage(at)) => {
                flow.stages.get(at).map(|stage| stage.pushers.clone())
            }
            Some(GovernedBranch::Line(_)) => flow.lines.first().map(|line| line.pushers.clone()),
            None => flow.stages.iter().rev().find(|s| s.production).map(|s| s.pushers.clone()),
        };
        if !self.may(&pushers.unwrap_or_default()) {
            no.insert("pusher");
        }
        self.training(name, place, old, new, no);
        let Some(new) = new else {
            if !self.is_deletion_approved(name, old) {
                no.insert("deletion");
            }
            return;
        };
        match (place, version) {
            (Some(place), _) => self.stage(name, place, old, new, no),
            (None, Some(version)) if old.is_some() || self.is_bad_tag(name, &version, new) => {
                no.insert("release-tag");
            }
            _ => {}
        }
    }

    /// Every update of production and every release tag needs a trained pusher, except in a
    /// repository without stages.
    fn training(
        &self,
        name: &str,
        place: Option<GovernedBranch<'_>>,
        old: Option<Oid>,
        new: Option<Oid>,
        no: &mut BrokenRules,
    ) {
        let stages = &self.policy().flow.stages;
        let begun = (0..stages.len()).any(|at| self.tip(at).is_some());
        let production = match place {
            Some(GovernedBranch::Stage(at)) => stages.get(at).is_some_and(|s| s.production),
            Some(GovernedBranch::Line(_)) | None => true,
        };
        if !begun || !production || self.trained() {
            return;
        }
        // The authors of what the update brings cannot waive it.
        let forward = new
            .filter(|new| place.is_some() && old.is_none_or(|old| self.line(*new).contains(&old)));
        let before: BTreeSet<Oid> = match old {
            Some(old) => self.past(old),
            None => (0..stages.len())
                .filter_map(|at| self.tip(at))
                .flat_map(|tip| self.past(tip))
                .collect(),
        };
        let brought: Vec<Oid> = forward.map_or_else(Vec::new, |new| {
            self.past(new).into_iter().filter(|id| !before.contains(id)).collect()
        });
        if !self.waived(name, "release-gate", Oid::default(), &brought) {
            no.insert("release-gate");
        }
    }

    fn is_deletion_approved(&self, name: &str, old: Option<Oid>) -> bool {
        let rules = &self.policy().deletion;
        let since = self.world.received.get(name);
        let asked = self.world.records.iter().filter(|r| match &r.body {
            RecordBody::DeletionRequest { on, value } => {
                on.as_str() == name && Some(*value) == old && since.is_none_or(|at| *at <= r.at)
            }
            _ => false,
        });
        asked.min_by_key(|request| request.at).is_some_and(|request| {
            let agreed = self.world.records.iter().any(|r| match &r.body {
                RecordBody::Approval { rule: RuleId::Deletion, on, of } => {
                    on.as_str() == name
                        && Some(*of) == old
                        && r.by != request.by
                        && r.at >= request.at
                        && self.policy().roles.has(&r.by, &rules.approvers)
                }
                _ => false,
            });
            agreed && request.at + rules.cooling_off <= self.world.clock
        })
    }

    fn is_bad_tag(&self, name: &str, version: &[u32], new: Oid) -> bool {
        let tag = self.world.tags.get(&new);
        let commit = tag.map_or(new, |tag| tag.commit);
        // `MemoryWorld` has no signed tags.
        if self.policy().release.signed || (self.policy().release.annotated && tag.is_none()) {
            return true;
        }
        if tag.is_some_and(|tag| name.strip_prefix("refs/tags/") != Some(&*tag.name)) {
            return true;
        }
        let stages = self.policy().flow.stages.iter().enumerate();
        let on_flow = stages
            .filter(|(_, stage)| stage.production)
            .any(|(at, _)| self.tip(at).is_some_and(|tip| self.line(tip).contains(&commit)));
        let on_line = self.world.server.iter().any(|(branch, tip)| {
            matches!(self.place(branch), Some(GovernedBranch::Line(_)))
                && self.line(*tip).contains(&commit)
        });
        let others = self.world.server.keys().filter_map(|other| self.version(other));
        let rival = |other: &Vec<u32>| on_flow || other.first() == version.first();
        !(on_flow || on_line) || others.filter(rival).any(|other| other >= version.to_vec())
    }
}
