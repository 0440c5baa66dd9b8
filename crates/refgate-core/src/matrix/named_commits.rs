//! Reads the commits that a message names: pick sources, reverted commits and fixed commits.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Message, Oid};

/// The commits that a message names: full ids or prefixes, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedCommits {
    /// The pick sources, first pick first: `(cherry picked from commit X)`, and the forms of
    /// the Linux maintainers (`commit X upstream`, `[ Upstream commit X ]`).
    pub picked: Vec<String>,
    /// The reverted commits: `This reverts commit X`.
    pub reverts: Vec<String>,
    /// The fixed commits: `Fixes: X`.
    pub fixes: Vec<String>,
}

impl NamedCommits {
    /// Reads the names in a message.
    #[must_use]
    pub fn read(message: &Message) -> Self {
        let mut named = Self::default();
        for line in message.as_str().lines().map(str::trim) {
            // This runs for every commit of every push, so most lines must be skipped cheaply.
            if !line.starts_with(['(', '[', 'c', 'C', 't', 'T', 'f', 'F']) {
                continue;
            }
            let lower = line.to_ascii_lowercase();
            // Only the beginning of a line counts, because prose can quote a pick line.
            let strip_labels = lower.strip_prefix('(').unwrap_or(&lower);
            if let Some(rest) =
                after(strip_labels, &["cherry picked from commit ", "cherry-picked from "])
            {
                push(&mut named.picked, rest);
            } else if let Some(rest) = lower.strip_prefix("[ upstream commit ") {
                push(&mut named.picked, rest);
            } else if let Some(rest) =
                lower.strip_prefix("commit ").filter(|_| lower.ends_with("upstream."))
            {
                push(&mut named.picked, rest);
            } else if let Some(rest) = after(&lower, &["this reverts commit "]) {
                push(&mut named.reverts, rest);
            } else if let Some(rest) = lower.strip_prefix("fixes: ") {
                push(&mut named.fixes, rest.strip_prefix("commit ").unwrap_or(rest));
            }
        }
        named
    }
}

fn after<'t>(line: &'t str, keys: &[&str]) -> Option<&'t str> {
    keys.iter().find_map(|key| line.strip_prefix(key))
}

/// Adds the id at the beginning of a text, if there is one.
fn push(list: &mut Vec<String>, text: &str) {
    let text = text.strip_prefix("commit ").unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len());
    let Some(id) = text.get(..end).filter(|id| (7..=40).contains(&id.len())) else { return };
    if !list.iter().any(|known| known == id) {
        list.push(String::from(id));
    }
}

/// The title without the additions of tools: `[1.2] `, `[PR #1/abc backport][3.9] `,
/// `Backport: `, and the number of a pull request at the end.
#[must_use]
pub fn title(subject: &str) -> &str {
    let mut text = subject.trim();
    // Most titles have no additions.
    if !text.starts_with(['[', 'B', 'b']) && !text.ends_with(')') {
        return text;
    }
    while let Some(rest) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        text = rest.1.trim_start_matches([':', ' ']);
    }
    for word in ["Backport of ", "Backport", "backport", "BACKPORT"] {
        let Some(rest) = text.strip_prefix(word) else { continue };
        // For example `Backport: ` or `Backport 3.10: `.
        let rest = rest.trim_start_matches([' ', '.', '/', 'v', 'x']);
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        text = rest.strip_prefix(": ").unwrap_or(rest);
    }
    while let Some((head, number)) = text.strip_suffix(')').and_then(|rest| rest.rsplit_once("(#"))
    {
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            break;
        }
        text = head.trim_end().trim_end_matches('.');
    }
    text
}

/// The title that a revert quotes: `X` in `Revert "X"`.
pub(crate) fn quoted(subject: &str) -> Option<&str> {
    reverted_title(title(subject))
}

/// The title that a revert quotes, from a [`title`].
pub(super) fn reverted_title(title: &str) -> Option<&str> {
    title.strip_prefix("Revert \"")?.strip_suffix('"')
}

/// The title that a fixup commit names: `X` in `fixup! X`.
pub(crate) fn follows(subject: &str) -> Option<&str> {
    ["fixup! ", "squash! ", "amend! "].iter().find_map(|word| subject.strip_prefix(word))
}

/// The lowest id with this prefix; `None` if the prefix is not hexadecimal or too long.
pub(super) fn lowest(begins: &str) -> Option<Oid> {
    let mut hex = String::from(begins);
    hex.extend(core::iter::repeat_n('0', 40_usize.saturating_sub(begins.len())));
    Oid::from_hex(&hex)
}

/// The index of the only commit with this prefix in a sorted list.
pub(crate) fn resolve(sorted: &[Oid], begins: &str) -> Option<usize> {
    if let Some(whole) = Oid::from_hex(begins) {
        return sorted.binary_search(&whole).ok();
    }
    let lowest = lowest(begins)?;
    let from = sorted.partition_point(|id| *id < lowest);
    let mut rest = sorted.iter().skip(from).map(alloc::string::ToString::to_string);
    let first = rest.next().is_some_and(|id| id.starts_with(begins));
    let second = rest.next().is_some_and(|id| id.starts_with(begins));
    (first && !second).then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_of_people_and_tools() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let read = |text: &str| NamedCommits::read(&Message::new(text));
        for text in [
            alloc::format!("a\n\n(cherry picked from commit {id})\n"),
            alloc::format!("a\n\n(Cherry-picked from {})\n", id.to_uppercase()),
            alloc::format!("a\n\ncommit {id} upstream.\n"),
            alloc::format!("a\n\n[ Upstream commit {id} ]\n"),
        ] {
            assert_eq!(read(&text).picked, [id], "{text}");
        }
        let text = "Revert \"a\"\n\nThis reverts commit 0123456.\nFixes: 89abcdef (\"b\")\n";
        let named = read(text);
        assert_eq!(
            (named.reverts, named.fixes),
            (["0123456".into()].into(), ["89abcdef".into()].into())
        );
        assert_eq!(read("a\n\n(cherry picked from commit of bob)\n"), NamedCommits::default());
    }

    #[test]
    fn strips_the_additions_of_tools_from_titles() {
        for (subject, strip_labels) in [
            ("[PR #8012/deadbeef backport][3.10] Fix it (#8013)", "Fix it"),
            ("[release/1.6] Fix it (#1) (#2)", "Fix it"),
            ("Backport: Fix it", "Fix it"),
            ("Backport 3.10: Fix it (#1). (#2)", "Fix it"),
            ("Fix it (see #1)", "Fix it (see #1)"),
            ("Fix it", "Fix it"),
        ] {
            assert_eq!(title(subject), strip_labels);
        }
        assert_eq!(quoted("Revert \"Fix it\" (#3)"), Some("Fix it"));
        assert_eq!(follows("fixup! Fix it"), Some("Fix it"));
    }

    #[test]
    fn resolves_only_unique_prefixes() {
        let id = |first: u8, last: u8| {
            let mut bytes = [0; 20];
            (bytes[0], bytes[19]) = (first, last);
            Oid::new(bytes)
        };
        let all = [id(1, 1), id(2, 1), id(2, 2)];
        assert_eq!(resolve(&all, "0100000"), Some(0));
        assert_eq!(resolve(&all, "0200000"), None);
        assert_eq!(resolve(&all, "0300000"), None);
        assert_eq!(resolve(&all, &alloc::string::ToString::to_string(&all[2])), Some(2));
    }
}
