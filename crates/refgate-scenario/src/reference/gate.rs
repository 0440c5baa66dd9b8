//! Checks candidates, the release gate and debts in the reference model.

use std::collections::BTreeSet;

use refgate_core::{Instant, Oid, RecordBody, RequiredSignOff, SignOffCount};

use super::pick::original_position;
use super::{BrokenRules, View};

impl View<'_> {
    /// Adds the rules that a promotion of `id` with the commits `side` breaks.
    pub(super) fn promoted(&self, at: usize, id: Oid, side: &[Oid], no: &mut BrokenRules) {
        let policy = self.policy();
        let production = policy.flow.stages.get(at).is_some_and(|stage| stage.production);
        if !production && policy.promotion.candidate && !self.is_candidate(id) {
            no.insert("candidate");
        }
        let signed = self.signed(id, side) && !self.has_failed(id, side);
        if production && !(signed && self.has_soaked(at, id)) {
            no.insert("release-gate");
        }
        if self.has_overdue_debt(at, id, production) {
            no.insert("debts");
        }
    }

    /// Always false for generated scenarios: the generator names no candidates.
    fn is_candidate(&self, id: Oid) -> bool {
        self.world
            .records
            .iter()
            .any(|r| matches!(&r.body, RecordBody::Candidate { commit, .. } if *commit == id))
    }

    /// Whether every required sign-off is given for the files of a commit. Leaves out sign-offs
    /// with paths: no built-in policy has any.
    fn signed(&self, id: Oid, side: &[Oid]) -> bool {
        let policy = self.policy();
        policy.gate.sign_offs.iter().all(|wanted| {
            let may = |person: &str| self.other(person) && !self.wrote(person, id, side);
            let given = self.world.records.iter().filter(|r| match &r.body {
                RecordBody::SignOff { meaning, commit, .. } => {
                    *meaning == wanted.meaning
                        && self.same_for(wanted, *commit, id)
                        && policy.roles.has(&r.by, &wanted.role)
                        && may(&r.by)
                }
                _ => false,
            });
            let signed: BTreeSet<&str> = given.map(|r| r.by.as_str()).collect();
            match wanted.people {
                SignOffCount::AtLeast(number) => signed.len() >= number as usize,
                SignOffCount::All => {
                    let everybody = policy.roles.0.get(&wanted.role).into_iter().flatten();
                    let mut others = everybody.filter(|person| may(person));
                    !signed.is_empty()
                        && others.all(|person| {
                            signed.contains(person.as_str()) || self.is_absent(person, id, side)
                        })
                }
            }
        })
    }

    /// Whether two commits have the same files, except files of the kinds that a sign-off
    /// ignores. The built-in policies ignore only documentation.
    fn same_for(&self, wanted: &RequiredSignOff, signed: Oid, shipped: Oid) -> bool {
        let (old, new) = (self.world.files(signed), self.world.files(shipped));
        let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        paths
            .into_iter()
            .filter(|path| old.get(*path) != new.get(*path))
            .all(|path| !wanted.ignores.is_empty() && super::class::naive_kind(path) == "docs")
    }

    /// Whether the person, or two others who did not write the change, recorded the absence.
    fn is_absent(&self, person: &str, id: Oid, side: &[Oid]) -> bool {
        let now = self.world.clock;
        let told = self.world.records.iter().filter(|r| match &r.body {
            RecordBody::Absence { person: of, until } => {
                of == person && r.at <= now && now < *until
            }
            _ => false,
        });
        let policy = self.policy();
        let has_part = |by: &str| {
            let gate = policy.gate.sign_offs.iter();
            gate.map(|one| &one.role)
                .chain([&policy.ledger.releases])
                .any(|role| policy.roles.has(by, role))
        };
        let by: BTreeSet<&str> = told.map(|r| r.by.as_str()).collect();
        let others = by.iter().filter(|by| has_part(by) && !self.wrote(by, id, side));
        by.contains(person) || others.count() >= 2
    }

    /// Whether a candidate with the same files failed its test, and nobody with the role who is
    /// not an author withdrew the failure.
    fn has_failed(&self, id: Oid, side: &[Oid]) -> bool {
        let policy = self.policy();
        let tested =
            policy.gate.sign_offs.iter().filter(|w| w.meaning == refgate_core::Meaning::Uat);
        let mut roles: Vec<&str> = tested.map(|wanted| wanted.role.as_str()).collect();
        roles.push(&policy.ledger.releases);
        let may = |person: &str| roles.iter().any(|role| policy.roles.has(person, role));
        let uat = policy.gate.sign_offs.iter().filter(|w| w.meaning == refgate_core::Meaning::Uat);
        let same = self.world.records.iter().filter(|r| match &r.body {
            RecordBody::Candidate { commit, .. } => {
                self.world.files(*commit) == self.world.files(id)
                    || uat.clone().any(|wanted| self.same_for(wanted, *commit, id))
            }
            _ => false,
        });
        let failures = same.flat_map(|candidate| {
            self.world.records.iter().filter(
                move |r| matches!(&r.body, RecordBody::UatFailed { of, .. } if *of == candidate.id),
            )
        });
        failures.into_iter().any(|failure| {
            !self.world.records.iter().any(|r| {
                matches!(&r.body, RecordBody::Withdrawal { of, .. } if *of == failure.id)
                    && may(&r.by)
                    && !self.wrote(&r.by, id, side)
            })
        })
    }

    fn has_soaked(&self, at: usize, id: Oid) -> bool {
        let soak = self.policy().gate.soak;
        let before = at.checked_sub(1).and_then(|at| self.policy().flow.stages.get(at));
        let Some(before) = before.filter(|_| !soak.is_zero()) else { return true };
        let moves: Vec<(Instant, Oid)> = self
            .world
            .moves
            .iter()
            .filter(|(name, ..)| name == before.branch.as_str())
            .map(|(_, at, id)| (*at, *id))
            .collect();
        let other = |tip: &Oid| self.world.files(*tip) != self.world.files(id);
        let start = moves.iter().rposition(|(_, tip)| other(tip)).map_or(0, |last| last + 1);
        moves.get(start).is_some_and(|(since, _)| *since + soak <= self.world.clock)
    }

    /// Whether the pusher has a certificate, if the gate names a course.
    pub(super) fn trained(&self) -> bool {
        let policy = self.policy();
        let Some(course) = &policy.gate.course else { return true };
        let now = self.world.clock;
        self.world.records.iter().any(|r| match &r.body {
            RecordBody::Certificate { person, course: of, until } => {
                of == course
                    && person == self.who
                    && self.who != "somebody"
                    && r.by != *person
                    && policy.roles.has(&r.by, &policy.ledger.trainers)
                    && r.at <= now
                    && now < *until
            }
            _ => false,
        })
    }

    /// Whether a debt that concerns the promotion is overdue. Each debt concerns a
    /// promotion to production. For another stage, only the debts of this stage and
    /// of the previous one do.
    fn has_overdue_debt(&self, at: usize, id: Oid, production: bool) -> bool {
        let stages = self.policy().flow.stages.len();
        let tip = |stage: usize| if stage == at { Some(id) } else { self.tip(stage) };
        let pairs = (0..stages).flat_map(|from| (0..from).map(move |to| (from, to)));
        let concerned = pairs.filter(|(_, to)| production || *to == at || *to + 1 == at);
        let mut sides = concerned.filter_map(|(from, to)| Some((from, to, tip(from)?, tip(to)?)));
        sides.any(|(from, to, later, earlier)| {
            let (has, lacks) = (self.past(later), self.past(earlier));
            let one_parent = |id: &Oid| self.parents(*id).len() == 1;
            let real = |id: &Oid| one_parent(id) && !self.world.delta(*id).is_empty();
            let copies: Vec<Oid> =
                lacks.iter().copied().filter(|id| !has.contains(id)).filter(real).collect();
            let mut missing_fixes =
                has.iter().copied().filter(|id| !lacks.contains(id)).filter(real).filter(|fix| {
                    !copies.iter().any(|copy| self.is_copy(*copy, *fix))
                        && !self.is_original_here(*fix, &lacks)
                        && !self.has_content(*fix, earlier)
                        && !self.is_excused(*fix, to)
                });
            missing_fixes.any(|fix| {
                let since = self.since(from, fix).unwrap_or(self.world.clock);
                since + self.policy().debts.due <= self.world.clock
            })
        })
    }

    /// Equal changes, or a common origin by names and a common path.
    fn is_copy(&self, copy: Oid, fix: Oid) -> bool {
        let (mine, original) = (self.world.delta(copy), self.world.delta(fix));
        let family = self.named_by(copy).iter().any(|id| self.named_by(fix).contains(id));
        mine == original || family && mine.keys().any(|path| original.contains_key(path))
    }

    /// Whether one of the commits that the fix names, or that these name, is on the branch.
    fn is_original_here(&self, fix: Oid, branch: &BTreeSet<Oid>) -> bool {
        let mine = self.world.delta(fix);
        self.named_by(fix)
            .into_iter()
            .filter(|id| *id != fix && branch.contains(id))
            .any(|id| self.world.delta(id).keys().any(|path| mine.contains_key(path)))
    }

    /// Whether each file that the fix changes is on the branch as the fix left it.
    fn has_content(&self, fix: Oid, tip: Oid) -> bool {
        let files = self.world.files(tip);
        self.world.delta(fix).iter().all(|(path, (_, after))| files.get(path) == after.as_ref())
    }

    /// The commit, the commits that its message names, and so on.
    fn named_by(&self, id: Oid) -> BTreeSet<Oid> {
        let mut all = BTreeSet::from([id]);
        loop {
            let more: Vec<Oid> = self
                .world
                .nodes
                .keys()
                .copied()
                .filter(|other| !all.contains(other))
                .filter(|other| {
                    all.iter().any(|one| {
                        let node = self.world.nodes.get(one);
                        node.is_some_and(|n| original_position(&n.message, *other).is_some())
                    })
                })
                .collect();
            if more.is_empty() {
                return all;
            }
            all.extend(more);
        }
    }

    fn is_excused(&self, fix: Oid, to: usize) -> bool {
        let policy = self.policy();
        let branch = policy.flow.stages.get(to).map(|stage| stage.branch.clone());
        self.world.records.iter().any(|r| match &r.body {
            RecordBody::NotApplicable { fix: named, to } => {
                *named == fix
                    && Some(to) == branch.as_ref()
                    && policy.roles.has(&r.by, &policy.debts.approvers)
            }
            _ => false,
        })
    }

    fn since(&self, stage: usize, fix: Oid) -> Option<Instant> {
        let branch = self.policy().flow.stages.get(stage)?.branch.as_str().to_string();
        let own = self.world.moves.iter().filter(|(name, ..)| *name == branch);
        own.filter(|(.., tip)| self.past(*tip).contains(&fix)).map(|(_, at, _)| *at).min()
    }
}
