//! Holds the repository of a scenario in maps. It starts no process and writes no file.

use std::collections::{BTreeMap, BTreeSet};

use refgate_core::{ChangeMode, Instant, Oid, Policy, Record};

use crate::step::{MergeMethod, PathChange, PickTrailer};

/// A tree: a content for each path. A content is a number.
pub(crate) type Files = BTreeMap<String, u64>;

/// A commit of this world.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) parents: Vec<Oid>,
    pub(crate) files: Files,
    pub(crate) message: String,
    pub(crate) author: String,
    /// The encoding in the header of the commit.
    pub(crate) encoding: Option<String>,
}

/// A tag object of this world.
#[derive(Debug, Clone)]
pub(crate) struct TagNode {
    pub(crate) name: String,
    pub(crate) commit: Oid,
    pub(crate) annotated: bool,
}

/// One server and one clone in memory.
#[derive(Debug, Clone)]
pub struct MemoryWorld {
    pub(crate) policy: Policy,
    pub(crate) clock: Instant,
    pub(crate) nodes: BTreeMap<Oid, Node>,
    pub(crate) tags: BTreeMap<Oid, TagNode>,
    pub(crate) local: BTreeMap<String, Oid>,
    pub(crate) server: BTreeMap<String, Oid>,
    pub(crate) received: BTreeMap<String, Instant>,
    pub(crate) records: Vec<Record>,
    /// Every update of a ref on the server: name, time, new value.
    pub(crate) moves: Vec<(String, Instant, Oid)>,
    next: u64,
}

/// The files of the first commit.
pub(crate) const FIRST_FILES: [&str; 4] =
    ["README.md", "docs/guide.md", "src/app.rs", "tests/app.rs"];

