//! Which releases are at rest, and when did the server receive each?

use chrono::DateTime;
use refgate_core::{Instant, RefName, Release, ReleaseRules, Version};

use crate::reader::Reader;
use crate::tag::follow;
use crate::{GitError, reflog};

/// All release tags, lowest version first.
///
/// # Errors
/// If a tag cannot be read.
pub fn releases(reader: &Reader, rules: &ReleaseRules) -> Result<Vec<Release>, GitError> {
    let all = versions(reader, rules)?;
    all.into_iter()
        .filter_map(|(version, name)| release(reader, version, &name).transpose())
        .collect()
}

/// The lowest release of each major version: since versions only grow, it is
/// the one that opened that major's freeze. The rest need not be read.
///
/// # Errors
/// If a tag cannot be read.
pub fn release_openers(reader: &Reader, rules: &ReleaseRules) -> Result<Vec<Release>, GitError> {
    let mut all = versions(reader, rules)?;
    all.dedup_by_key(|(version, _)| version.major);
    all.into_iter()
        .filter_map(|(version, name)| release(reader, version, &name).transpose())
        .collect()
}

fn versions(reader: &Reader, rules: &ReleaseRules) -> Result<Vec<(Version, RefName)>, GitError> {
    let mut all = Vec::new();
    let mut tags = reader.repository().references_glob("refs/tags/*")?;
    for name in tags.names() {
        // A tag whose name is no UTF-8 is no release tag.
        let Ok(name) = name else { continue };
        let version = name.strip_prefix("refs/tags/").and_then(|tag| rules.version(tag));
        if let (Some(version), Ok(name)) = (version, RefName::parse(name)) {
            all.push((version, name));
        }
    }
    all.sort();
    Ok(all)
}

fn release(reader: &Reader, version: Version, name: &RefName) -> Result<Option<Release>, GitError> {
    let Some((value, _)) = reader.reference(name)? else { return Ok(None) };
    let chain = follow(reader, name, value)?;
    let Some(commit) = chain.commit else { return Ok(None) };
    // The first line of its reflog, which Git itself wrote. Tags that are older
    // than the installation have none; for them the tag's own date stands, which
    // nobody can push any more.
    let received = reflog(reader.git_dir(), name).first().map(|moved| moved.at);
    let claimed = chain.claimed.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let at = received.or(claimed).unwrap_or(Instant::UNIX_EPOCH);
    let tag = name.short().to_string();
    Ok(Some(Release { tag, version, commit, at }))
}
