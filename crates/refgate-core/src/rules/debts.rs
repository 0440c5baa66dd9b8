//! Blocks promotions while a fix is overdue on an earlier stage.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, promotions};
use crate::freeze::after;
use crate::rules::Properties;
use crate::{Case, Debt, Finding, Requirement, RuleId, Target};

/// Debts past their due date block a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebtsViolation {
    /// The overdue debts, earliest first.
    pub debts: Vec<Debt>,
    /// For each debt, the branch that is missing the fix.
    pub missing_on: Vec<String>,
}

pub(crate) const PROPERTIES: Properties = Properties {
    gate: true,
    facts: |context| context.gate(),
    ..Properties::DEFAULT
};

/// An overdue debt of a stage blocks promotions into that stage and out of it. Any
/// overdue debt blocks production, because the promoted tree would lack a fix that
/// users already have (docs/design/model.md, "Backports and hotfixes").
pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (one, from) in promotions(case, landed) {
        let Target::Stage(to, stage) = one.target else { continue };
        let concerns = |debt: &&Debt| stage.production || debt.to == to || debt.to == from;
        let overdue = |debt: &&Debt| after(debt.since, case.policy.debts.due) <= case.push.at;
        let all = one.item.facts.debts.iter().filter(concerns).filter(overdue);
        let mut debts: Vec<Debt> = all.filter(|debt| !is_excused(case, debt)).cloned().collect();
        debts.sort_by_key(|debt| (debt.since, debt.fix, debt.to));
        if debts.is_empty() {
            continue;
        }
        let missing_on = debts.iter().map(|debt| branch_name(case, debt.to)).collect();
        found.push(Finding {
            rule: RuleId::Debts,
            update: one.item.index,
            landing: Some(one.landing.commit),
            violation: DebtsViolation { debts, missing_on }.into(),
            requirement: Requirement::WaitsFor("the fixes".to_string()),
        });
    }
    found
}

fn branch_name(case: &Case<'_>, place: usize) -> String {
    let stage = case.policy.flow.stages.get(place);
    stage.map_or_else(String::new, |stage| stage.branch.short().to_string())
}

/// Whether a record says that the fix does not apply to the stage.
fn is_excused(case: &Case<'_>, debt: &Debt) -> bool {
    let to = case.policy.flow.stages.get(debt.to).map(|stage| &stage.branch);
    case.ledger.not_applicable.iter().any(|one| one.fix == debt.fix && Some(&one.to) == to)
}
