//! Defines releases, versions and release tags, and finds the last major release.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use crate::{Instant, Oid};

/// A version: one to three numbers. Missing numbers are zero, so `2.0` and `2.0.0` are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// It grows when a release can break its users.
    pub major: u32,
    /// It grows when a release adds something.
    pub minor: u32,
    /// It grows when a release fixes something.
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

    /// The level of this version after the previous one.
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

/// The level of a release. It follows from the order of versions
/// (docs/design/model.md, "Promotion and release").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The release fixes something.
    Patch,
    /// The release adds something.
    Minor,
    /// The release opens a freeze.
    Major,
}

/// An existing release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The name of its tag.
    pub tag: String,
    /// Its version.
    pub version: Version,
    /// Its commit.
    pub commit: Oid,
    /// When the server received the tag.
    pub at: Instant,
}

/// The form of release tags: fixed text before and after the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPattern {
    /// The text before the version.
    pub prefix: String,
    /// The text after the version.
    pub suffix: String,
    /// Whether the version is a single number (`{major}`). Otherwise it has two or three
    /// numbers, because a single number is often a date, a ticket or a branch.
    pub single: bool,
}

impl TagPattern {
    /// Parses a pattern such as `v{version}` or `release-{major}`; `None` unless it has exactly
    /// one placeholder.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let single = text.contains("{major}");
        let (prefix, suffix) = text.split_once(if single { "{major}" } else { "{version}" })?;
        let plain = |text: &str| !text.contains("{version}") && !text.contains("{major}");
        (plain(prefix) && plain(suffix)).then(|| Self {
            prefix: prefix.to_string(),
            suffix: suffix.to_string(),
            single,
        })
    }

    /// The tag of a version.
    #[must_use]
    pub fn tag(&self, version: Version) -> String {
        let Self { prefix, suffix, single } = self;
        match single {
            true => alloc::format!("{prefix}{}{suffix}", version.major),
            false => alloc::format!("{prefix}{version}{suffix}"),
        }
    }

    /// The text in the place of the version.
    fn middle<'t>(&self, tag: &'t str) -> Option<&'t str> {
        tag.strip_prefix(self.prefix.as_str())?.strip_suffix(self.suffix.as_str())
    }

    fn version(&self, tag: &str) -> Option<Version> {
        let text = self.middle(tag)?;
        (text.contains('.') != self.single).then(|| Version::parse(text)).flatten()
    }

    /// Whether the tag has the form of a release, but a number with more than 9 digits.
    fn is_too_large(&self, tag: &str) -> bool {
        self.middle(tag).is_some_and(|text| {
            let numbers = || text.split('.');
            text.contains('.') != self.single
                && numbers()
                    .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
                && numbers().any(|part| part.len() > 9)
        })
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let placeholder = if self.single { "{major}" } else { "{version}" };
        write!(f, "{}{placeholder}{}", self.prefix, self.suffix)
    }
}

/// The requirements for release tags.
#[derive(Debug, Clone, Default)]
pub struct ReleaseRules {
    /// Their forms.
    pub tags: Vec<TagPattern>,
    /// They must be annotated.
    pub annotated: bool,
    /// They must have a valid signature.
    pub signed: bool,
    /// The role whose people may sign them. Empty: the role that names release candidates.
    pub signers: String,
}

impl ReleaseRules {
    /// The version of a tag, if it is a release tag.
    #[must_use]
    pub fn version(&self, tag: &str) -> Option<Version> {
        self.tags.iter().find_map(|pattern| pattern.version(tag))
    }

    /// Whether a tag has the form of a release, but a number that is too large for a version.
    #[must_use]
    pub fn is_too_large(&self, tag: &str) -> bool {
        self.version(tag).is_none() && self.tags.iter().any(|pattern| pattern.is_too_large(tag))
    }
}

/// The latest major release that was received at or before `at`. A release is major if its
/// major number is higher than that of every earlier release. The first release is major
/// only from 1.0.0 on.
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
    fn parses_the_versions_of_the_real_history() {
        let patterns = ["v{version}", "{version}"].iter().filter_map(|p| TagPattern::new(p));
        let rules =
            ReleaseRules { tags: patterns.collect(), annotated: true, ..ReleaseRules::default() };
        assert_eq!(rules.version("2.0").unwrap().to_string(), "2.0.0");
        assert_eq!(rules.version("v2.3.0").unwrap().to_string(), "2.3.0");
        for no in [
            "",
            "v",
            "2.0-rc1",
            "1.2.3.4",
            "1..2",
            "release",
            "99999999999",
            "02.1",
            "2",
            "v2",
            "20261128",
        ] {
            assert_eq!(rules.version(no), None, "{no}");
        }
        assert!(rules.is_too_large("v18446744073709551615.0.0") && !rules.is_too_large("20261128"));
        let numbers = ReleaseRules { tags: vec![TagPattern::new("v{major}").unwrap()], ..rules };
        assert_eq!(numbers.version("v2").unwrap().to_string(), "2.0.0");
        assert_eq!(numbers.version("v2.0"), None);
    }

    #[test]
    fn finds_the_last_major_release() {
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
