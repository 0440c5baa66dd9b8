//! Blocks promotions while a fix is overdue on an earlier stage.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, promotions};
use crate::rules::Properties;
use crate::{Case, Debt, Finding, Requirement, RuleId, Target, rules};

/// Debts past their due date block a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebtsViolation {
    /// The overdue debts, earliest first.
    pub debts: Vec<Debt>,
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
        let open = one.item.facts.debts.iter().filter(concerns);
        let open: Vec<&Debt> = open.filter(|debt| !is_excused(case, debt)).collect();
        let overdue = |debt: &&&Debt| debt.is_overdue(case.policy.debts.due, case.push.at);
        let all = open.iter().filter(|debt| overdue(debt) == Some(true));
        let mut debts: Vec<Debt> = all.map(|debt| (*debt).clone()).collect();
        // A debt without a time could be overdue.
        if debts.is_empty() && open.iter().any(|debt| overdue(&debt).is_none()) {
            found.push(unknown_time(one));
        }
        debts.sort_by_key(|debt| (debt.since, debt.fix, debt.to));
        if debts.is_empty() {
            continue;
        }
        found.push(Finding {
            rule: RuleId::Debts,
            update: one.item.index,
            landing: Some(one.landing.commit),
            violation: DebtsViolation { debts }.into(),
            requirement: Requirement::WaitsFor("the fixes".to_string()),
        });
    }
    found
}

fn unknown_time(one: &ClassifiedLanding<'_>) -> Finding {
    let fact = "when a missing fix landed (git fetch origin refs/refgate/log:refs/refgate/log)";
    Finding {
        rule: RuleId::Debts,
        update: one.item.index,
        landing: Some(one.landing.commit),
        violation: rules::Violation::FactMissing { fact },
        requirement: Requirement::Never,
    }
}

/// Whether a record says that the fix does not apply to the stage.
fn is_excused(case: &Case<'_>, debt: &Debt) -> bool {
    let to = case.policy.flow.stages.get(debt.to).map(|stage| &stage.branch);
    case.ledger.not_applicable.iter().any(|one| one.fix == debt.fix && Some(&one.to) == to)
}
