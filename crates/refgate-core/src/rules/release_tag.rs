//! Is a release tag new, real, in production, and of a version that grows?

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::case::{UpdateItem, ClassifiedLanding};
use crate::{
    Case, Finding, RefChange, RefKind, Release, RuleId, TagFacts, Requirement, Version, Violation,
};

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        let RefKind::Release(version) = case.policy.kind(&item.update.name) else { continue };
        let object = |what, requirement| Finding {
            rule: RuleId::ReleaseTag,
            update: item.index,
            landing: None,
            what,
            requirement,
        };
        match item.update.change {
            RefChange::Move { old, .. } => {
                found.push(object(Violation::TagMoved { old }, Requirement::Never));
            }
            RefChange::Create { .. } => found.extend(
                objections(case, &item, version).into_iter().map(|(what, requirement)| object(what, requirement)),
            ),
            RefChange::Delete { .. } => {}
        }
    }
    found
}

fn objections(case: &Case<'_>, item: &UpdateItem<'_>, version: Version) -> Vec<(Violation, Requirement)> {
    let mut all = Vec::new();
    let Some(facts) = item.facts.tag else {
        if !item.facts.not_a_commit {
            all.push((Violation::FactMissing { fact: "the tag's object" }, Requirement::Never));
        }
        return all;
    };
    let rules = &case.policy.release;
    if rules.annotated && !facts.annotated {
        all.push((Violation::TagNotAnnotated, Requirement::Never));
    }
    if rules.signed && !facts.signed {
        all.push((Violation::TagNotSigned, Requirement::Never));
    }
    if facts.annotated && !facts.same_name {
        all.push((Violation::TagNameDiffers, Requirement::Never));
    }
    if !facts.shipped {
        let stage = case.policy.flow.production().map(|(_, stage)| stage.branch.short());
        let production = stage.unwrap_or("production").to_string();
        let requirement = Requirement::WaitsFor(production.clone());
        all.push((Violation::TagNotShipped { production }, requirement));
    }
    if let Some(highest) = highest(&case.history.releases, version, &facts) {
        let what = Violation::VersionNotGrown {
            version,
            existing: highest.tag.clone(),
            level: version.level_after(highest.version),
        };
        all.push((what, Requirement::Never));
    }
    all
}

/// The highest release that this version does not exceed. On the flow's own
/// production stage all releases count; on a release line those of its major.
fn highest<'a>(all: &'a [Release], version: Version, facts: &TagFacts) -> Option<&'a Release> {
    let same_line = |release: &&Release| facts.on_flow || release.version.major == version.major;
    let highest = all.iter().filter(same_line).max_by_key(|release| release.version)?;
    (highest.version >= version).then_some(highest)
}
