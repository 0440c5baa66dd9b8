//! Requires that a release tag is new, annotated, in production, and of a growing version.

mod new_tag;

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::rules::Properties;
use crate::{
    Case, Finding, Level, Oid, RefChange, RefKind, Requirement, RuleId,
    Version,
    rules,
};

/// What is wrong with a release tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseTagViolation {
    /// The tag would move.
    Moved {
        /// The value that the server has.
        old: Oid,
    },
    /// The tag is lightweight, and must be annotated.
    NotAnnotated,
    /// The tag has no signature.
    NotSigned,
    /// The signature of the tag is not valid.
    SignatureInvalid {
        /// Why.
        why: String,
    },
    /// A person without the role signed the tag.
    SignerNotAllowed {
        /// The signer.
        by: String,
        /// The role.
        role: String,
    },
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
                Vec::from([(ReleaseTagViolation::NumberTooLarge.into(), Requirement::Never)])
            }
            (_, None) => continue,
            (RefChange::Move { old, .. }, Some(_)) => {
                Vec::from([(ReleaseTagViolation::Moved { old }.into(), Requirement::Never)])
            }
            (RefChange::Create { .. }, Some(version)) => new_tag::judge(case, &item, version),
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
