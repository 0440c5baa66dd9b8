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
    /// The class, whether the diff contradicts it, whether a trailer or option declares it, and
    /// whether it is only the result of the sum. It reads no words of subjects: the generator uses none.
    pub(super) fn class(
        &self,
        id: Oid,
        side: &[Oid],
        before: &std::collections::BTreeMap<String, u64>,
        unchanged: bool,
    ) -> (ClassId, bool, bool, bool) {
        let policy = self.policy();
        let classes = &policy.classes;
        let least = classes.ids().next().unwrap_or(ClassId::UNCLASSIFIED);
        if self.parents(id).len() > 1 && unchanged {
            return (least, false, false, false);
        }
        let message =
            |id: &Oid| self.world.nodes.get(id).map(|n| n.message.clone()).unwrap_or_default();
        let files = self.world.files(id);
        let touched: BTreeSet<&String> = before
            .keys()
            .chain(files.keys())
            .filter(|path| before.get(*path) != files.get(*path))
            .collect();
        let allowed = |class: ClassId| self.allows(class, &touched, before, &files);
        // What nobody declares is what another person with the role states, what the paths are,
        // or what the sum says.
        let undeclared = || {
            let by_paths = classes.ids().find(|class| {
                let only = classes.get(*class).is_some_and(|c| !c.bounds.only.is_empty());
                let code =
                    touched.iter().any(|path| path.ends_with(".rs") || path.ends_with(".ts"));
                let documents = classes.find("docs") == Some(*class);
                only && !touched.is_empty() && allowed(*class) && !(documents && code)
            });
            let known = self.stated(id).or(by_paths).or_else(|| self.class_of_kinds(&touched));
            let sum = || self.class_of_sum(&touched, before, &files, &allowed);
            (known.unwrap_or_else(sum), known.is_none())
        };
        let rank = |class: ClassId| classes.rank(class);
        let own = self.own_class(&message(&id), true);
        let declared = side.iter().filter_map(|id| self.own_class(&message(id), false));
        let declared = declared.map(|(class, _)| class).max_by_key(|class| (rank(*class), *class));
        // A merge on the side that declares nothing says nothing, unless it changes something
        // itself and is new to all stages.
        let open = side.iter().any(|id| {
            let parents = self.parents(*id);
            let own = parents.len() < 2
                || (self.mixed(*id, &parents) != (false, false) || parents.len() > 2)
                    && !self.is_on_a_stage(*id);
            own && self.own_class(&message(id), false).is_none()
        });
        let open = open.then(undeclared);
        let raise = policy.merge == refgate_core::MergeClass::Highest;
        // Of the side: the class, whether somebody declared it, and whether it is a sum.
        let beside = match (declared, open) {
            (Some(class), Some((other, sum))) if rank(other) > rank(class) => {
                Some((other, false, sum))
            }
            (Some(class), _) => Some((class, true, false)),
            (None, other) => other.map(|(class, sum)| (class, false, sum)),
        };
        let (class, said, trailer, sum) = match (own, beside) {
            (Some((own, _)), Some((side, said, sum))) if raise && rank(side) > rank(own) => {
                (side, said, false, sum)
            }
            (Some((own, trailer)), _) => (own, true, trailer, false),
            (None, Some((side, said, sum))) => (side, said, false, sum),
            (None, None) => {
                let (class, sum) = undeclared();
                (class, false, false, sum)
            }
        };
        (class, said && !allowed(class) && !self.settled(id, class), trailer, sum)
    }

    fn is_on_a_stage(&self, id: Oid) -> bool {
        let mut tips = (0..self.policy().flow.stages.len()).filter_map(|stage| self.tip(stage));
        tips.any(|tip| self.past(tip).contains(&id))
    }

    /// Whether the limits of a class allow a diff. A deleted and an added file of one size are
    /// one file that moved, and all contents have one size here.
    fn allows(
        &self,
        class: ClassId,
        touched: &BTreeSet<&String>,
        before: &std::collections::BTreeMap<String, u64>,
        after: &std::collections::BTreeMap<String, u64>,
    ) -> bool {
        let Some(class) = self.policy().classes.get(class) else { return true };
        let gone = before.keys().filter(|path| !after.contains_key(*path)).count();
        let added = touched.iter().filter(|path| !before.contains_key(**path as &str));
        let moved: BTreeSet<&String> = added.copied().take(gone).collect();
        let hit = |globs: &[refgate_core::Glob], path: &str| {
            globs.iter().any(|glob| naive_glob(glob.as_str(), path))
        };
        touched.iter().all(|path| {
            let b = &class.bounds;
            let added = !before.contains_key(*path) && !moved.contains(*path);
            !hit(&b.never, path)
                && (b.only.is_empty() || hit(&b.only, path))
                && (b.adds.is_empty() || !added || hit(&b.adds, path))
        })
    }

    /// The class that another person with the role stated last.
    fn stated(&self, id: Oid) -> Option<ClassId> {
        let policy = self.policy();
        let all = self.world.records.iter().filter_map(|r| match &r.body {
            RecordBody::Classification { commit, class } => {
                let counts = *commit == id
                    && self.other(&r.by)
                    && policy.roles.has(&r.by, &policy.waivers.approvers)
                    && Some(&r.by) != self.world.nodes.get(&id).map(|n| &n.author);
                let class = policy.classes.find(class)?;
                counts.then_some((r.at, policy.classes.rank(class), class))
            }
            _ => None,
        });
        all.max().map(|(.., class)| class)
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

    /// The class by the sum of what the diff shows. Every content of a scenario has 28 bytes,
    /// and no subject of the generator has words that count.
    fn class_of_sum(
        &self,
        touched: &BTreeSet<&String>,
        before: &std::collections::BTreeMap<String, u64>,
        after: &std::collections::BTreeMap<String, u64>,
        allowed: &dyn Fn(ClassId) -> bool,
    ) -> ClassId {
        let classes = &self.policy().classes;
        let source: Vec<&&String> =
            touched.iter().filter(|path| naive_kind(path) == "source").collect();
        let added = source.iter().filter(|path| !before.contains_key(**path as &str)).count();
        let deleted = source.iter().filter(|path| !after.contains_key(**path as &str)).count();
        // All contents have one size, so each deleted file could have moved.
        let new = added.saturating_sub(deleted);
        let mut sum = match new {
            0 => 0,
            1 => 2,
            _ => 3,
        };
        sum += match 28 * new {
            0..40 => 0,
            40..400 => 1,
            _ => 2,
        };
        if deleted > added {
            sum -= if 28 * (deleted - added) > 500 { 2 } else { 1 };
        }
        sum += match source.len() {
            0 => -2,
            1 => 0,
            _ => 3,
        };
        if !source.is_empty() && touched.iter().any(|path| naive_kind(path) == "docs") {
            sum -= 2;
        }
        let named = |name: &str| classes.find(name);
        if sum >= 4 {
            named(if new > 0 { "feature" } else { "minor-feature" })
        } else if sum <= 0 {
            ["bugfix", "chore"].into_iter().filter_map(named).find(|class| allowed(*class))
        } else {
            None
        }
        .unwrap_or(ClassId::UNCLASSIFIED)
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
