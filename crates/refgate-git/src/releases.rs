//! Lists the release tags at rest, and when the server received each of them.

use chrono::DateTime;
use refgate_core::{Instant, RefName, Release, ReleaseRules, Version};

use crate::reader::Reader;
use crate::tag::follow;
use crate::{GitError, reflog};

/// All release tags, lowest version first.
///
/// # Errors
/// Returns an error if a tag cannot be read.
pub fn releases(reader: &Reader, rules: &ReleaseRules) -> Result<Vec<Release>, GitError> {
    let all = versions(reader, rules)?;
    all.into_iter()
        .filter_map(|(version, name)| release(reader, version, &name).transpose())
        .collect()
}

/// The lowest release of each major version, lowest version first. Versions only increase, so
/// this release opened the derived freeze of its major version. The other tags are not read.
///
/// # Errors
/// Returns an error if a tag cannot be read.
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
        // A tag whose name is not UTF-8 is not a release tag.
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
    // Git itself wrote the first line of the reflog. A tag that is older than the installation
    // has no reflog. Its own date counts then, because nobody can push this tag any more.
    let received = reflog(reader.git_dir(), name).first().map(|moved| moved.at);
    let claimed = chain.claimed.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let at = received.or(claimed).unwrap_or(Instant::UNIX_EPOCH);
    let tag = name.short().to_string();
    Ok(Some(Release { tag, version, commit, at }))
}
