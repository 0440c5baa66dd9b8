//! Computes freezes, approvals, eligibility and waivers in the reference model.

use refgate_core::{ClassId, EvidenceKind, Instant, Oid, RecordBody, Window, WindowSpan};

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
    ) -> bool {
        let stage = |at: usize| self.policy().flow.stages.get(at).map(|s| s.branch.as_str());
        let here = match place {
            GovernedBranch::Stage(at) => stage(at).unwrap_or_default(),
            GovernedBranch::Line(name) => name,
        };
        self.world.records.iter().any(|r| match &r.body {
            RecordBody::Approval { rule: named, of, on } => {
                named.name() == rule
                    && *of == id
                    && on.as_str() == here
                    && self.other(&r.by)
                    && self.policy().roles.has(&r.by, role)
                    && !self.wrote(&r.by, id, side)
            }
            _ => false,
        })
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
            && self.approved("backport", &rules.approvers, (place, id), side);
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
                && self.approved("freeze", &window.approvers, (place, id), side);
            covers && !window.lets_through.contains(&class) && !fast && self.closed(window)
        })
    }

    pub(super) fn closed(&self, window: &Window) -> bool {
        let now = self.world.clock;
        let (minimum, exit) = match &window.span {
            WindowSpan::Fixed(intervals) => {
                return intervals.iter().any(|i| i.start <= now && now < i.end);
            }
            WindowSpan::AfterMajorRelease { minimum, exit, .. } => (*minimum, exit),
        };
        let Some(since) = self.major() else { return false };
        let policy = self.policy();
        // The number of records by people with a role since the release.
        let said = |role: &str, is: &dyn Fn(&RecordBody) -> bool| {
            let all = self.world.records.iter().filter(|r| {
                is(&r.body) && r.at >= since && r.at <= now && policy.roles.has(&r.by, role)
            });
            all.count()
        };
        let iterations =
            said(&policy.ledger.releases, &|body| matches!(body, RecordBody::Iteration { .. }));
        if iterations > 0 {
            return false;
        }
        let seen = |wanted: EvidenceKind| {
            said(
                &policy.ledger.evidence,
                &|body| matches!(body, RecordBody::Evidence { what, .. } if *what == wanted),
            )
        };
        let signed =
            |role: &String| said(role, &|body| matches!(body, RecordBody::FreezeExit { .. })) > 0;
        let enough = seen(EvidenceKind::ProductionRun) >= exit.production_runs as usize
            && (!exit.notice || seen(EvidenceKind::Notice) > 0)
            && exit.sign_off.as_ref().is_none_or(signed);
        now < since + minimum || !enough
    }

    /// Does not count uses: the generator allows more uses than a push can need.
    pub(super) fn waived(&self, name: &str, rule: &str, id: Oid, side: &[Oid]) -> bool {
        let never = ["ref-name", "object-format", "policy-change", "deletion", "ledger"];
        let (rules, now) = (&self.policy().waivers, self.world.clock);
        !never.contains(&rule)
            && self.world.records.iter().any(|r| match &r.body {
                RecordBody::Waiver { rule: named, on, until, .. } => {
                    named.name() == rule
                        && on.as_str() == name
                        && r.at <= now
                        && now < (*until).min(r.at + rules.longest)
                        && self.other(&r.by)
                        && self.policy().roles.has(&r.by, &rules.approvers)
                        && !self.wrote(&r.by, id, side)
                }
                _ => false,
            })
    }
}
