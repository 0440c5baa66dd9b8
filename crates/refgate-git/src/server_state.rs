//! What must be known before anything is asked of the ledger or of history: releases and tips.

use std::collections::BTreeMap;

use refgate_core::{Flow, Oid, Policy, Push, RefKind, Release};

use crate::reader::Reader;
use crate::{GitError, release_openers, releases};

/// What is at rest around a push, before its commits are looked at.
#[derive(Debug, Clone, Default)]
pub struct ServerSurvey {
    /// The releases that matter, lowest version first.
    pub releases: Vec<Release>,
    /// The tips of the flow's stages, by their place.
    pub tips: BTreeMap<usize, Oid>,
}

/// Reads it.
///
/// # Errors
/// If a reference or tag cannot be read.
pub fn survey(reader: &Reader, policy: &Policy, push: &Push) -> Result<ServerSurvey, GitError> {
    let kinds: Vec<RefKind<'_>> = push.updates.iter().map(|u| policy.kind(&u.name)).collect();
    let mut survey = ServerSurvey::default();
    if kinds.iter().any(|kind| matches!(kind, RefKind::Release(_))) {
        survey.releases = releases(reader, &policy.release)?;
    } else if kinds.iter().any(|kind| matches!(kind, RefKind::Governed(_))) {
        survey.releases = release_openers(reader, &policy.release)?;
    }
    // A tag that claims to come from the future came by now at the latest.
    survey.releases.iter_mut().for_each(|release| release.at = release.at.min(push.at));
    if kinds.iter().any(|kind| !matches!(kind, RefKind::Topic)) {
        survey.tips = stage_tips(reader, &policy.flow)?;
    }
    Ok(survey)
}

/// The tips of the stages that exist, by their place in the flow.
///
/// # Errors
/// If a reference cannot be read.
pub fn stage_tips(reader: &Reader, flow: &Flow) -> Result<BTreeMap<usize, Oid>, GitError> {
    let mut tips = BTreeMap::new();
    for (place, stage) in flow.stages.iter().enumerate() {
        if let Some((tip, _)) = reader.reference(&stage.branch)? {
            tips.insert(place, tip);
        }
    }
    Ok(tips)
}
