//! Requires that a release tag is new, annotated, in production, and of a growing version.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::case::{ClassifiedLanding, UpdateItem};
use crate::rules::Properties;
use crate::{
    Case, Finding, Level, Oid, RefChange, RefKind, Release, Requirement, RuleId, TagFacts, Version,
    rules,
};

/// What is wrong with a release tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The tag would move.
    Moved {
        /// The value that the server has.
        old: Oid,
    },
    /// The tag is lightweight, and must be annotated.
    NotAnnotated,
    /// The tag has no signature.
    NotSigned,
    /// The tag object contains another name.
    NameDiffers,
    /// The tagged commit was never the tip of a production branch.
    NotShipped {
        /// The production branch.
        production: String,
    },
    /// The version does not grow.
    VersionNotGrown {
        /// The version of the tag.
        version: Version,
        /// The release that is as high or higher.
        existing: String,
        /// The level of a release that follows it.
        level: Level,
    },
    /// The tag has the form of a release, but a number with more than 9 digits.
    NumberTooLarge,
}

pub(crate) const PROPERTIES: Properties = Properties::DEFAULT;

pub(super) fn check(case: &Case<'_>, _: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in case.items() {
        let version = match case.policy.kind(&item.update.name) {
            RefKind::Release(version) => Some(version),
            _ => None,
        };
        let name = item.update.name.tag_name();
        let too_large = name.is_some_and(|tag| case.policy.release.is_too_large(tag));
        let all: Vec<(rules::Violation, Requirement)> = match (item.update.change, version) {
            (RefChange::Create { .. } | RefChange::Move { .. }, None) if too_large => {
                Vec::from([(Violation::NumberTooLarge.into(), Requirement::Never)])
            }
            (_, None) => continue,
            (RefChange::Move { old, .. }, Some(_)) => {
                Vec::from([(Violation::Moved { old }.into(), Requirement::Never)])
            }
            (RefChange::Create { .. }, Some(version)) => judge_new(case, &item, version),
            (RefChange::Delete { .. }, Some(_)) => Vec::new(),
        };
        found.extend(all.into_iter().map(|(violation, requirement)| Finding {
            rule: RuleId::ReleaseTag,
            update: item.index,
            landing: None,
            violation,
            requirement,
        }));
    }
    found
}

fn judge_new(
    case: &Case<'_>,
    item: &UpdateItem<'_>,
    version: Version,
) -> Vec<(rules::Violation, Requirement)> {
    let mut all = Vec::new();
    let Some(facts) = item.facts.tag else {
        if !item.facts.not_a_commit {
            let missing = rules::Violation::FactMissing { fact: "the tag's object" };
            all.push((missing, Requirement::Never));
        }
        return all;
    };
    let wanted = &case.policy.release;
    for (wrong, violation) in [
        (wanted.annotated && !facts.annotated, Violation::NotAnnotated),
        (wanted.signed && !facts.signed, Violation::NotSigned),
        (facts.annotated && !facts.same_name, Violation::NameDiffers),
    ] {
        all.extend(wrong.then(|| (violation.into(), Requirement::Never)));
    }
    if !facts.shipped {
        let stage = case.policy.flow.production().map(|(_, stage)| stage.branch.short());
        let production = stage.unwrap_or("production").to_string();
        let requirement = Requirement::WaitsFor(production.clone());
        all.push((Violation::NotShipped { production }.into(), requirement));
    }
    if let Some(highest) = highest(&case.history.releases, version, &facts) {
        let existing = highest.tag.clone();
        let level = version.level_after(highest.version);
        let violation = Violation::VersionNotGrown { version, existing, level };
        all.push((violation.into(), Requirement::Never));
    }
    all
}

/// The highest release that this version does not exceed. On a production stage of the
/// flow all releases count, on a release line those with the same major version.
fn highest<'a>(all: &'a [Release], version: Version, facts: &TagFacts) -> Option<&'a Release> {
    let same_line = |release: &&Release| facts.on_flow || release.version.major == version.major;
    let highest = all.iter().filter(same_line).max_by_key(|release| release.version)?;
    (highest.version >= version).then_some(highest)
}
