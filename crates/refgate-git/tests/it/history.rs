//! Makes random histories of two branches: fixes next to each other, requests, picks with and
//! without a name, squashes, merges, conflicts and reverts.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Commit, Oid, Repository, Signature, Time, Tree};

/// The lines of the two files of a history.
type Files = BTreeMap<&'static str, Vec<String>>;

const NAMES: [&str; 2] = ["a.txt", "b.txt"];

/// A history of the branches `dev` and `main`.
pub(crate) struct History<'r> {
    pub(crate) repository: &'r Repository,
    /// The tips of `dev` and of `main`.
    pub(crate) tips: [Oid; 2],
    /// What was done, for the report of a failure.
    pub(crate) story: Vec<String>,
    random: u64,
    clock: i64,
    fixes: u32,
}

impl<'r> History<'r> {
    pub(crate) fn new(repository: &'r Repository, seed: u64) -> Self {
        let tips = [Oid::ZERO_SHA1; 2];
        let (story, clock) = (Vec::new(), 1_700_000_000);
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
        let mut history = Self { repository, tips, story, random, clock, fixes: 0 };
        let lines = |name: &str| (0..6).map(|n| format!("{name} {n}")).collect();
        let files: Files = NAMES.into_iter().map(|name| (name, lines(name))).collect();
        let first = history.commit(&files, &[], "start");
        history.tips = [first; 2];
        for _ in 0..4 + history.below(8) {
            history.step();
        }
        history
    }

