//! Counts the sign-offs that hold for the tree of a promotion.

use alloc::string::String;
use alloc::vec::Vec;

use super::ReleaseGateViolation;
use crate::case::ClassifiedLanding;
use crate::{Case, Glob, MissingSignOff, Oid, Requirement, RequiredSignOff};

pub(super) fn judge(
    case: &Case<'_>,
    one: &ClassifiedLanding<'_>,
) -> Option<(ReleaseGateViolation, Requirement)> {
    let tree = case.history.commit(one.landing.commit)?.tree;
    let required = case.policy.gate.sign_offs.iter();
    let missing: Vec<MissingSignOff> =
        required.filter_map(|required| find_missing(case, one, required, tree)).collect();
    let role = missing.first()?.role.clone();
    Some((ReleaseGateViolation::NotSignedOff { tree, missing }, Requirement::Needs { role }))
}

/// A sign-off counts for the tree that it names, and for another tree if no path that it
/// covers differs. The pusher and the authors of the change do not count.
fn find_missing(
    case: &Case<'_>,
    one: &ClassifiedLanding<'_>,
    required: &RequiredSignOff,
    tree: Oid,
) -> Option<MissingSignOff> {
    let mut people: Vec<&str> = Vec::new();
    let mut reopened = None;
    for sign_off in &case.ledger.sign_offs {
        let given = sign_off.meaning == required.meaning
            && sign_off.at <= case.push.at
            && case.policy.roles.has(&sign_off.by, &required.role)
            && case.is_not_pusher(&sign_off.by)
            && !one.item.is_author(case, &sign_off.by);
        if !given {
            continue;
        }
        match changed_path(one, required, sign_off.tree, tree) {
            None => people.push(&sign_off.by),
            Some(path) => reopened = reopened.or(Some(path)),
        }
    }
    people.sort_unstable();
    people.dedup();
    let have = u32::try_from(people.len()).unwrap_or(u32::MAX);
    let (meaning, role, want) = (required.meaning, required.role.clone(), required.people);
    (have < want).then_some(MissingSignOff { meaning, role, have, want, reopened })
}

/// The first changed path that the sign-off covers.
pub(super) fn changed_path(
    one: &ClassifiedLanding<'_>,
    required: &RequiredSignOff,
    signed: Oid,
    shipped: Oid,
) -> Option<String> {
    if signed == shipped {
        return None;
    }
    let covers = |globs: &[Glob], path: &str| {
        globs.is_empty() || globs.iter().any(|glob| glob.matches(path))
    };
    let Some(changes) = one.item.facts.changes_since_sign_off.get(&signed) else {
        return Some(String::from("(a tree that the server does not have)"));
    };
    let change = changes.iter().find(|change| covers(&required.paths, &change.path));
    change.map(|change| change.path.clone())
}
