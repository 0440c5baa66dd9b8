//! Decides whether a change may land on a later stage or a line without a promotion.

mod exact;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::needs::Needs;
use crate::rules::Properties;
use crate::{
    Case, ClassId, Classification, Eligibility, Finding, Oid, Receipt, Requirement, Route, RuleId,
    eligibility,
};

/// What is wrong with a backport or a hotfix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackportViolation {
    /// The class may not land here without a promotion.
    NotEligible {
        /// The class that was found.
        class: Classification,
        /// The route of the landing.
        route: Route,
        /// Why the class may not land.
        eligibility: Eligibility,
        /// The branch of the previous stage, if there is one.
        previous: Option<String>,
    },
    /// The cherry-pick differs from what Git makes of its original.
    NotExact {
        /// The original.
        of: Oid,
        /// How it differs.
        receipt: Receipt,
    },
    /// The landing contains conflict markers.
    ConflictMarkers {
        /// The files.
        paths: Vec<String>,
    },
    /// The change was neither promoted nor picked from another branch.
    OwnWork {
        /// The commit that contains it.
        commit: Oid,
        /// The class of the landing.
        class: Classification,
    },
    /// The cherry-pick declares a lower class than its original.
    Downgraded {
        /// The original.
        of: Oid,
        /// The class of the cherry-pick.
        class: ClassId,
        /// The class of the original.
        was: ClassId,
    },
}

pub(crate) const PROPERTIES: Properties = Properties {
    approvable: true,
    facts: |context| {
        if !context.is_later() {
            return Needs::NONE;
        }
        let exact = context.policy.backport.exact;
        Needs { evil: exact, receipts: exact, ..context.changes() }
    },
    ..Properties::DEFAULT
};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    landed.iter().filter_map(|one| judge(case, one).or_else(|| exact::judge(case, one))).collect()
}

/// The effective class, or unclassified where only words of the subject suggest one:
/// a guess must not open a way past the stages.
fn declared_class(one: &ClassifiedLanding<'_>) -> ClassId {
    if one.class.is_guess() { ClassId::UNCLASSIFIED } else { one.class.effective() }
}

fn judge(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<Finding> {
    if !one.is_new_work() || one.target.is_first() || one.is_squash(case) {
        return None;
    }
    let class = declared_class(one);
    let releases = &case.history.releases;
    let answer = eligibility(case.policy, releases, &one.target, class, case.push.at);
    let requirement = match &answer {
        Eligibility::Yes => return None,
        Eligibility::Approval { role, .. } if one.approved(case, RuleId::Backport, role) => {
            return None;
        }
        Eligibility::Approval { role, .. } => Requirement::Needs { role: role.clone() },
        Eligibility::Deferred { .. } => Requirement::WaitsFor("the next iteration".to_string()),
        Eligibility::Never => Requirement::Never,
    };
    let place = one.target.place();
    let previous = place.and_then(|place| case.policy.flow.previous(place));
    let violation = BackportViolation::NotEligible {
        class: one.class.clone(),
        route: one.route,
        eligibility: answer,
        previous: previous.map(|stage| stage.branch.short().to_string()),
    };
    Some(finding(one, violation.into(), requirement))
}

fn finding(
    one: &ClassifiedLanding<'_>,
    violation: crate::Violation,
    requirement: Requirement,
) -> Finding {
    let landing = Some(one.landing.commit);
    Finding { rule: RuleId::Backport, update: one.item.index, landing, violation, requirement }
}
