//! Checks object ids and ref names, so that the rest of refgate holds only valid ones.

use alloc::string::{String, ToString};
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

/// The longest ref name that is accepted, in bytes. libgit2 can neither look up nor delete
/// names beyond its own limit (docs/design/threats.md, P13).
const MAX_REF_NAME: usize = 200;

/// A SHA-1 object id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Oid([u8; 20]);

// Large pushes hash and order ids more often than anything else. Eight of the twenty bytes
// are sufficient for the hash: two ids that share them take 2^32 attempts to find.
impl Hash for Oid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.head());
    }
}

impl Ord for Oid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.head().cmp(&other.head()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Oid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Oid {
    /// The id with these twenty bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The first eight bytes, as a number with the same order.
    const fn head(&self) -> u64 {
        let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _] = self.0;
        u64::from_be_bytes(first)
    }

    /// Parses exactly forty lower-case hexadecimal digits, as Git writes them to a hook. Any
    /// other text is `None`.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        let mut bytes = [0; 20];
        if digits.len() != 40 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }

    /// The twenty bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Whether this is the zero id, which Git uses for "no object".
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// The first ten digits, for messages.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

fn digit(ascii: u8) -> Option<u8> {
    match ascii {
        b'0'..=b'9' => Some(ascii - b'0'),
        b'a'..=b'f' => Some(ascii - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a ref name is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefNameError {
    /// It does not begin with `refs/`.
    #[error("it does not begin with `refs/`")]
    Outside,
    /// It is longer than refgate accepts.
    #[error("it has more than 200 bytes")]
    TooLong,
    /// It breaks one of the rules of `git check-ref-format`.
    #[error("it breaks the rules of `git check-ref-format`")]
    Malformed,
    /// It contains invisible characters, or characters that change the reading direction.
    #[error("it contains invisible or direction-changing characters")]
    Invisible,
}

/// A full ref name such as `refs/heads/dev`. It is always valid.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName(String);

impl RefName {
    /// Checks a full ref name by the rules of `git check-ref-format`. Invisible characters are
    /// errors too (docs/design/threats.md, P8, P9, P13).
    ///
    /// # Errors
    /// The first rule that the name breaks.
    pub fn parse(name: &str) -> Result<Self, RefNameError> {
        if !name.starts_with("refs/") {
            return Err(RefNameError::Outside);
        }
        if name.len() > MAX_REF_NAME {
            return Err(RefNameError::TooLong);
        }
        if has_invisible(name) {
            return Err(RefNameError::Invisible);
        }
        let forbidden = |c: char| matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
        let bad_part = |part: &str| {
            let lock = part.len() >= 5 && part.as_bytes().ends_with(b".lock");
            part.is_empty() || part.starts_with('.') || part.ends_with('.') || lock
        };
        if name.contains("..") || name.contains("@{") || name.contains(forbidden) {
            return Err(RefNameError::Malformed);
        }
        if name.split('/').any(bad_part) || name.split('/').count() < 3 {
            return Err(RefNameError::Malformed);
        }
        Ok(Self(name.to_string()))
    }

    /// The full name of the branch `short`, if that is a valid name.
    ///
    /// # Errors
    /// As [`RefName::parse`].
    pub fn branch(short: &str) -> Result<Self, RefNameError> {
        Self::parse(&alloc::format!("refs/heads/{short}"))
    }

    /// The full name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The short name, without `refs/heads/` or `refs/tags/`.
    #[must_use]
    pub fn short(&self) -> &str {
        let name = self.as_str();
        self.branch_name().or_else(|| self.tag_name()).unwrap_or(name)
    }

    /// The branch name, if this is a branch.
    #[must_use]
    pub fn branch_name(&self) -> Option<&str> {
        self.0.strip_prefix("refs/heads/")
    }

    /// The tag name, if this is a tag.
    #[must_use]
    pub fn tag_name(&self) -> Option<&str> {
        self.0.strip_prefix("refs/tags/")
    }
}

/// Whether a name has an invisible character. A joiner (U+200C, U+200D) inside a word of
/// another script, or inside an emoji, belongs to the word; between ASCII characters it hides.
fn has_invisible(name: &str) -> bool {
    let mut before = None;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let other = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !is_invisible(c));
        let joins =
            matches!(c, '\u{200c}' | '\u{200d}') && other(before) && other(chars.peek().copied());
        if is_invisible(c) && !joins {
            return true;
        }
        before = Some(c);
    }
    false
}

/// Control characters (C0, DEL, C1), zero-width characters, bidirectional
/// controls and other format characters (docs/design/threats.md, R17).
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

impl fmt::Debug for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_well_formed_visible_ref_names() {
        for good in ["refs/heads/dev", "refs/heads/feature/x-1", "refs/tags/v2.0", "refs/heads/é"]
        {
            assert!(RefName::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "HEAD",
            "refs/heads",
            "refs/heads/",
            "refs//heads/q",
            "refs/heads/../../config",
            "refs/heads/a b",
            "refs/heads/x.lock",
            "refs/heads/.x",
            "refs/heads/x.",
            "refs/heads/a@{b",
            "refs/heads/a\u{1b}[1m",
            "refs/heads/de\u{200b}v",
            "refs/heads/\u{202e}ved",
            "refs/heads/a\\b",
            "refs/heads/a*",
            "refs/heads/x\n",
        ] {
            assert!(RefName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            RefName::parse(&alloc::format!("refs/heads/{}", "x".repeat(200))),
            Err(RefNameError::TooLong)
        );
    }

    #[test]
    fn accepts_only_ids_of_forty_lower_case_digits() {
        let hex = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(Oid::from_hex(hex).unwrap().to_string(), hex);
        assert_eq!(Oid::from_hex(&hex.to_uppercase()), None);
        assert_eq!(Oid::from_hex(&hex[1..]), None);
    }
}
