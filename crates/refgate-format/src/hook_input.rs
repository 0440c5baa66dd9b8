//! Parses the ref updates that Git writes to the standard input of a hook.

use refgate_core::{Oid, RefName, RefNameError};

/// The longest line, in bytes: two ids, and a name of libgit2's longest length.
pub const MAX_LINE: usize = 2 * 64 + 2 + 1_440;

/// One line of the input. The old value is a claim of the client. It must be compared with the
/// repository before it is used (docs/design/threats.md, R3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookLine {
    /// The value at rest that the client claims; zero for a creation.
    pub claimed_old: Oid,
    /// The new value; zero for a deletion.
    pub new: Oid,
    /// The ref.
    pub name: RefName,
}

/// Why the whole input is invalid. One bad line rejects the push (docs/design/threats.md, R2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookInputError {
    /// A line is not `OLD NEW NAME`.
    #[error("cannot parse line {line} of the hook input: expected `OLD NEW NAME`")]
    Line {
        /// Its number, from 1.
        line: usize,
    },
    /// An id does not have the length of SHA-1.
    #[error("cannot parse line {line} of the hook input: object format sha256 is not supported")]
    Format {
        /// Its number, from 1.
        line: usize,
    },
    /// A name is not valid UTF-8.
    #[error("cannot parse line {line} of the hook input: the ref name `{shown}` is not UTF-8")]
    Utf8 {
        /// Its number, from 1.
        line: usize,
        /// The name, escaped.
        shown: String,
    },
    /// A name is invalid.
    #[error("cannot use the ref name `{shown}`: {why}")]
    Name {
        /// The name, escaped.
        shown: String,
        /// The reason.
        why: RefNameError,
    },
    /// A name occurs twice.
    #[error("cannot update the ref `{name}` twice in one push")]
    Twice {
        /// The name.
        name: String,
    },
    /// The old value and the new value are both zero.
    #[error("cannot update the ref `{name}`: its old and its new value are zero")]
    Nothing {
        /// The name.
        name: String,
    },
    /// There are too many updates.
    #[error("cannot accept the push: it updates more than {limit} refs")]
    TooMany {
        /// The limit of the server.
        limit: usize,
    },
    /// There is no line.
    #[error("cannot read the hook input: it is empty")]
    Empty,
}

/// Parses the whole input.
///
/// # Errors
/// The first error in the input.
pub fn parse_hook_input(input: &[u8], max_refs: usize) -> Result<Vec<HookLine>, HookInputError> {
    let Some(body) = input.strip_suffix(b"\n") else {
        return Err(if input.is_empty() {
            HookInputError::Empty
        } else {
            HookInputError::Line { line: 1 }
        });
    };
    let mut lines = Vec::new();
    for (place, bytes) in body.split(|byte| *byte == b'\n').enumerate() {
        if lines.len() == max_refs {
            return Err(HookInputError::TooMany { limit: max_refs });
        }
        lines.push(line(place + 1, bytes)?);
    }
    let mut names: Vec<&RefName> = lines.iter().map(|line| &line.name).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| matches!(pair, [a, b] if a == b));
    match twice.and_then(<[_]>::first) {
        Some(name) => Err(HookInputError::Twice { name: name.as_str().to_string() }),
        None => Ok(lines),
    }
}

fn line(number: usize, bytes: &[u8]) -> Result<HookLine, HookInputError> {
    let malformed = || HookInputError::Line { line: number };
    let mut fields = bytes.splitn(3, |byte| *byte == b' ');
    let mut next = || fields.next().ok_or_else(malformed);
    let (old, new, name) = (next()?, next()?, next()?);
    if bytes.len() > MAX_LINE {
        return Err(malformed());
    }
    let id = |field: &[u8]| {
        let text = std::str::from_utf8(field).map_err(|_| malformed())?;
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        match Oid::from_hex(text) {
            Some(id) => Ok(id),
            None if text.len() == 64 && hex => Err(HookInputError::Format { line: number }),
            None => Err(malformed()),
        }
    };
    let (claimed_old, new) = (id(old)?, id(new)?);
    let text = std::str::from_utf8(name).map_err(|_| HookInputError::Utf8 {
        line: number,
        shown: name.escape_ascii().to_string(),
    })?;
    let name = RefName::parse(text)
        .map_err(|why| HookInputError::Name { shown: text.escape_default().to_string(), why })?;
    if claimed_old.is_zero() && new.is_zero() {
        return Err(HookInputError::Nothing { name: name.as_str().to_string() });
    }
    Ok(HookLine { claimed_old, new, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0123456789abcdef0123456789abcdef01234567";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn parses_a_push_of_two_updates() {
        let text = format!("{ZERO} {A} refs/heads/x\n{A} {ZERO} refs/tags/v1\n");
        let lines = parse_hook_input(text.as_bytes(), 10).unwrap();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].claimed_old.is_zero() && lines[1].new.is_zero());
    }

    #[test]
    fn one_bad_line_rejects_the_whole_input() {
        let good = format!("{ZERO} {A} refs/heads/x\n");
        for bad in [
            String::new(),
            "\n".to_string(),
            format!("{good}\n"),
            good.trim_end().to_string(),
            format!("{good}{A} refs/heads/y\n"),
            format!("{good}{ZERO} {ZERO} refs/heads/y\n"),
            format!("{good}{A}  {A} refs/heads/y\n"),
            format!("{good}{} {A} refs/heads/y\n", A.to_uppercase()),
            format!("{good}{ZERO} {A} refs/heads/y z\n"),
            format!("{good}{ZERO} {A} HEAD\n"),
            format!("{good}{good}"),
            format!("{good}{ZERO} {A} refs/heads/\u{1b}[2J\n"),
            format!("{good}{ZERO} {A} refs/heads/{}\n", "x".repeat(2_000)),
        ] {
            assert!(parse_hook_input(bad.as_bytes(), 10).is_err(), "{bad:?}");
        }
        let mut bytes = good.clone().into_bytes();
        bytes.extend_from_slice(format!("{ZERO} {A} refs/heads/").as_bytes());
        bytes.extend_from_slice(b"\xff\xfe\n");
        assert!(matches!(parse_hook_input(&bytes, 10), Err(HookInputError::Utf8 { line: 2, .. })));
        let long = "a".repeat(64);
        let sha256 = format!("{long} {long} refs/heads/x\n");
        assert_eq!(
            parse_hook_input(sha256.as_bytes(), 10),
            Err(HookInputError::Format { line: 1 })
        );
        assert_eq!(parse_hook_input(good.as_bytes(), 0), Err(HookInputError::TooMany { limit: 0 }));
    }

    proptest::proptest! {
        #[test]
        fn accepted_input_is_unchanged(bytes in proptest::collection::vec(0_u8..=255, 0..300)) {
            if let Ok(lines) = parse_hook_input(&bytes, 100) {
                let text: String = lines.iter()
                    .map(|l| format!("{} {} {}\n", l.claimed_old, l.new, l.name.as_str())).collect();
                proptest::prop_assert_eq!(text.as_bytes(), &bytes[..]);
            }
        }
    }
}
