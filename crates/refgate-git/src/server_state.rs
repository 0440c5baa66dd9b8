//! Reads releases and stage tips, which the gate needs before it reads ledger and history.

use std::collections::BTreeMap;

use refgate_core::{Flow, Oid, Policy, Push, RefKind, Release};

use crate::reader::Reader;
use crate::{GitError, release_openers, releases};

/// The facts at rest that the gate needs before it reads the commits of a push.
#[derive(Debug, Clone, Default)]
pub struct ServerSurvey {
    /// The releases that the rules need for this push, lowest version first.
    pub releases: Vec<Release>,
    /// The tips of the stages, by their place in the flow.
    pub tips: BTreeMap<usize, Oid>,
}

/// Reads the survey of a push.
///
/// # Errors
/// Returns an error if a ref or a tag cannot be read.
pub fn survey(reader: &Reader, policy: &Policy, push: &Push) -> Result<ServerSurvey, GitError> {
    let kinds: Vec<RefKind<'_>> = push.updates.iter().map(|u| policy.kind(&u.name)).collect();
    let mut survey = ServerSurvey::default();
    if kinds.iter().any(|kind| matches!(kind, RefKind::Release(_))) {
        survey.releases = releases(reader, &policy.release)?;
    } else if kinds.iter().any(|kind| matches!(kind, RefKind::Governed(_))) {
        survey.releases = release_openers(reader, &policy.release)?;
    }
    // A release cannot be later than the push, whatever date its tag claims.
    survey.releases.iter_mut().for_each(|release| release.at = release.at.min(push.at));
    if kinds.iter().any(|kind| !matches!(kind, RefKind::Topic)) {
        survey.tips = stage_tips(reader, &policy.flow)?;
    }
    Ok(survey)
}

/// The tips of the stages that exist, by their place in the flow.
///
/// # Errors
/// Returns an error if a ref cannot be read.
pub fn stage_tips(reader: &Reader, flow: &Flow) -> Result<BTreeMap<usize, Oid>, GitError> {
    let mut tips = BTreeMap::new();
    for (place, stage) in flow.stages.iter().enumerate() {
        if let Some((tip, _)) = reader.reference(&stage.branch)? {
            tips.insert(place, tip);
        }
    }
    Ok(tips)
}
