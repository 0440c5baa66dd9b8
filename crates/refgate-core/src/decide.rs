//! Decides a push: all rules, all findings, then waivers.

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::decision::DecidedLanding;
use crate::freeze::is_enough;
use crate::{
    Case, Decision, Finding, LedgerView, RecordId, RuleId, RuleMode, Verdict, Violation,
    WaivedFinding, Waiver, freezes_at,
};

/// Decides a case. Pure, total and deterministic (docs/design/model.md, "Decision"): the same four
/// values give the same decision, whatever the order of rules, updates or records.
#[must_use]
pub fn decide(case: &Case<'_>) -> Decision {
    let landed = case.landed();
    let mut decision = Decision {
        verdict: Verdict::Accept,
        findings: Vec::new(),
        warnings: Vec::new(),
        waived: Vec::new(),
        landings: landed.iter().map(seen).collect(),
        freezes: Vec::new(),
    };
    let mut uses = WaiverUses::new(case.ledger);
    for finding in all_findings(case, &landed) {
        match case.policy.mode(finding.rule) {
            RuleMode::Off => {}
            RuleMode::Warn => decision.warnings.push(finding),
            RuleMode::Enforce => match uses.take(case, &landed, &finding) {
                Some(waivers) => decision.waived.push(WaivedFinding { finding, waivers }),
                None => decision.findings.push(finding),
            },
        }
    }
    let our_fault = |finding: &Finding| matches!(finding.violation, Violation::FactMissing { .. });
    decision.verdict = if decision.findings.iter().any(our_fault) || unpaired(case) {
        Verdict::Undecided
    } else if decision.findings.is_empty() {
        Verdict::Accept
    } else {
        Verdict::Reject
    };
    let freezes = freezes_at(case.policy, &case.history.releases, case.ledger, case.push.at);
    decision.freezes = freezes.iter().map(|f| (f.window.name.clone(), f.state)).collect();
    decision
}

/// Facts that do not belong to the updates cannot support a decision.
fn unpaired(case: &Case<'_>) -> bool {
    case.push.updates.len() != case.history.updates.len()
}

fn seen(landed: &ClassifiedLanding<'_>) -> DecidedLanding {
    DecidedLanding {
        update: landed.item.index,
        commit: landed.landing.commit,
        route: landed.route,
        class: landed.class.clone(),
    }
}

fn all_findings(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut all = Vec::new();
    for rule in RuleId::ALL {
        if case.policy.on(*rule) {
            all.extend(rule.check(case, landed));
        }
    }
    all.sort_by_key(|finding| (finding.update, finding.landing, finding.rule));
    all
}

/// Waivers with their remaining uses. The waiver that ends first is used first, so that
/// the order of records does not matter.
struct WaiverUses<'a> {
    left: Vec<(&'a Waiver, u32)>,
    taken: Vec<TakenWaivers>,
}

/// The waivers that one landing has used for one rule.
struct TakenWaivers {
    rule: RuleId,
    update: usize,
    landing: Option<crate::Oid>,
    waivers: Vec<RecordId>,
}

impl<'a> WaiverUses<'a> {
    fn new(ledger: &'a LedgerView) -> Self {
        let mut left: Vec<_> = ledger.waivers.iter().map(|w| (w, w.uses_left)).collect();
        left.sort_by_key(|(waiver, _)| (waiver.during.end, waiver.id));
        Self { left, taken: Vec::new() }
    }

    /// Uses a waiver of each of as many people as the policy requires, if enough apply. Several
    /// findings of one rule about one landing are one use.
    fn take(
        &mut self,
        case: &Case<'a>,
        landed: &[ClassifiedLanding<'_>],
        finding: &Finding,
    ) -> Option<Vec<RecordId>> {
        let before = self.taken.iter().find(|taken| {
            (taken.rule, taken.update, taken.landing)
                == (finding.rule, finding.update, finding.landing)
        });
        if let Some(taken) = before {
            return Some(taken.waivers.clone());
        }
        let mut people: Vec<String> = Vec::new();
        let mut found: Vec<&mut (&Waiver, u32)> = Vec::new();
        let required = case.policy.waivers.persons;
        for entry in &mut self.left {
            let (waiver, left) = (entry.0, entry.1);
            // With one person, only somebody who is not the pusher can grant it.
            let counts = required > 1 || case.is_not_pusher(&waiver.by);
            if left > 0
                && counts
                && !is_enough(people.len(), required)
                && !people.contains(&waiver.by)
                && holds(case, landed, finding, waiver)
            {
                people.push(waiver.by.clone());
                found.push(entry);
            }
        }
        if !case.is_agreed(&people, required) {
            return None;
        }
        found.iter_mut().for_each(|entry| entry.1 -= 1);
        let waivers: Vec<RecordId> = found.iter().map(|entry| entry.0.id).collect();
        let (rule, update, landing) = (finding.rule, finding.update, finding.landing);
        self.taken.push(TakenWaivers { rule, update, landing, waivers: waivers.clone() });
        Some(waivers)
    }
}

/// Whether a waiver covers this finding, is in force, and was granted by a person with
/// the role who is not an author of the change.
fn holds(
    case: &Case<'_>,
    landed: &[ClassifiedLanding<'_>],
    finding: &Finding,
    waiver: &Waiver,
) -> bool {
    let Some(update) = case.push.updates.get(finding.update) else { return false };
    let of = landed
        .iter()
        .find(|l| l.item.index == finding.update && Some(l.landing.commit) == finding.landing);
    let class_fits = waiver.class.is_none_or(|c| of.is_some_and(|l| l.class.effective() == c));
    let commit_fits = waiver.commit.is_none_or(|c| finding.landing == Some(c));
    // A gate judges everything that the update brings, other rules judge one landing.
    let properties = finding.rule.properties();
    let is_author = of.is_some_and(|l| {
        l.is_author(case, &waiver.by) || properties.gate && l.item.is_author(case, &waiver.by)
    });
    properties.waivable
        && waiver.rule == finding.rule
        && waiver.on == update.name
        && waiver.during.contains(case.push.at)
        && class_fits
        && commit_fits
        && case.policy.roles.has(&waiver.by, &case.policy.waivers.approvers)
        && !is_author
}
