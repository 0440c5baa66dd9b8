//! Parses commit objects strictly, and names the first defect of a malformed commit.
//!
//! Git, libgit2 and signature checkers read malformed headers differently
//! (docs/design/threats.md, "Parser differences"). Everything that Git itself would not write is
//! therefore a defect.

use refgate_core::{Commit, Message, Oid, Person};

/// A commit, parsed from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedCommit {
    /// The tree.
    pub tree: Oid,
    /// The parents.
    pub parents: Vec<Oid>,
    /// The author.
    pub author: Person,
    /// The author date, in seconds since 1970. It is a claim.
    pub authored: i64,
    /// The committer date, in seconds since 1970. It is a claim.
    pub committed: i64,
    /// The message.
    pub message: Message,
    /// The first defect of its form, as a clause.
    pub defect: Option<String>,
}

impl ParsedCommit {
    /// The commit as a value of the core. No stage reaches it yet.
    #[must_use]
    pub fn commit(self, id: Oid) -> Commit {
        let Self { tree, parents, author, message, defect, .. } = self;
        Commit { id, tree, parents, message, author, reach: 0, landed: 0, defect }
    }
}

/// The first invalid date, in seconds since 1970: the end of the year 9999.
const MAX_DATE: i64 = 253_402_300_800;

/// The beginnings of the names of encodings in which ASCII bytes are ASCII text. Such encodings
/// cannot hide text.
const ASCII_ENCODINGS: [&str; 16] = [
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "iso-8859-",
    "iso8859-",
    "latin",
    "windows-125",
    "cp125",
    "koi8",
    "euc-",
    "gbk",
    "gb2312",
    "gb18030",
    "big5",
    "shift",
];

/// Parses a commit object. Returns `None` if the tree line cannot be parsed. Other faults go into
/// `defect`.
#[must_use]
pub fn parse_commit(data: &[u8]) -> Option<ParsedCommit> {
    let mut defect = None;
    let split = data.windows(2).position(|pair| pair == b"\n\n");
    let (header, message) = match split {
        Some(at) => (data.get(..=at)?, data.get(at + 2..)?),
        None => (data, &b""[..]),
    };
    let mut lines = header.split_inclusive(|byte| *byte == b'\n').peekable();
    let tree = id_line(lines.next()?, b"tree ")?;
    let mut parents = Vec::new();
    while let Some(parent) = lines.peek().and_then(|line| id_line(line, b"parent ")) {
        parents.push(parent);
        lines.next();
    }
    let mut set_defect = |what: String| {
        defect.get_or_insert(what);
    };
    let mut person = |key: &str, line: Option<&[u8]>| {
        let value = line.and_then(|line| line.strip_prefix(key.as_bytes())?.strip_prefix(b" "));
        let parsed = value.and_then(|value| parse_person(value.strip_suffix(b"\n")?));
        if parsed.is_none() {
            set_defect(format!("its `{key}` line is malformed"));
        }
        parsed.unwrap_or_default()
    };
    let (author, authored) = person("author", lines.next());
    let (_, committed) = person("committer", lines.next());
    let rest: Vec<&[u8]> = lines.collect();
    if let Some(encoding_problem) = extra_headers(&rest, &mut set_defect) {
        set_defect(encoding_problem);
    }
    if message.contains(&0) || header.contains(&0) {
        set_defect("it contains a NUL byte".to_string());
    }
    let message = Message::new(&text(message, &rest));
    Some(ParsedCommit { tree, parents, author, authored, committed, message, defect })
}

/// Decodes a message. Git stores the bytes of a message in the encoding that the header names.
/// Latin-1 is decoded, because it needs no table. Invalid UTF-8 in any other encoding is replaced.
fn text(message: &[u8], headers: &[&[u8]]) -> String {
    let named = headers.iter().find_map(|line| line.strip_prefix(b"encoding "));
    let named = named.map(|name| name.trim_ascii().to_ascii_lowercase());
    match named.as_deref() {
        Some(b"iso-8859-1" | b"iso8859-1" | b"latin1" | b"latin-1")
            if std::str::from_utf8(message).is_err() =>
        {
            message.iter().copied().map(char::from).collect()
        }
        _ => String::from_utf8_lossy(message).into_owned(),
    }
}

fn id_line(line: &[u8], key: &[u8]) -> Option<Oid> {
    let hex = line.strip_prefix(key)?.strip_suffix(b"\n")?;
    Oid::from_hex(std::str::from_utf8(hex).ok()?)
}