impl MemoryWorld {
    /// Creates a world in which all stages are at one commit.
    #[must_use]
    pub fn new(policy: Policy, clock: Instant) -> Self {
        let mut world = Self {
            policy,
            clock,
            nodes: BTreeMap::new(),
            tags: BTreeMap::new(),
            local: BTreeMap::new(),
            server: BTreeMap::new(),
            received: BTreeMap::new(),
            records: Vec::new(),
            moves: Vec::new(),
            next: 0,
        };
        let mut files = Files::new();
        for path in FIRST_FILES {
            files.insert(path.to_string(), world.number());
        }
        let start = world.add(Vec::new(), files, "start", "somebody");
        let stages: Vec<_> = world.policy.flow.stages.iter().map(|s| s.branch.clone()).collect();
        for branch in stages {
            world.local.insert(branch.short().to_string(), start);
            world.server.insert(branch.as_str().to_string(), start);
            world.moves.push((branch.as_str().to_string(), clock, start));
        }
        world
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn id(&mut self) -> Oid {
        // The first digits of an id must identify it, as in Git.
        let spread = self.number().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut bytes = [0x5c; 20];
        for (to, from) in bytes.iter_mut().zip(spread.to_be_bytes()) {
            *to = from;
        }
        Oid::new(bytes)
    }

    pub(crate) fn add(
        &mut self,
        parents: Vec<Oid>,
        files: Files,
        message: &str,
        author: &str,
    ) -> Oid {
        let id = self.id();
        let (message, author) = (message.to_string(), author.to_string());
        self.nodes.insert(id, Node { parents, files, message, author, encoding: None });
        id
    }

    pub(crate) fn node(&self, id: Oid) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub(crate) fn files(&self, id: Oid) -> Files {
        self.node(id).map(|node| node.files.clone()).unwrap_or_default()
    }

    /// The commit or tag that a revision names: a local branch, `origin/…` or a
    /// tag, with any number of `^`.
    pub(crate) fn revision(&self, name: &str) -> Option<Oid> {
        if let Some(base) = name.strip_suffix('^') {
            return self.node(self.revision(base)?)?.parents.first().copied();
        }
        if let Some(id) = self.local.get(name) {
            return Some(*id);
        }
        if let Some(branch) = name.strip_prefix("origin/") {
            return self.server.get(&format!("refs/heads/{branch}")).copied();
        }
        let tag = name.strip_prefix("refs/tags/").unwrap_or(name);
        self.local.get(&format!("tag:{tag}")).copied()
    }

    /// All commits that a commit reaches, itself included.
    pub(crate) fn ancestors(&self, id: Oid) -> BTreeSet<Oid> {
        let mut seen = BTreeSet::new();
        let mut queue = vec![id];
        while let Some(id) = queue.pop() {
            if seen.insert(id) {
                queue.extend(self.node(id).into_iter().flat_map(|node| node.parents.clone()));
            }
        }
        seen
    }

    pub(crate) fn touch(&mut self, files: &mut Files, touches: &[PathChange]) {
        for touch in touches {
            match touch.mode {
                ChangeMode::Deleted => drop(files.remove(&touch.path)),
                ChangeMode::Added | ChangeMode::Modified => {
                    let number = self.number();
                    files.insert(touch.path.clone(), number);
                }
            }
        }
    }

    fn base(&self, ours: Oid, theirs: Oid) -> Files {
        let common: BTreeSet<Oid> =
            self.ancestors(ours).intersection(&self.ancestors(theirs)).copied().collect();
        let base = common.iter().max_by_key(|id| self.ancestors(**id).len());
        base.map(|id| self.files(*id)).unwrap_or_default()
    }

    /// A plain merge by path: the content of the side that changed it, or of the
    /// first side if both did.
    pub(crate) fn merged(&self, ours: Oid, theirs: Oid) -> Files {
        let base = self.base(ours, theirs);
        let (a, b) = (self.files(ours), self.files(theirs));
        let paths: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        let mut out = Files::new();
        for path in paths {
            let (was, mine, other) = (base.get(path), a.get(path), b.get(path));
            if let Some(content) = if mine == was { other } else { mine } {
                out.insert(path.clone(), *content);
            }
        }
        out
    }

    /// The paths that both sides changed differently.
    pub(crate) fn conflicts(&self, ours: Oid, theirs: Oid) -> BTreeSet<String> {
        let base = self.base(ours, theirs);
        let (a, b) = (self.files(ours), self.files(theirs));
        let paths: BTreeSet<&String> = a.keys().chain(b.keys()).chain(base.keys()).collect();
        let both = paths.into_iter().filter(|path| {
            let (was, mine, other) = (base.get(*path), a.get(*path), b.get(*path));
            mine != was && other != was && mine != other
        });
        both.cloned().collect()
    }

    pub(crate) fn merge(
        &mut self,
        who: &str,
        from: &[String],
        into: &str,
        how: MergeMethod,
        message: Option<&str>,
        touches: &[PathChange],
    ) -> Option<()> {
        let ours = self.revision(into)?;
        let theirs: Vec<Oid> =
            from.iter().map(|name| self.revision(name)).collect::<Option<_>>()?;
        let first = *theirs.first()?;
        if how == MergeMethod::Forward {
            self.local.insert(into.to_string(), first);
            return Some(());
        }
        let mut files = self.files(ours);
        if how != MergeMethod::Ours {
            files = self.merged(ours, first);
            for other in theirs.iter().skip(1) {
                for (path, content) in self.files(*other) {
                    files.entry(path).or_insert(content);
                }
            }
        }
        self.touch(&mut files, touches);
        let names = from.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>();
        let title = message.map_or_else(
            || match how {
                MergeMethod::Foxtrot => format!("Merge branch '{into}' into {}", from.join(", ")),
                _ if names.len() > 1 => {
                    format!("Merge branches {} into {into}", names.join(" and "))
                }
                _ => format!("Merge branch {} into {into}", names.join(" ")),
            },
            ToString::to_string,
        );
        let parents = match how {
            MergeMethod::Squash => vec![ours],
            MergeMethod::Foxtrot => vec![first, ours],
            _ => [ours].into_iter().chain(theirs).collect(),
        };
        let id = self.add(parents, files, &title, who);
        self.local.insert(into.to_string(), id);
        Some(())
    }

    /// The changes against the first parent: path, old content, new content.
    pub(crate) fn delta(&self, id: Oid) -> BTreeMap<String, (Option<u64>, Option<u64>)> {
        let after = self.files(id);
        let parent = self.node(id).and_then(|node| node.parents.first().copied());
        let before = parent.map(|parent| self.files(parent)).unwrap_or_default();
        delta(&before, &after)
    }

    pub(crate) fn pick(
        &mut self,
        from: &str,
        onto: &str,
        mark: PickTrailer,
        touches: &[PathChange],
    ) -> Option<()> {
        let (original, tip) = (self.revision(from)?, self.revision(onto)?);
        let node = self.node(original)?.clone();
        let mut files = self.files(tip);
        for (path, (_, after)) in self.delta(original) {
            match after {
                Some(content) => drop(files.insert(path, content)),
                None => drop(files.remove(&path)),
            }
        }
        self.touch(&mut files, touches);
        let message = mark.message(&node.message, &original.to_string());
        let id = self.add(vec![tip], files, &message, &node.author);
        self.local.insert(onto.to_string(), id);
        Some(())
    }

    pub(crate) fn tag(&mut self, name: &str, on: &str, light: bool) -> Option<()> {
        let commit = self.revision(on)?;
        let id = if light { commit } else { self.id() };
        if !light {
            let tag = TagNode { name: name.to_string(), commit, annotated: true };
            self.tags.insert(id, tag);
        }
        self.local.insert(format!("tag:{name}"), id);
        Some(())
    }
}

pub(crate) fn delta(before: &Files, after: &Files) -> BTreeMap<String, (Option<u64>, Option<u64>)> {
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let pairs = paths
        .into_iter()
        .map(|path| (path.clone(), (before.get(path).copied(), after.get(path).copied())));
    pairs.filter(|(_, (a, b))| a != b).collect()
}
