//! Counts the sign-offs that hold for the tree of a promotion.

use alloc::string::String;
use alloc::vec::Vec;

use super::ReleaseGateViolation;
use crate::case::ClassifiedLanding;
use crate::{Case, Change, Glob, MissingSignOff, Oid, RequiredSignOff, Requirement, SignOffCount};

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
    let mut signed: Vec<&str> = Vec::new();
    let mut reopened = None;
    for sign_off in &case.ledger.sign_offs {
        let given = sign_off.meaning == required.meaning
            && sign_off.at <= case.push.at
            && case.policy.roles.has(&sign_off.by, &required.role)
            && can_sign(case, one, &sign_off.by);
        if !given {
            continue;
        }
        match changed_path(one, required, sign_off.tree, tree) {
            None => signed.push(&sign_off.by),
            Some(path) => reopened = reopened.or(Some(path)),
        }
    }
    signed.sort_unstable();
    signed.dedup();
    let people = case.policy.roles.people(&required.role).iter();
    let mut open: Vec<String> = people
        .filter(|person| !signed.contains(&person.as_str()) && can_sign(case, one, person))
        .filter(|person| !is_absent(case, one, person))
        .cloned()
        .collect();
    open.sort_unstable();
    open.dedup();
    let have = u32::try_from(signed.len()).unwrap_or(u32::MAX);
    let want = match required.people {
        SignOffCount::AtLeast(want) => want,
        // An empty set of people never satisfies anything.
        SignOffCount::All => {
            have.saturating_add(u32::try_from(open.len()).unwrap_or(u32::MAX)).max(1)
        }
    };
    let (meaning, role) = (required.meaning, required.role.clone());
    (have < want.max(1)).then_some(MissingSignOff { meaning, role, have, want, open, reopened })
}

/// The pusher and the authors of the change sign nothing off for it.
fn can_sign(case: &Case<'_>, one: &ClassifiedLanding<'_>, person: &str) -> bool {
    case.is_not_pusher(person) && !one.item.is_author(case, person)
}

/// Whether a person, or two others who are not authors of the change, recorded an absence that
/// holds at the time of the push.
fn is_absent(case: &Case<'_>, one: &ClassifiedLanding<'_>, person: &str) -> bool {
    let all = case.ledger.absences.iter();
    let now = all.filter(|one| one.person == person && one.during.contains(case.push.at));
    let mut others: Vec<&str> = Vec::new();
    for absence in now {
        if absence.by == person {
            return true;
        }
        if !others.contains(&absence.by.as_str()) && !one.item.is_author(case, &absence.by) {
            others.push(&absence.by);
        }
    }
    others.len() >= 2
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
    let ignored = |change: &Change| {
        crate::PathKind::of(change).is_some_and(|kind| required.ignores.contains(&kind))
    };
    let change = changes.iter().find(|one| covers(&required.paths, &one.path) && !ignored(one));
    change.map(|change| change.path.clone())
}
