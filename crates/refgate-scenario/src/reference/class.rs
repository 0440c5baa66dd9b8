//! Computes the class of a landing in the reference model.

use std::collections::BTreeSet;

use refgate_core::{ClassId, Oid, RecordBody};

use super::View;

/// What a path of the generator is: documentation, a file that is no part of the product, or
/// product source.
pub(super) fn naive_kind(path: &str) -> &'static str {
    match path {
        "README.md" | "docs/guide.md" | "docs/new.md" | "docs/plan.png" => "docs",
        "Cargo.lock" | "src/app_test.rs" | ".github/ci.yml" => "chore",
        _ => "source",
    }
}

impl View<'_> {
    /// The class, whether the diff contradicts it, and whether a trailer or option
    /// declares it. It reads no words of subjects: the generator uses none.
    pub(super) fn class(
        &self,
        id: Oid,
        side: &[Oid],
        before: &std::collections::BTreeMap<String, u64>,
        unchanged: bool,
    ) -> (ClassId, bool, bool) {
        let policy = self.policy();
        let classes = &policy.classes;
        let least = classes.ids().next().unwrap_or(ClassId::UNCLASSIFIED);
        if self.parents(id).len() > 1 && unchanged {
            return (least, false, false);
        }
        let message =
            |id: &Oid| self.world.nodes.get(id).map(|n| n.message.clone()).unwrap_or_default();
        let mut found = self.own_class(&message(&id), true);
        if !side.is_empty() {
            // A merge on the side says something only if it declares a class.
            let sides = side.iter().filter_map(|id| {
                let own = self.own_class(&message(id), false).map(|(class, _)| class);
                let merge = self.parents(*id).len() > 1;
                if merge { own } else { Some(own.unwrap_or(ClassId::UNCLASSIFIED)) }
            });
            let highest = sides.max_by_key(|class| (classes.rank(*class), *class));
            let raise = self.policy().merge == refgate_core::MergeClass::Highest;
            match (&found, highest) {
                (None, Some(side)) => found = Some((side, false)),
                (Some((own, _)), Some(side))
                    if raise && classes.rank(side) > classes.rank(*own) =>
                {
                    found = Some((side, false));
                }
                _ => {}
            }
        }
        let files = self.world.files(id);
        let touched: BTreeSet<&String> = before
            .keys()
            .chain(files.keys())
            .filter(|path| before.get(*path) != files.get(*path))
            .collect();
        let allowed = |class: ClassId| {
            classes.get(class).is_none_or(|class| {
                let hit = |globs: &[refgate_core::Glob], path: &str| {
                    globs.iter().any(|glob| naive_glob(glob.as_str(), path))
                };
                touched.iter().all(|path| {
                    let b = &class.bounds;
                    let added = !before.contains_key(*path);
                    !hit(&b.never, path)
                        && (b.only.is_empty() || hit(&b.only, path))
                        && (b.adds.is_empty() || !added || hit(&b.adds, path))
                })
            })
        };
        match found {
            Some((class, trailer)) if class != ClassId::UNCLASSIFIED => {
                let settled = self.settled(id, class);
                (class, !allowed(class) && !settled, trailer)
            }
            _ => {
                let by_paths = classes.ids().find(|class| {
                    let only = classes.get(*class).is_some_and(|c| !c.bounds.only.is_empty());
                    let code =
                        touched.iter().any(|path| path.ends_with(".rs") || path.ends_with(".ts"));
                    let documents = classes.find("docs") == Some(*class);
                    only && !touched.is_empty() && allowed(*class) && !(documents && code)
                });
                let class = by_paths
                    .or_else(|| self.class_of_kinds(&touched))
                    .unwrap_or(ClassId::UNCLASSIFIED);
                (class, false, false)
            }
        }
    }

    /// Whether another person with the role confirmed the class.
    fn settled(&self, id: Oid, class: ClassId) -> bool {
        let policy = self.policy();
        self.world.records.iter().any(|r| match &r.body {
            RecordBody::Classification { commit, class: named } => {
                *commit == id
                    && policy.classes.find(named) == Some(class)
                    && self.other(&r.by)
                    && policy.roles.has(&r.by, &policy.waivers.approvers)
                    && Some(&r.by) != self.world.nodes.get(&id).map(|n| &n.author)
            }
            _ => false,
        })
    }

    /// The class of paths that are all documentation, or all no part of the product.
    fn class_of_kinds(&self, touched: &BTreeSet<&String>) -> Option<ClassId> {
        let classes = &self.policy().classes;
        let kinds: BTreeSet<&str> = touched.iter().map(|path| naive_kind(path)).collect();
        let class = match kinds.into_iter().collect::<Vec<_>>()[..] {
            ["docs"] => classes.find("docs")?,
            ["chore"] | ["chore", "docs"] => classes.find("chore")?,
            _ => return None,
        };
        let bounds = &classes.get(class)?.bounds;
        let hit = |globs: &[refgate_core::Glob], path: &str| {
            globs.iter().any(|glob| naive_glob(glob.as_str(), path))
        };
        let fits = |path: &&String| {
            !hit(&bounds.never, path) && (bounds.only.is_empty() || hit(&bounds.only, path))
        };
        touched.iter().all(fits).then_some(class)
    }

    pub(super) fn own_class(&self, message: &str, tip: bool) -> Option<(ClassId, bool)> {
        let policy = self.policy();
        if let Some((_, value)) = message.split_once("\n\nChange-Class: ") {
            return Some((policy.classes.find(value.lines().next()?)?, true));
        }
        let option = self.options.iter().find_map(|option| option.strip_prefix("class="));
        if let Some(option) = option.filter(|_| tip) {
            return Some((policy.classes.find(option)?, true));
        }
        let subject = message.lines().next()?;
        if let Some((_, rest)) = subject.split_once("Merge branch '") {
            let word = rest.split(['/', '\'']).next()?;
            let hit = policy.declare.branches.iter().find(|(words, _)| words.as_str() == word);
            return hit.map(|(_, class)| (*class, false));
        }
        let (kind, _) = subject.split_once(": ")?;
        let hit = policy.declare.conventional.iter().find(|(name, _)| name == kind);
        hit.map(|(_, class)| (*class, false))
    }
}

/// Matches a glob by trying every split of the path. This is simple, but slow.
fn naive_glob(pattern: &str, path: &str) -> bool {
    fn parts(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["**", rest @ ..], _) => {
                (0..=path.len()).any(|skip| path.get(skip..).is_some_and(|tail| parts(rest, tail)))
            }
            ([p, rest @ ..], [s, tail @ ..]) => {
                letters(p.as_bytes(), s.as_bytes()) && parts(rest, tail)
            }
            _ => false,
        }
    }
    fn letters(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=text.len())
                .any(|skip| text.get(skip..).is_some_and(|tail| letters(rest, tail))),
            ([b'?', rest @ ..], [_, tail @ ..]) => letters(rest, tail),
            ([p, rest @ ..], [t, tail @ ..]) => p == t && letters(rest, tail),
            _ => false,
        }
    }
    parts(&pattern.split('/').collect::<Vec<_>>(), &path.split('/').collect::<Vec<_>>())
}