    fn below(&mut self, sides: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 20).unwrap() % sides
    }

    fn step(&mut self) {
        let on = self.below(2);
        let tip = self.tips[on];
        let new = match self.below(10) {
            0..=2 => self.fix(tip),
            3 | 4 => self.request(tip),
            5 | 6 => self.pick(on),
            7 => self.squash(on),
            8 => self.revert(on),
            _ => self.merge(on),
        };
        self.tips[on] = new.unwrap_or(tip);
    }

    fn commit(&mut self, files: &Files, parents: &[Oid], message: &str) -> Oid {
        let repository = self.repository;
        let mut tree = repository.treebuilder(None).unwrap();
        for (name, lines) in files {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            tree.insert(*name, repository.blob(text.as_bytes()).unwrap(), 0o100_644).unwrap();
        }
        let tree = repository.find_tree(tree.write().unwrap()).unwrap();
        self.clock += 60;
        let who = Signature::new("ada", "ada@x", &Time::new(self.clock, 0)).unwrap();
        let parents: Vec<Commit<'_>> =
            parents.iter().map(|id| repository.find_commit(*id).unwrap()).collect();
        let parents: Vec<&Commit<'_>> = parents.iter().collect();
        let id = repository.commit(None, &who, &who, message, &tree, &parents).unwrap();
        self.story.push(format!(
            "{id:.10} {} on {:.10?}",
            message.replace('\n', " "),
            parents.first().map(|p| p.id())
        ));
        id
    }

    pub(crate) fn files(&self, id: Oid) -> Files {
        let tree = self.repository.find_commit(id).unwrap().tree().unwrap();
        files_of(self.repository, &tree)
    }

    /// A fix: a new line at a random place, often beside another fix.
    fn fix(&mut self, onto: Oid) -> Option<Oid> {
        let mut files = self.files(onto);
        self.fixes += 1;
        let number = self.fixes;
        let name = NAMES[self.below(2)];
        let lines = files.get_mut(name)?;
        let at = self.below(lines.len() + 1);
        files.get_mut(name)?.insert(at, format!("fix {number}"));
        Some(self.commit(&files, &[onto], &format!("fix: {number}")))
    }

    /// A merge of a branch with one or two fixes.
    fn request(&mut self, onto: Oid) -> Option<Oid> {
        let mut side = self.fix(onto)?;
        if self.below(2) == 0 {
            side = self.fix(side)?;
        }
        let files = self.files(side);
        Some(self.commit(&files, &[onto, side], "Merge branch 'topic'"))
    }

    fn unique(&self, on: usize) -> Vec<Oid> {
        let mut walk = self.repository.revwalk().unwrap();
        walk.push(self.tips[on]).unwrap();
        walk.hide(self.tips[1 - on]).unwrap();
        walk.map(Result::unwrap).collect()
    }

    /// A cherry-pick of a commit or merge of the other branch, with or without its name, or
    /// under another title.
    fn pick(&mut self, on: usize) -> Option<Oid> {
        let all = self.unique(1 - on);
        let of = all.get(self.below(all.len().max(1))).copied()?;
        let original = self.repository.find_commit(of).ok()?;
        let files = self.union(of, original.parent_id(0).ok()?, self.tips[on]);
        if files == self.files(self.tips[on]) {
            return None;
        }
        let text = original.message().ok()?.to_string();
        let message = match self.below(4) {
            0 => text,
            1 => format!("fix: by another name {}", self.clock),
            _ => format!("{}\n\n(cherry picked from commit {of})\n", text.trim_end()),
        };
        Some(self.commit(&files, &[self.tips[on]], &message))
    }

    fn squash(&mut self, on: usize) -> Option<Oid> {
        let base = self.repository.merge_base(self.tips[0], self.tips[1]).ok()?;
        let files = self.union(self.tips[1 - on], base, self.tips[on]);
        let changed = files != self.files(self.tips[on]);
        changed.then(|| self.commit(&files, &[self.tips[on]], "fix: all in one"))
    }

    fn merge(&mut self, on: usize) -> Option<Oid> {
        let base = self.repository.merge_base(self.tips[0], self.tips[1]).ok()?;
        if base == self.tips[1 - on] {
            return None;
        }
        let files = self.union(self.tips[1 - on], base, self.tips[on]);
        Some(self.commit(&files, &[self.tips[on], self.tips[1 - on]], "Merge branch 'other'"))
    }

    /// Takes the lines of a commit away again, if all of them are there.
    fn revert(&mut self, on: usize) -> Option<Oid> {
        let mut walk = self.repository.revwalk().ok()?;
        walk.push(self.tips[on]).ok()?;
        let all: Vec<Oid> = walk.map(Result::unwrap).collect();
        let at = self.below(all.len());
        let of = all.get(at).copied()?;
        let commit = self.repository.find_commit(of).ok()?;
        let mut files = self.files(self.tips[on]);
        let effects = self.effects(&commit)?;
        let here = |(line, there): &(String, bool)| {
            *there && files.values().flatten().any(|other| other == line)
        };
        // One reverts the commit that brought the lines last.
        let again = all.iter().take(at).any(|newer| {
            let newer = self.repository.find_commit(*newer).unwrap();
            newer.parent_count() == 1 && !self.effects(&newer).unwrap().is_disjoint(&effects)
        });
        let plain = commit.parent_count() == 1 && !again;
        if !plain || effects.is_empty() || !effects.iter().all(here) {
            return None;
        }
        for lines in files.values_mut() {
            lines.retain(|line| !effects.iter().any(|(gone, _)| gone == line));
        }
        let subject = commit.summary().ok()??.to_string();
        let message = format!("Revert \"{subject}\"\n\nThis reverts commit {of}.\n");
        Some(self.commit(&files, &[self.tips[on]], &message))
    }

    /// The lines that a commit adds (`true`) or removes.
    pub(crate) fn effects(&self, commit: &Commit<'_>) -> Option<BTreeSet<(String, bool)>> {
        let all = |files: &Files| files.values().flatten().cloned().collect::<BTreeSet<String>>();
        let before = all(&self.files(commit.parent_id(0).ok()?));
        let after = all(&self.files(commit.id()));
        let added = after.difference(&before).map(|line| (line.clone(), true));
        Some(added.chain(before.difference(&after).map(|line| (line.clone(), false))).collect())
    }

    /// What Git makes of bringing `base..theirs` to `ours`. A conflict is resolved line by line:
    /// what `theirs` added is added, what it removed is removed.
    fn union(&self, theirs: Oid, base: Oid, ours: Oid) -> Files {
        let tree = |id: Oid| self.repository.find_commit(id).unwrap().tree().unwrap();
        let merged = self.repository.merge_trees(&tree(base), &tree(ours), &tree(theirs), None);
        let mut merged = merged.unwrap();
        if !merged.has_conflicts() {
            let tree = merged.write_tree_to(self.repository).unwrap();
            return files_of(self.repository, &self.repository.find_tree(tree).unwrap());
        }
        let (before, after) = (self.files(base), self.files(theirs));
        let mut files = self.files(ours);
        for (name, lines) in &mut files {
            let (old, new) = (&before[name], &after[name]);
            lines.retain(|line| !old.contains(line) || new.contains(line));
            for line in new.iter().filter(|line| !old.contains(line)) {
                if !lines.contains(line) {
                    lines.push(line.clone());
                }
            }
        }
        files
    }
}

fn files_of(repository: &Repository, tree: &Tree<'_>) -> Files {
    let lines = |name: &str| {
        let blob = tree.get_name(name).unwrap().to_object(repository).unwrap();
        let text = String::from_utf8(blob.as_blob().unwrap().content().to_vec()).unwrap();
        text.lines().map(ToString::to_string).collect::<Vec<_>>()
    };
    NAMES.into_iter().map(|name| (name, lines(name))).collect()
}
