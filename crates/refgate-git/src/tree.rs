//! Parses tree objects strictly: order, names and modes must be as Git writes them.

use std::cmp::Ordering;
use std::ffi::CStr;

use refgate_core::{EntryKind, Oid};

/// One entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'t> {
    /// The mode, such as `0o100644`.
    pub mode: u32,
    /// The name, as bytes.
    pub name: &'t [u8],
    /// The object.
    pub id: Oid,
}

impl Entry<'_> {
    /// Whether the entry is a directory.
    #[must_use]
    pub const fn is_tree(&self) -> bool {
        self.mode == 0o40_000
    }

    /// The kind of the entry. A directory counts as a file here.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        match self.mode {
            0o160_000 => EntryKind::Submodule,
            0o120_000 => EntryKind::Link,
            _ => EntryKind::File,
        }
    }

    /// Compares two entries in Git's order: a directory sorts as if its name ended with a slash.
    pub(crate) fn cmp_key(&self, other: &Self) -> Ordering {
        let shared_length = self.name.len().min(other.name.len());
        let (a, b) = (self.name.get(..shared_length), other.name.get(..shared_length));
        a.cmp(&b).then_with(|| {
            let next = |entry: &Self| {
                let end = entry.is_tree().then_some(b'/');
                entry.name.get(shared_length).copied().or(end)
            };
            next(self).cmp(&next(other)).then_with(|| self.name.len().cmp(&other.name.len()))
        })
    }
}

/// A well-formed tree object. It keeps the bytes of the object, because a large push reads many
/// trees and uses few of their entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree(Vec<u8>);

impl Tree {
    /// Checks a tree object. Returns `None` if it is malformed: entries out of order or twice,
    /// empty names, names with slashes, `.git`, unknown modes. Parsers disagree about which of
    /// two equal names counts (docs/design/threats.md, "Parser differences").
    #[must_use]
    pub fn parse(data: Vec<u8>) -> Option<Self> {
        let mut rest = data.as_slice();
        // Entries whose names are a prefix of the current name. Other entries, such as `a.b`,
        // can stand between the file `a` and the directory `a`.
        let mut heads: Vec<Entry<'_>> = Vec::new();
        while !rest.is_empty() {
            let (entry, after) = split(rest)?;
            let dotty = entry.name == b"."
                || entry.name == b".."
                || entry.name.eq_ignore_ascii_case(b".git");
            if entry.name.is_empty() || entry.name.contains(&b'/') || dotty {
                return None;
            }
            if heads.last().is_some_and(|before| before.cmp_key(&entry).is_ge()) {
                return None;
            }
            while heads.last().is_some_and(|head| !entry.name.starts_with(head.name)) {
                heads.pop();
            }
            if heads.iter().any(|twin| twin.name == entry.name) {
                return None;
            }
            heads.push(entry);
            rest = after;
        }
        Some(Self(data))
    }

    /// The approximate size in memory, in bytes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.0.len() + 128
    }

    /// The entries, in Git's order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (entry, after) = split(rest)?;
            rest = after;
            Some(entry)
        })
    }
}

/// Splits the bytes of a tree into its first entry and the rest.
fn split(data: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let space = data.iter().take(8).position(|byte| *byte == b' ')?;
    let mode = mode(data.get(..space)?)?;
    let rest = data.get(space + 1..)?;
    let name = bytes_before_nul(rest)?;
    let (id, after) = rest.get(name.len() + 1..)?.split_at_checked(ID)?;
    let entry = Entry { mode, name, id: Oid::new(id.try_into().ok()?) };
    Some((entry, after))
}

/// The size of an id in bytes.
const ID: usize = 20;

/// The bytes before the first NUL. The function of the standard library is faster than a loop.
fn bytes_before_nul(data: &[u8]) -> Option<&[u8]> {
    CStr::from_bytes_until_nul(data).ok().map(CStr::to_bytes)
}

/// Skips the equal entries at the beginning of two trees. Most commits change one entry of
/// many.
fn skip_shared_entries<'a>(mut old: &'a [u8], mut new: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let mut shared_length = shared_length(old, new);
    if shared_length == old.len() && shared_length == new.len() {
        return (&[], &[]);
    }
    while let Some(head) = old.get(..shared_length).and_then(bytes_before_nul) {
        let end = head.len() + 1 + ID;
        let (Some(rest), Some(other)) = (old.get(end..), new.get(end..)) else { break };
        let Some(left) = shared_length.checked_sub(end) else { break };
        (old, new, shared_length) = (rest, other, left);
    }
    (old, new)
}

/// The number of equal bytes at the beginning.
fn shared_length(old: &[u8], new: &[u8]) -> usize {
    const STEP: usize = 32;
    let steps = old.chunks_exact(STEP).zip(new.chunks_exact(STEP));
    let equal = steps.take_while(|(a, b)| a == b).count() * STEP;
    let rest = old.iter().skip(equal).zip(new.iter().skip(equal));
    equal + rest.take_while(|(a, b)| a == b).count()
}

/// The old and the new entry of one name in two trees.
pub(crate) type Pair<'t> = (Option<Entry<'t>>, Option<Entry<'t>>);

