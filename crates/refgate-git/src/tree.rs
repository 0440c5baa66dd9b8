//! What does a tree object list? Read strictly: order, names and modes as Git writes them.

use refgate_core::Oid;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its mode, such as `0o100644`.
    pub mode: u32,
    /// Its name, as bytes.
    pub name: Vec<u8>,
    /// What it names.
    pub id: Oid,
}

impl Entry {
    /// Whether it is a folder.
    #[must_use]
    pub const fn is_tree(&self) -> bool {
        self.mode == 0o40_000
    }

    /// Whether it is a submodule's commit.
    #[must_use]
    pub const fn is_submodule(&self) -> bool {
        self.mode == 0o160_000
    }

    /// Whether it is a symbolic link.
    #[must_use]
    pub const fn is_link(&self) -> bool {
        self.mode == 0o120_000
    }

    /// Git sorts folders as if their names ended with a slash.
    pub(crate) fn cmp_key(&self, other: &Self) -> std::cmp::Ordering {
        let end = |entry: &Self| entry.is_tree().then_some(b'/');
        let (a, b) = (self.name.iter().copied(), other.name.iter().copied());
        a.chain(end(self)).cmp(b.chain(end(other)))
    }
}

/// Reads a tree object; `None` if it is not as Git writes trees: entries out
/// of order or twice, empty names, names with slashes, unknown modes
/// (SECURITY.md 1c: parsers disagree about which of two twins counts).
#[must_use]
pub fn parse_tree(mut data: &[u8]) -> Option<Vec<Entry>> {
    let mut all: Vec<Entry> = Vec::with_capacity(data.len() / 32);
    while !data.is_empty() {
        let space = data.iter().position(|byte| *byte == b' ')?;
        let mode = mode(data.get(..space)?)?;
        let rest = data.get(space + 1..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        let name = rest.get(..end)?;
        let id = rest.get(end + 1..end + 21)?;
        let dotty = name == b"." || name == b".." || name.eq_ignore_ascii_case(b".git");
        if name.is_empty() || name.contains(&b'/') || dotty {
            return None;
        }
        let entry = Entry { mode, name: name.to_vec(), id: Oid::new(id.try_into().ok()?) };
        // Between `a` and the folder `a/` others may stand, such as `a.b`.
        let mut twins = all.iter().rev().take_while(|e| e.name.starts_with(&entry.name));
        if all.last().is_some_and(|before| before.cmp_key(&entry).is_ge())
            || twins.any(|twin| twin.name == entry.name)
        {
            return None;
        }
        all.push(entry);
        data = rest.get(end + 21..)?;
    }
    Some(all)
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
        assert_eq!(parse_tree(&good).unwrap().len(), 4);
        // A folder sorts behind a file whose name goes on with a dot.
        assert!(parse_tree(&tree(&[("100644", "a.x"), ("40000", "a")])).is_some());
        for bad in [
            &[("100644", "a"), ("100644", "a")][..],
            &[("100644", "b"), ("100644", "a")],
            &[("100666", "a")],
            &[("100644", "")],
            &[("100644", "..")],
            &[("100644", "a/b")],
            &[("100644", "a"), ("100644", "a.b"), ("40000", "a")],
            &[("40000", ".git")],
        ] {
            assert_eq!(parse_tree(&tree(bad)), None, "{bad:?}");
        }
        assert_eq!(parse_tree(good.get(..30).unwrap()), None);
    }
}
