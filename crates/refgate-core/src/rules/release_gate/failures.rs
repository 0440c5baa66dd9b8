//! Finds a failed user acceptance test that counts against the tree of a promotion.

use super::{ReleaseGateViolation, sign_offs};
use crate::case::ClassifiedLanding;
use crate::{Candidate, Case, Meaning, Requirement};

/// A failure counts against its tree, and against every tree for which a sign-off of that tree
/// would still count (docs/design/model.md, "Promotion and release"). Sign-offs beside it do
/// not satisfy the gate.
pub(super) fn judge(
    case: &Case<'_>,
    one: &ClassifiedLanding<'_>,
) -> Option<(ReleaseGateViolation, Requirement)> {
    let tree = case.history.commit(one.landing.commit)?.tree;
    let required = case.policy.gate.sign_offs.iter().filter(|one| one.meaning == Meaning::Uat);
    let concerns = |candidate: &&Candidate| {
        candidate.tree == tree
            || required.clone().any(|required| {
                sign_offs::changed_path(one, required, candidate.tree, tree).is_none()
            })
    };
    let mut failed = case.ledger.candidates.iter().filter(concerns).filter_map(|candidate| {
        Some((candidate, one.item.standing_failure(case, candidate)?.clone()))
    });
    let (candidate, failure) = failed.next()?;
    let role = required.clone().next().map(|required| required.role.clone());
    let role = role.unwrap_or_else(|| case.policy.ledger.releases.clone());
    let (release, number) = (candidate.release.clone(), candidate.number);
    let violation = ReleaseGateViolation::Failed { release, number, failure, role: role.clone() };
    Some((violation, Requirement::Needs { role }))
}
