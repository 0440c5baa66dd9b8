//! Computes freezes, approvals, eligibility and waivers in the reference model.

use std::collections::BTreeSet;

use refgate_core::{ClassId, EvidenceKind, Instant, Oid, Record, RecordBody, Window, WindowSpan};

use super::{GovernedBranch, View};

impl View<'_> {
    pub(super) fn major(&self) -> Option<Instant> {
        let mut all: Vec<(Instant, Vec<u32>)> = self
            .world
            .server
            .keys()
            .filter_map(|name| Some((*self.world.received.get(name)?, self.version(name)?)))
            .filter(|(at, _)| *at <= self.world.clock)
            .collect();
        all.sort();
        let (mut top, mut found) = (0, None);
        for (at, version) in all {
            let major = version.first().copied().unwrap_or(0);
            if major > top {
                (top, found) = (major, Some(at));
            }
        }
        found
    }

    pub(super) fn approved(
        &self,
        rule: &str,
        role: &str,
        (place, id): (GovernedBranch<'_>, Oid),
        side: &[Oid],
        persons: u32,
    ) -> bool {
        let stage = |at: usize| self.policy().flow.stages.get(at).map(|s| s.branch.as_str());
        let here = match place {
            GovernedBranch::Stage(at) => stage(at).unwrap_or_default(),
            GovernedBranch::Line(name) => name,
        };
        let given = self.world.records.iter().filter(|r| match &r.body {
            RecordBody::Approval { rule: named, of, on } => {
                named.name() == rule
                    && *of == id
                    && on.as_str() == here
                    && self.policy().roles.has(&r.by, role)
                    && !self.wrote(&r.by, id, side)
            }
            _ => false,
        });
        self.agreed(&given.map(|r| r.by.as_str()).collect(), persons)
    }

    /// Whether so many people agreed, one of whom is not the pusher.
    fn agreed(&self, people: &BTreeSet<&str>, persons: u32) -> bool {
        people.len() >= persons as usize && people.iter().any(|person| self.other(person))
    }

    pub(super) fn wrote(&self, person: &str, id: Oid, side: &[Oid]) -> bool {
        let all = side.iter().chain([&id]);
        all.filter_map(|id| self.world.nodes.get(id)).any(|node| node.author == person)
    }

    pub(super) fn is_eligible(
        &self,
        place: GovernedBranch<'_>,
        class: ClassId,
        id: Oid,
        side: &[Oid],
    ) -> bool {
        let rules = &self.policy().backport;
        let hotfix = !matches!(place, GovernedBranch::Line(_))
            && self.policy().hotfix.classes.contains(&class);
        if hotfix || rules.always.contains(&class) {
            return true;
        }
        let inside = self.major().is_some_and(|at| self.world.clock < at + rules.window);
        let agreed = rules.with_approval.contains(&class)
            && self.approved("backport", &rules.approvers, (place, id), side, 1);
        inside && (rules.within.contains(&class) || agreed)
    }

    pub(super) fn frozen(
        &self,
        place: GovernedBranch<'_>,
        class: ClassId,
        id: Oid,
        side: &[Oid],
    ) -> bool {
        self.policy().windows.iter().any(|window| {
            let covers = match place {
                GovernedBranch::Stage(at) => window.stages.contains(&at),
                GovernedBranch::Line(_) => window.lines,
            };
            let fast = window.fast_track.contains(&class)
                && self.approved("freeze", &window.approvers, (place, id), side, window.persons);
            covers
                && !window.lets_through.contains(&class)
                && !fast
                && self.closed(window, id, side)
        })
    }

    /// Whether a window is closed for a change: its authors cannot end the freeze for it.
    fn closed(&self, window: &Window, id: Oid, side: &[Oid]) -> bool {
        let now = self.world.clock;
        let (minimum, exit) = match &window.span {
            WindowSpan::Fixed(intervals) => {
                return intervals.iter().any(|i| i.start <= now && now < i.end);
            }
            WindowSpan::AfterMajorRelease { minimum, exit, .. } => (*minimum, exit),
        };
        let Some(since) = self.major() else { return false };
        let policy = self.policy();
        // The records by people with a role since the release.
        let said = |role: &str, is: &dyn Fn(&RecordBody) -> bool| -> Vec<&Record> {
            let all = self.world.records.iter().filter(|r| {
                is(&r.body) && r.at >= since && r.at <= now && policy.roles.has(&r.by, role)
            });
            all.collect()
        };
        let opened =
            said(&policy.ledger.releases, &|body| matches!(body, RecordBody::Iteration { .. }));
        let opened: BTreeSet<&str> = opened.iter().map(|r| r.by.as_str()).collect();
        let others = opened.into_iter().filter(|by| !self.wrote(by, id, side)).count();
        if others > 0 && others >= window.persons as usize {
            return false;
        }
        let runs = said(&policy.ledger.evidence, &|body| {
            matches!(body, RecordBody::Evidence { what: EvidenceKind::ProductionRun, .. })
        });
        let runs: BTreeSet<&str> = runs
            .iter()
            .filter_map(|r| match &r.body {
                RecordBody::Evidence { run, .. } => run.as_deref(),
                _ => None,
            })
            .collect();
        let notices = said(&policy.ledger.evidence, &|body| {
            matches!(body, RecordBody::Evidence { what: EvidenceKind::Notice, .. })
        });
        let signed = |role: &String| {
            !said(role, &|body| matches!(body, RecordBody::FreezeExit { .. })).is_empty()
        };
        let enough = runs.len() >= exit.production_runs as usize
            && (!exit.notice || !notices.is_empty())
            && exit.sign_off.as_ref().is_none_or(signed);
        now < since + minimum || !enough
    }

    /// Does not count uses: the generator allows more uses than a push can need.
    pub(super) fn waived(&self, name: &str, rule: &str, id: Oid, side: &[Oid]) -> bool {
        let never = ["ref-name", "object-format", "policy-change", "deletion", "ledger"];
        let (rules, now) = (&self.policy().waivers, self.world.clock);
        let given = self.world.records.iter().filter(|r| match &r.body {
            RecordBody::Waiver { rule: named, on, until, .. } => {
                named.name() == rule
                    && on.as_str() == name
                    && r.at <= now
                    && now < (*until).min(r.at + rules.longest)
                    && self.policy().roles.has(&r.by, &rules.approvers)
                    && !self.wrote(&r.by, id, side)
            }
            _ => false,
        });
        !never.contains(&rule)
            && self.agreed(&given.map(|r| r.by.as_str()).collect(), rules.persons)
    }
}