/// The entries in which two trees differ, in Git's order.
pub(crate) fn changed_entries<'t>(old: &'t Tree, new: &'t Tree) -> impl Iterator<Item = Pair<'t>> {
    let (mut old, mut new) = (old.0.as_slice(), new.0.as_slice());
    std::iter::from_fn(move || {
        (old, new) = skip_shared_entries(old, new);
        let (old_entry, new_entry) = (split(old), split(new));
        let order = match (&old_entry, &new_entry) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp_key(b),
        };
        let old_entry = old_entry.filter(|_| order.is_le());
        let new_entry = new_entry.filter(|_| order.is_ge());
        old = old_entry.map_or(old, |(_, rest)| rest);
        new = new_entry.map_or(new, |(_, rest)| rest);
        Some((old_entry.map(|(entry, _)| entry), new_entry.map(|(entry, _)| entry)))
    })
}

fn mode(text: &[u8]) -> Option<u32> {
    match text {
        // Some old programs padded this mode with a zero. Git reads both forms.
        b"40000" | b"040000" => Some(0o40_000),
        b"100644" => Some(0o100_644),
        b"100755" => Some(0o100_755),
        // Very old versions of Git wrote this mode, and real histories still have it.
        b"100664" => Some(0o100_664),
        b"120000" => Some(0o120_000),
        b"160000" => Some(0o160_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut data = Vec::new();
        for (mode, name) in entries {
            data.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            data.extend_from_slice(&[7; 20]);
        }
        data
    }

    #[test]
    fn rejects_a_malformed_tree() {
        let good = tree(&[("100644", "a"), ("40000", "a-b"), ("40000", "b"), ("160000", "m")]);
        let parsed = Tree::parse(good.clone()).unwrap();
        let names: Vec<&[u8]> = parsed.entries().map(|entry| entry.name).collect();
        assert_eq!(names, [&b"a"[..], b"a-b", b"b", b"m"]);
        // The directory `a` sorts after the file `a.x`.
        assert!(Tree::parse(tree(&[("100644", "a.x"), ("40000", "a")])).is_some());
        assert!(
            Tree::parse(tree(&[("100644", "a"), ("100644", "a.x"), ("40000", "ab")])).is_some()
        );
        for bad in [
            &[("100644", "a"), ("100644", "a")][..],
            &[("100644", "b"), ("100644", "a")],
            &[("100666", "a")],
            &[("100644", "")],
            &[("100644", "..")],
            &[("100644", "a/b")],
            &[("100644", "a"), ("100644", "a.b"), ("40000", "a")],
            &[("100644", "a"), ("100644", "a-b"), ("100644", "a.b"), ("40000", "a")],
            &[("40000", ".git")],
        ] {
            assert_eq!(Tree::parse(tree(bad)), None, "{bad:?}");
        }
        assert_eq!(Tree::parse(good.get(..30).unwrap().to_vec()), None);
    }

    #[test]
    fn finds_a_difference_at_every_position() {
        let all = ["a", "a-b", "b", "c", "long-name-of-a-file-that-fills-a-step", "d", "e"];
        let mut sorted = all;
        sorted.sort_unstable();
        let of = |names: &[&str], other: Option<&str>| {
            let mut data = Vec::new();
            for name in names {
                data.extend_from_slice(format!("100644 {name}\0").as_bytes());
                data.extend_from_slice(&[if other == Some(*name) { 8 } else { 7 }; 20]);
            }
            Tree::parse(data).unwrap()
        };
        let found = |old: &Tree, new: &Tree| -> Vec<(Option<String>, Option<String>)> {
            let name = |entry: Entry<'_>| String::from_utf8(entry.name.to_vec()).unwrap();
            changed_entries(old, new).map(|(a, b)| (a.map(name), b.map(name))).collect()
        };
        let whole = of(&sorted, None);
        assert!(found(&whole, &whole).is_empty());
        for name in sorted {
            let some = Some(name.to_string());
            let changed = found(&whole, &of(&sorted, Some(name)));
            assert_eq!(changed, [(some.clone(), some.clone())], "{name}");
            let fewer: Vec<&str> = sorted.into_iter().filter(|other| *other != name).collect();
            assert_eq!(found(&whole, &of(&fewer, None)), [(some.clone(), None)], "{name}");
            assert_eq!(found(&of(&fewer, None), &whole), [(None, some)], "{name}");
        }
        assert_eq!(found(&Tree::default(), &whole).len(), 7);
        assert_eq!(found(&whole, &Tree::default()).len(), 7);
    }

    #[test]
    fn sorts_entries_as_git_does() {
        let entry = |mode, name| Entry { mode, name, id: Oid::default() };
        for (a, b) in [
            (entry(0o100_644, &b"a"[..]), entry(0o40_000, &b"a"[..])),
            (entry(0o100_644, b"a.x"), entry(0o40_000, b"a")),
            (entry(0o40_000, b"a"), entry(0o100_644, b"a0")),
            (entry(0o100_644, b"a"), entry(0o100_644, b"a-b")),
        ] {
            assert!(a.cmp_key(&b).is_lt() && b.cmp_key(&a).is_gt(), "{a:?} {b:?}");
        }
    }
}
