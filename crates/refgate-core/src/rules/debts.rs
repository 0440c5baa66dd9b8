//! Are fixes that went straight to a later stage still owed to an earlier one, past their time?

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, promotions};
use crate::freeze::after;
use crate::{Case, Debt, Finding, RuleId, Requirement, Target, Violation};

/// An overdue debt of a stage holds up promotions into it and out of it, and
/// any overdue debt holds up production: what is promoted would lack a fix that
/// users already have (docs/design/model.md, "Promotion and release" and "Backports and hotfixes").
pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (one, from) in promotions(case, landed) {
        let Target::Stage(to, stage) = one.target else { continue };
        let concerns = |debt: &&Debt| stage.production || debt.to == to || debt.to == from;
        let overdue = |debt: &&Debt| after(debt.since, case.policy.debts.due) <= case.push.at;
        let all = one.item.facts.debts.iter().filter(concerns).filter(overdue);
        let mut debts: Vec<Debt> = all.filter(|debt| !excused(case, debt)).cloned().collect();
        debts.sort_by_key(|debt| (debt.since, debt.fix, debt.to));
        if debts.is_empty() {
            continue;
        }
        let owes = debts.iter().map(|debt| branch(case, debt.to)).collect();
        found.push(Finding {
            rule: RuleId::Debts,
            update: one.item.index,
            landing: Some(one.landing.commit),
            what: Violation::Overdue { debts, owes },
            requirement: Requirement::WaitsFor("the fixes".to_string()),
        });
    }
    found
}

fn branch(case: &Case<'_>, place: usize) -> String {
    let stage = case.policy.flow.stages.get(place);
    stage.map_or_else(String::new, |stage| stage.branch.short().to_string())
}

/// Somebody has put on record why the fix need not go there.
fn excused(case: &Case<'_>, debt: &Debt) -> bool {
    let to = case.policy.flow.stages.get(debt.to).map(|stage| &stage.branch);
    case.ledger.not_applicable.iter().any(|one| one.fix == debt.fix && Some(&one.to) == to)
}
