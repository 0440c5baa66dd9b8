//! Judges a release tag that a push creates.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::ReleaseTagViolation;
use crate::case::UpdateItem;
use crate::{Case, Release, Requirement, TagFacts, TagSignature, Version, rules};

pub(super) fn judge(
    case: &Case<'_>,
    item: &UpdateItem<'_>,
    version: Version,
) -> Vec<(rules::Violation, Requirement)> {
    let mut all = Vec::new();
    let Some(facts) = &item.facts.tag else {
        if !item.facts.not_a_commit {
            let missing = rules::Violation::FactMissing { fact: "the tag's object" };
            all.push((missing, Requirement::Never));
        }
        return all;
    };
    let wanted = &case.policy.release;
    for (wrong, violation) in [
        (wanted.annotated && !facts.annotated, ReleaseTagViolation::NotAnnotated),
        (facts.annotated && !facts.same_name, ReleaseTagViolation::NameDiffers),
    ] {
        all.extend(wrong.then(|| (violation.into(), Requirement::Never)));
    }
    all.extend(judge_signature(case, facts).map(|violation| (violation.into(), Requirement::Never)));
    if !facts.shipped {
        let stage = case.policy.flow.production().map(|(_, stage)| stage.branch.short());
        let production = stage.unwrap_or("production").to_string();
        let requirement = Requirement::WaitsFor(production.clone());
        all.push((ReleaseTagViolation::NotShipped { production }.into(), requirement));
    }
    if let Some(highest) = highest(&case.history.releases, version, facts) {
        let existing = highest.tag.clone();
        let level = version.level_after(highest.version);
        let violation = ReleaseTagViolation::VersionNotGrown { version, existing, level };
        all.push((violation.into(), Requirement::Never));
    }
    all
}

fn judge_signature(case: &Case<'_>, facts: &TagFacts) -> Option<ReleaseTagViolation> {
    let rules = &case.policy.release;
    if !rules.signed {
        return None;
    }
    let own = Some(&rules.signers).filter(|role| !role.is_empty());
    let role = own.unwrap_or(&case.policy.ledger.releases);
    match &facts.signature {
        TagSignature::Missing => Some(ReleaseTagViolation::NotSigned),
        TagSignature::Invalid(why) => Some(ReleaseTagViolation::SignatureInvalid { why: why.clone() }),
        TagSignature::By(by) if case.policy.roles.has(by, role) => None,
        TagSignature::By(by) => {
            Some(ReleaseTagViolation::SignerNotAllowed { by: by.clone(), role: role.clone() })
        }
    }
}

/// The highest release that this version does not exceed. On a production stage of the
/// flow all releases count, on a release line those with the same major version.
fn highest<'a>(all: &'a [Release], version: Version, facts: &TagFacts) -> Option<&'a Release> {
    let same_line = |release: &&Release| facts.on_flow || release.version.major == version.major;
    let highest = all.iter().filter(same_line).max_by_key(|release| release.version)?;
    (highest.version >= version).then_some(highest)
}
