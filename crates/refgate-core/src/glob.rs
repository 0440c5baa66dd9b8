//! Matches paths and branch names against glob patterns with `?`, `*` and `**`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// A path pattern in the style of `.gitignore`: `docs/**`, `**/*.md`, `release/*`. `*` stays
/// within one segment, `**` crosses segments. The whole path must match. A match takes time
/// proportional to the pattern times the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    segments: Vec<Segment>,
}

/// One segment of a pattern. Most are plain text, which is compared directly.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Any,
    Plain(String),
    Wild(Vec<char>),
}

impl Glob {
    /// The pattern; `None` if it is empty or has an empty segment.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.split('/').any(str::is_empty) {
            return None;
        }
        let segment = |part: &str| match part {
            "**" => Segment::Any,
            wild if wild.contains(['*', '?']) => Segment::Wild(wild.chars().collect()),
            plain => Segment::Plain(plain.to_string()),
        };
        let segments = text.split('/').map(segment).collect();
        Some(Self { text: text.to_string(), segments })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole `path` matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        // The last segment decides most often, and is the cheapest to compare.
        let name = path.rsplit('/').next().unwrap_or(path);
        if self.segments.last().is_some_and(|last| *last != Segment::Any && !one(last, name)) {
            return false;
        }
        let parts: Vec<&str> = path.split('/').collect();
        walk(&self.segments, &parts, |s| *s == Segment::Any, |s, part| one(s, part))
    }
}

fn one(segment: &Segment, text: &str) -> bool {
    match segment {
        Segment::Any => true,
        Segment::Plain(plain) => plain == text,
        Segment::Wild(pattern) => {
            let text: Vec<char> = text.chars().collect();
            walk(pattern, &text, |c| *c == '*', |p, t| *p == '?' || p == t)
        }
    }
}

/// The wildcard matcher for paths and words. Items for which `star` is true match any run of
/// the text. On a mismatch it returns to the latest star only, so it is never exponential.
pub(crate) fn walk<P, T>(
    pattern: &[P],
    text: &[T],
    star: impl Fn(&P) -> bool,
    one: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back = None;
    while let Some(item) = text.get(t) {
        match pattern.get(p) {
            Some(wild) if star(wild) => {
                back = Some((p, t));
                p += 1;
            }
            Some(single) if one(single, item) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star_at, from)) = back else { return false };
                back = Some((star_at, from + 1));
                p = star_at + 1;
                t = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(star)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let glob = Glob::new(pattern).unwrap();
        for path in yes {
            assert!(glob.matches(path), "{pattern} should match {path}");
        }
        for path in no {
            assert!(!glob.matches(path), "{pattern} should not match {path}");
        }
    }

    #[test]
    fn star_stays_in_its_segment_and_double_star_crosses_segments() {
        check("docs/**", &["docs/a.md", "docs/a/b.rs", "docs"], &["src/docs/a", "docsx/a"]);
        check("**/*.md", &["a.md", "x/y/a.md"], &["a.mdx", "a/md"]);
        check("release/*", &["release/1.x"], &["release/1/x", "release"]);
        check("**/test*/**", &["a/tests/b", "test/b", "tests/x/y"], &["attest/b"]);
        check("*.l?ck", &["a.lock"], &["a.lk", "x/a.lock"]);
        check("**", &["a", "a/b/c"], &[]);
    }

    #[test]
    fn matches_a_hostile_pattern_fast() {
        let glob = Glob::new(&"*a".repeat(60)).unwrap();
        assert!(!glob.matches(&"a".repeat(3000).replace("aaaa", "aaab")));
    }
}
