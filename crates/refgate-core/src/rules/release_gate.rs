//! Is what goes to production signed off, soaked, and pushed by somebody trained?

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, promotions};
use crate::freeze::after;
use crate::{
    Case, Finding, Glob, MissingSignOff, Oid, RuleId, Requirement, RequiredSignOff, Violation,
};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (one, _) in promotions(case, landed) {
        let crate::Target::Stage(_, stage) = one.target else { continue };
        if stage.production {
            let objections = [signed(case, one), soaked(case, one), trained(case)];
            found.extend(objections.into_iter().flatten().map(|(what, requirement)| Finding {
                rule: RuleId::ReleaseGate,
                update: one.item.index,
                landing: Some(one.landing.commit),
                what,
                requirement,
            }));
        }
    }
    found
}

fn signed(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<(Violation, Requirement)> {
    let tree = case.history.commit(one.landing.commit)?.tree;
    let wanted = case.policy.gate.sign_offs.iter();
    let missing: Vec<MissingSignOff> =
        wanted.filter_map(|wanted| lacks(case, one, wanted, tree)).collect();
    let role = missing.first()?.role.clone();
    Some((Violation::NotSignedOff { tree, missing }, Requirement::Needs { role }))
}

/// Sign-offs count for the tree that they name, and for another as far as
/// nothing changed that they speak of. Nobody signs off their own work or push.
fn lacks(
    case: &Case<'_>,
    one: &ClassifiedLanding<'_>,
    wanted: &RequiredSignOff,
    tree: Oid,
) -> Option<MissingSignOff> {
    let mut people: Vec<&str> = Vec::new();
    let mut reopened = None;
    for sign_off in &case.ledger.sign_offs {
        let given = sign_off.meaning == wanted.meaning
            && sign_off.at <= case.push.at
            && case.policy.roles.has(&sign_off.by, &wanted.role)
            && case.is_not_pusher(&sign_off.by)
            && !one.item.wrote(case, &sign_off.by);
        if !given {
            continue;
        }
        match touched(one, wanted, sign_off.tree, tree) {
            None => people.push(&sign_off.by),
            Some(path) => reopened = reopened.or(Some(path)),
        }
    }
    people.sort_unstable();
    people.dedup();
    let have = u32::try_from(people.len()).unwrap_or(u32::MAX);
    let (meaning, role, want) = (wanted.meaning, wanted.role.clone(), wanted.people);
    (have < want).then_some(MissingSignOff { meaning, role, have, want, reopened })
}

/// The first path by which a sign-off of one tree says nothing about another.
fn touched(one: &ClassifiedLanding<'_>, wanted: &RequiredSignOff, signed: Oid, shipped: Oid) -> Option<String> {
    if signed == shipped {
        return None;
    }
    let speaks = |globs: &[Glob], path: &str| {
        globs.is_empty() || globs.iter().any(|glob| glob.matches(path))
    };
    let Some(changes) = one.item.facts.since_signed.get(&signed) else {
        return Some(String::from("(a tree that is not at hand)"));
    };
    let change = changes.iter().find(|change| speaks(&wanted.paths, &change.path));
    change.map(|change| change.path.clone())
}

fn soaked(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<(Violation, Requirement)> {
    let soak = case.policy.gate.soak;
    let since = one.item.facts.soaking_since;
    if soak.is_zero() {
        return None;
    }
    let end = since.map(|since| after(since, soak));
    let requirement = match end {
        Some(end) if end <= case.push.at => return None,
        Some(end) => Requirement::Until(end),
        None => Requirement::WaitsFor(String::from("the stage before")),
    };
    Some((Violation::NotSoaked { since, soak }, requirement))
}

fn trained(case: &Case<'_>) -> Option<(Violation, Requirement)> {
    let course = case.policy.gate.course.as_ref()?;
    let actor = case.push.actor.as_ref().map(|actor| actor.0.clone());
    let own = case.ledger.certificates.iter().filter(|certificate| {
        certificate.course == *course && Some(&certificate.person) == actor.as_ref()
    });
    if own.clone().any(|certificate| certificate.during.contains(case.push.at)) {
        return None;
    }
    let expired = own.map(|certificate| certificate.during.end).max();
    let what = Violation::NotTrained { actor, course: course.clone(), expired };
    Some((what, Requirement::Needs { role: case.policy.ledger.trainers.clone() }))
}
