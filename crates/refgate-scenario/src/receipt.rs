//! What would Git make of a pick in the world in memory?

use refgate_core::{Oid, Receipt};

use crate::memory::{Memory, delta};

impl Memory {
    /// What Git makes of picking `of` onto a commit's parent: a file that the
    /// branch has otherwise than the original found it, and left it, conflicts.
    pub(crate) fn receipt(&self, id: Oid, of: Oid) -> Option<Receipt> {
        let parent = self.node(id)?.parents.first().copied()?;
        let mut files = self.files(parent);
        let mut conflicts = Vec::new();
        for (path, (before, after)) in self.delta(of) {
            let here = files.get(&path).copied();
            if here != before && here != after {
                conflicts.push(path);
                continue;
            }
            match after {
                Some(content) => drop(files.insert(path, content)),
                None => drop(files.remove(&path)),
            }
        }
        let differing = delta(&files, &self.files(id)).into_keys();
        let (settled, edited): (Vec<String>, Vec<String>) =
            differing.partition(|path| conflicts.contains(path));
        Some(match (settled.is_empty(), edited.is_empty()) {
            (true, true) => Receipt::Exact,
            (false, true) => Receipt::Resolved { paths: settled },
            (_, false) => Receipt::Edited { paths: edited },
        })
    }
}
