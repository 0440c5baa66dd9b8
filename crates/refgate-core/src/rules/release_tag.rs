//! Is a release tag new, real, in production, and of a version that grows?

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::case::{Item, Landed};
use crate::{
    Case, Finding, RefChange, RefKind, Release, RuleId, TagFacts, Takes, Version, What,
};

pub(super) fn check(case: &Case<'_>, _: &[Landed<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        let RefKind::Release(version) = case.policy.kind(&item.update.name) else { continue };
        let object = |what, takes| Finding {
            rule: RuleId::ReleaseTag,
            update: item.index,
            landing: None,
            what,
            takes,
        };
        match item.update.change {
            RefChange::Move { old, .. } => {
                found.push(object(What::TagMoved { old }, Takes::Never));
            }
            RefChange::Create { .. } => found.extend(
                objections(case, &item, version).into_iter().map(|(what, takes)| object(what, takes)),
            ),
            RefChange::Delete { .. } => {}
        }
    }
    found
}

fn objections(case: &Case<'_>, item: &Item<'_>, version: Version) -> Vec<(What, Takes)> {
    let mut all = Vec::new();
    let Some(facts) = item.facts.tag else {
        if !item.facts.not_a_commit {
            all.push((What::FactMissing { fact: "the tag's object" }, Takes::Never));
        }
        return all;
    };
    let rules = &case.policy.release;
    if rules.annotated && !facts.annotated {
        all.push((What::TagNotAnnotated, Takes::Never));
    }
    if rules.signed && !facts.signed {
        all.push((What::TagNotSigned, Takes::Never));
    }
    if facts.annotated && !facts.same_name {
        all.push((What::TagNameDiffers, Takes::Never));
    }
    if !facts.shipped {
        let stage = case.policy.flow.production().map(|(_, stage)| stage.branch.short());
        let production = stage.unwrap_or("production").to_string();
        let takes = Takes::WaitsFor(production.clone());
        all.push((What::TagNotShipped { production }, takes));
    }
    if let Some(highest) = highest(&case.history.releases, version, &facts) {
        let what = What::VersionNotGrown {
            version,
            existing: highest.tag.clone(),
            level: version.level_after(highest.version),
        };
        all.push((what, Takes::Never));
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
