//! What do calendar and records say, counted once more by hand?

use refgate_core::{ClassId, Instant, Oid, Span, Window};

use super::{Place, View};

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

    pub(super) fn approved(&self, rule: &str, role: &str, id: Oid, side: &[Oid]) -> bool {
        self.world.ledger.approvals.iter().any(|approval| {
            approval.rule == rule
                && approval.of == id
                && self.other(&approval.by)
                && self.policy().roles.has(&approval.by, role)
                && !self.wrote(&approval.by, id, side)
        })
    }

    pub(super) fn wrote(&self, person: &str, id: Oid, side: &[Oid]) -> bool {
        let all = side.iter().chain([&id]);
        all.filter_map(|id| self.world.nodes.get(id)).any(|node| node.author == person)
    }

    pub(super) fn eligible(&self, place: Place, class: ClassId, id: Oid, side: &[Oid]) -> bool {
        let rules = &self.policy().backport;
        let hotfix = place != Place::Line && self.policy().hotfix.classes.contains(&class);
        if hotfix || rules.always.contains(&class) {
            return true;
        }
        let inside = self.major().is_some_and(|at| self.world.clock < at + rules.window);
        let agreed = rules.with_approval.contains(&class)
            && self.approved("backport", &rules.approvers, id, side);
        inside && (rules.within.contains(&class) || agreed)
    }

    pub(super) fn frozen(&self, place: Place, class: ClassId, id: Oid, side: &[Oid]) -> bool {
        self.policy().windows.iter().any(|window| {
            let covers = match place {
                Place::Stage(at) => window.stages.contains(&at),
                Place::Line => window.lines,
            };
            let fast = window.fast_track.contains(&class)
                && self.approved("freeze", &window.approvers, id, side);
            covers && !window.lets_through.contains(&class) && !fast && self.closed(window)
        })
    }

    pub(super) fn closed(&self, window: &Window) -> bool {
        let now = self.world.clock;
        let (minimum, exit) = match &window.span {
            Span::Fixed(intervals) => {
                return intervals.iter().any(|i| i.start <= now && now < i.end);
            }
            Span::AfterMajorRelease { minimum, exit, .. } => (*minimum, exit),
        };
        let Some(since) = self.major() else { return false };
        let ledger = &self.world.ledger;
        let later = |at: Instant| at >= since && at <= now;
        if ledger.iterations.iter().any(|next| later(next.at)) {
            return false;
        }
        let count =
            |kind: &str| ledger.evidence.iter().filter(|e| e.kind == kind && later(e.at)).count();
        let enough = count("production-run") >= exit.production_runs as usize
            && (!exit.notice || count("notice") > 0)
            && ledger.blockers.iter().all(|b| now < b.open.start || now >= b.open.end)
            && (exit.sign_off.is_none()
                || ledger.sign_offs.iter().any(|s| s.meaning == "freeze-exit" && later(s.at)));
        now < since + minimum || !enough
    }

    /// Uses are left out: the generator gives waivers more than a push can use.
    pub(super) fn waived(&self, name: &str, rule: &str, id: Oid, side: &[Oid]) -> bool {
        let never = ["ref-name", "object-format", "policy-change", "deletion"];
        !never.contains(&rule)
            && self.world.ledger.waivers.iter().any(|waiver| {
                waiver.rule == rule
                    && waiver.on.as_str() == name
                    && waiver.during.start <= self.world.clock
                    && self.world.clock < waiver.during.end
                    && self.other(&waiver.by)
                    && self.policy().roles.has(&waiver.by, &self.policy().waivers)
                    && !self.wrote(&waiver.by, id, side)
            })
    }
}
