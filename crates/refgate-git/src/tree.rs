//! What does a tree object list? Read strictly: order, names and modes as Git writes them.

use refgate_core::{EntryKind, Oid};

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'t> {
    /// Its mode, such as `0o100644`.
    pub mode: u32,
    /// Its name, as bytes.
    pub name: &'t [u8],
    /// What it names.
    pub id: Oid,
}

impl Entry<'_> {
    /// Whether it is a folder.
    #[must_use]
    pub const fn is_tree(&self) -> bool {
        self.mode == 0o40_000
    }

    /// What it holds, unless it is a folder.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        match self.mode {
            0o160_000 => EntryKind::Submodule,
            0o120_000 => EntryKind::Link,
            _ => EntryKind::File,
        }
    }

    /// Git sorts folders as if their names ended with a slash.
    pub(crate) fn cmp_key(&self, other: &Self) -> std::cmp::Ordering {
        let shared = self.name.len().min(other.name.len());
        let (a, b) = (self.name.get(..shared), other.name.get(..shared));
        a.cmp(&b).then_with(|| {
            let next = |entry: &Self| {
                let end = entry.is_tree().then_some(b'/');
                entry.name.get(shared).copied().or(end)
            };
            next(self).cmp(&next(other)).then_with(|| self.name.len().cmp(&other.name.len()))
        })
    }
}

/// A tree object that is as Git writes trees. It keeps the object's own bytes:
/// a large push reads many trees and looks at few of their entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree(Vec<u8>);

impl Tree {
    /// Checks a tree object; `None` if Git would not write it so: entries out
    /// of order or twice, empty names, names with slashes, unknown modes
    /// (SECURITY.md 1c: parsers disagree about which of two twins counts).
    #[must_use]
    pub fn parse(data: Vec<u8>) -> Option<Self> {
        let mut rest = data.as_slice();
        // Entries whose names begin the one that follows: between `a` and the
        // folder `a/` others may stand, such as `a.b`.
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

    /// How many bytes it takes, roughly.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.0.len() + 128
    }

    /// Its entries, in Git's order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (entry, after) = split(rest)?;
            rest = after;
            Some(entry)
        })
    }
}

/// The first entry of a tree's bytes, and what follows it.
fn split(data: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let space = data.iter().take(8).position(|byte| *byte == b' ')?;
    let mode = mode(data.get(..space)?)?;
    let rest = data.get(space + 1..)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    let id = rest.get(end + 1..end + 21)?;
    let entry = Entry { mode, name: rest.get(..end)?, id: Oid::new(id.try_into().ok()?) };
    Some((entry, rest.get(end + 21..)?))
}

fn mode(text: &[u8]) -> Option<u32> {
    match text {
        // Some old programs padded it; Git reads both.
        b"40000" | b"040000" => Some(0o40_000),
        b"100644" => Some(0o100_644),
        b"100755" => Some(0o100_755),
        // Written by very old versions of Git; still in real histories.
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
    fn only_what_git_writes() {
        let good = tree(&[("100644", "a"), ("40000", "a-b"), ("40000", "b"), ("160000", "m")]);
        let parsed = Tree::parse(good.clone()).unwrap();
        let names: Vec<&[u8]> = parsed.entries().map(|entry| entry.name).collect();
        assert_eq!(names, [&b"a"[..], b"a-b", b"b", b"m"]);
        // A folder sorts behind a file whose name goes on with a dot.
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
    fn order_is_gits() {
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