/// Parses `Name <mail> seconds zone`, with exactly one pair of angle brackets.
fn parse_person(line: &[u8]) -> Option<(Person, i64)> {
    let text = String::from_utf8_lossy(line);
    let (name, rest) = text.split_once('<')?;
    let (email, when) = rest.split_once('>')?;
    if email.contains('<') || when.contains(['<', '>']) || !(name.is_empty() || name.ends_with(' '))
    {
        return None;
    }
    let (seconds, zone) = when.strip_prefix(' ')?.split_once(' ')?;
    let digits = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
    let seconds: i64 = seconds.parse().ok().filter(|s| digits && *s < MAX_DATE)?;
    let zone_ok = zone.len() >= 5
        && zone.starts_with(['+', '-'])
        && zone.bytes().skip(1).all(|b| b.is_ascii_digit());
    let person = Person { name: name.trim().to_string(), email: email.trim().to_string() };
    zone_ok.then_some((person, seconds))
}

/// Checks the headers after `committer`: each at most once, and none that Git writes earlier.
/// Returns the defect of the encoding, if there is one.
fn extra_headers(lines: &[&[u8]], set_defect: &mut impl FnMut(String)) -> Option<String> {
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut encoding_problem = None;
    for line in lines {
        if line.starts_with(b" ") {
            if seen.is_empty() {
                set_defect("a continuation line in its header follows no header".to_string());
            }
            continue;
        }
        let key = line.split(|byte| matches!(byte, b' ' | b'\n')).next().unwrap_or(line);
        let shown = String::from_utf8_lossy(key);
        if matches!(key, b"tree" | b"parent" | b"author" | b"committer") {
            set_defect(format!("its `{shown}` header occurs twice or too late"));
        } else if key != b"mergetag" && seen.contains(&key) {
            set_defect(format!("its `{shown}` header occurs twice"));
        }
        if key == b"encoding" {
            let value = String::from_utf8_lossy(line);
            encoding_problem = encoding_defect(value.get(key.len()..).unwrap_or_default());
        }
        seen.push(key);
    }
    encoding_problem
}

/// The defect of a commit whose header names this encoding: two tools could decode different
/// texts. `None` if they cannot.
#[must_use]
pub fn encoding_defect(name: &str) -> Option<String> {
    let name = name.trim().to_lowercase();
    let plain = ASCII_ENCODINGS.iter().any(|known| name.starts_with(known));
    (!plain).then(|| "its message has an encoding that can hide text".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0123456789abcdef0123456789abcdef01234567";

    fn good() -> String {
        format!(
            "tree {A}\nparent {A}\nauthor Ada L <ada@x> 1700000000 +0100\n\
             committer Bob <bob@x> 1700000001 -0030\ngpgsig -----BEGIN\n abc\n -----END\n\n\
             fix: a thing\n\nbody\n"
        )
    }

    #[test]
    fn finds_no_defect_in_a_commit_that_git_writes() {
        let commit = parse_commit(good().as_bytes()).unwrap();
        assert_eq!(commit.defect, None);
        assert_eq!((commit.parents.len(), commit.committed), (1, 1_700_000_001));
        assert_eq!((&*commit.author.name, commit.message.subject()), ("Ada L", "fix: a thing"));
    }

    #[test]
    fn finds_a_defect_where_parsers_disagree() {
        let author = "author Ada L <ada@x> 1700000000 +0100\n";
        let committer = "committer Bob <bob@x> 1700000001 -0030\n";
        let tree = format!("tree {A}\n");
        let parent = format!("parent {A}\n");
        for (from, to) in [
            (author, format!("{author}{author}")),
            (committer, format!("{committer}{committer}")),
            (committer, format!("{committer}{parent}")),
            (committer, format!("{committer}{tree}")),
            (author, format!("{tree}{author}")),
            ("gpgsig ", "gpgsig x\ngpgsig ".to_string()),
            ("<ada@x>", "<ada@x> <bob@x>".to_string()),
            ("1700000001", "9223372036854775808".to_string()),
            ("1700000001", "-5".to_string()),
            ("gpgsig ", "encoding UTF-7\ngpgsig ".to_string()),
            ("body", "bo\0dy".to_string()),
            ("author Ada L", "author Ada L<".to_string()),
        ] {
            let bad = good().replacen(from, &to, 1);
            assert!(parse_commit(bad.as_bytes()).unwrap().defect.is_some(), "{bad}");
        }
        assert_eq!(parse_commit(b"tree x\n"), None);
        assert_eq!(parse_commit(b""), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics_on_any_bytes(bytes in proptest::collection::vec(0_u8..=255, 0..400)) {
            let _ = parse_commit(&bytes);
        }
    }
}
