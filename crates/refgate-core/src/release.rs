//! What is a release, how large is it, and when was the last major one?

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use crate::{Instant, Oid};

/// A version: one to three numbers; missing ones count as zero, so `2.0` and
/// `2.0.0` are the same version, under two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Grows when a release may break its users.
    pub major: u32,
    /// Grows when it adds.
    pub minor: u32,
    /// Grows when it mends.
    pub patch: u32,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = [0; 3];
        let parts: Vec<&str> = text.split('.').collect();
        if parts.len() > 3 {
            return None;
        }
        for (number, part) in numbers.iter_mut().zip(parts) {
            let padded = part.len() > 1 && part.starts_with('0');
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            if part.is_empty() || part.len() > 9 || !digits || padded {
                return None;
            }
            *number = part.parse().ok()?;
        }
        let [major, minor, patch] = numbers;
        Some(Self { major, minor, patch })
    }

    /// How far this version is from the next lower one.
    #[must_use]
    pub fn level_after(self, previous: Self) -> Level {
        match (self.major.cmp(&previous.major), self.minor.cmp(&previous.minor)) {
            (Ordering::Equal, Ordering::Equal) => Level::Patch,
            (Ordering::Equal, _) => Level::Minor,
            _ => Level::Major,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// How large a release is; it follows from version order (docs/design/model.md, "Promotion and release").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It mends.
    Patch,
    /// It adds.
    Minor,
    /// It opens a freeze.
    Major,
}

/// A release that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The tag's name.
    pub tag: String,
    /// Its version.
    pub version: Version,
    /// The commit.
    pub commit: Oid,
    /// When the server received the tag.
    pub at: Instant,
}

/// How release tags are written: a fixed text before and after the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPattern {
    /// Before the version.
    pub prefix: String,
    /// After it.
    pub suffix: String,
}

impl TagPattern {
    /// `v{version}`: exactly one `{version}`, else `None`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (prefix, suffix) = text.split_once("{version}")?;
        (!suffix.contains("{version}"))
            .then(|| Self { prefix: prefix.to_string(), suffix: suffix.to_string() })
    }
}

/// What a policy asks of release tags.
#[derive(Debug, Clone, Default)]
pub struct ReleaseRules {
    /// How they are written.
    pub tags: Vec<TagPattern>,
    /// They must be annotated tag objects.
    pub annotated: bool,
    /// They must carry a signature.
    pub signed: bool,
}

impl ReleaseRules {
    /// The version of a tag, if it is a release tag.
    #[must_use]
    pub fn version(&self, tag: &str) -> Option<Version> {
        self.tags.iter().find_map(|pattern| {
            let rest = tag.strip_prefix(pattern.prefix.as_str())?;
            Version::parse(rest.strip_suffix(pattern.suffix.as_str())?)
        })
    }
}

/// The latest major release received at or before `at`. A release is major
/// when its major number is higher than that of every release received before
/// it, and not the repository's first release unless it is at least 1.0.0.
#[must_use]
pub fn last_major(releases: &[Release], at: Instant) -> Option<&Release> {
    let mut seen: Vec<&Release> = releases.iter().filter(|release| release.at <= at).collect();
    seen.sort_by_key(|release| (release.at, release.version));
    let mut highest = 0;
    let mut found = None;
    for release in seen {
        if release.version.major > highest {
            highest = release.version.major;
            found = Some(release);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Duration;
    use alloc::vec;

    #[test]
    fn versions_of_the_real_history() {
        let patterns = ["v{version}", "{version}"].iter().filter_map(|p| TagPattern::new(p));
        let rules = ReleaseRules { tags: patterns.collect(), annotated: true, signed: false };
        assert_eq!(rules.version("2.0").unwrap().to_string(), "2.0.0");
        assert_eq!(rules.version("v2.3.0").unwrap().to_string(), "2.3.0");
        for no in ["", "v", "2.0-rc1", "1.2.3.4", "1..2", "release", "99999999999", "02.1"] {
            assert_eq!(rules.version(no), None, "{no}");
        }
    }

    #[test]
    fn the_last_major_release() {
        let release = |tag: &str, day: i64| Release {
            tag: tag.to_string(),
            version: Version::parse(tag).unwrap(),
            commit: Oid::default(),
            at: Instant::UNIX_EPOCH + Duration::days(day),
        };
        let all = vec![
            release("0.9.4", 1),
            release("1.0.0", 5),
            release("1.1", 7),
            release("2.0", 9),
            release("1.1.1", 10),
        ];
        let at = |day| last_major(&all, Instant::UNIX_EPOCH + Duration::days(day)).map(|r| &*r.tag);
        assert_eq!(
            (at(4), at(5), at(8), at(20)),
            (None, Some("1.0.0"), Some("1.0.0"), Some("2.0"))
        );
    }
}
