//! How much of a backport is Git's own pick, and how much did somebody add?

use std::collections::BTreeSet;

use refgate_core::matrix::Named;
use refgate_core::{Oid, Recipe};
use refgate_gate::Exit;
use refgate_git::Reader;
use refgate_report::clean;
use serde_json::{Value, json};

use crate::git;
use crate::merge::{Ask, Merged};
use crate::output::Failure;
use crate::recipes::cooked_one;

/// What a backport is, compared with the pick that Git makes of its original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// Exactly Git's pick.
    Exact { of: Oid },
    /// Git had conflicts in some files, and nothing else differs.
    Resolved { of: Oid, paths: Vec<String> },
    /// It changes what Git would not have, in these files.
    Edited { of: Oid, paths: Vec<String> },
    /// Conflict marks were committed.
    Marked { paths: Vec<String> },
}

/// Picks the original once more, in memory, and compares.
pub(crate) fn of(reader: &Reader, recipes: &[Recipe], commit: Oid) -> Result<Receipt, Failure> {
    let wrong = |message: String| Failure::new(Exit::BadInput, message);
    let parsed = reader.commit(commit)?;
    let [parent] = parsed.parents.as_slice() else {
        return Err(wrong(format!("{} is no pick: it has not one parent", commit.short())));
    };
    let (parent_id, mine) = (parent.to_string(), commit.to_string());
    let folder = reader.git_dir();
    let check = git::command(folder).args(["diff", "--check", &parent_id, &mine]).output()?;
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    let marked: BTreeSet<String> = said
        .lines()
        .filter(|line| line.ends_with("leftover conflict marker"))
        .filter_map(|line| line.split(':').next().map(ToString::to_string))
        .collect();
    if !marked.is_empty() {
        return Ok(Receipt::Marked { paths: marked.into_iter().collect() });
    }
    let named = Named::read(&parsed.message);
    let Some(name) = named.picked.last() else {
        let message = format!(
            "{} names no original: `(cherry picked from commit ...)` is missing",
            commit.short()
        );
        return Err(wrong(message));
    };
    let original = reader.resolve(name).map_err(|_| {
        wrong(format!("the original {name} is not in this repository; fetch it first"))
    })?;
    let parents = reader.commit(original)?.parents;
    // Of a merge, whichever side it is that Git's pick equals.
    for base in parents.iter().skip(1) {
        let ask = Ask { base: Some(*base), ours: *parent, theirs: original };
        if cooked_one(folder, recipes, ask)? == Merged::Clean(parsed.tree) {
            return Ok(Receipt::Exact { of: original });
        }
    }
    let base =
        *parents.first().ok_or_else(|| wrong(format!("the original {name} has no parent")))?;
    match cooked_one(folder, recipes, Ask { base: Some(base), ours: *parent, theirs: original })? {
        Merged::Clean(tree) if tree == parsed.tree => Ok(Receipt::Exact { of: original }),
        Merged::Clean(tree) => {
            let paths = git::differing(folder, &tree.to_string(), &mine)?;
            Ok(Receipt::Edited { of: original, paths })
        }
        Merged::Conflict { paths, .. } => {
            // Outside of what conflicted it must be what Git has merged.
            let theirs = git::differing(folder, &base.to_string(), &original.to_string())?;
            let touched = git::differing(folder, &parent_id, &mine)?;
            let beyond: Vec<String> =
                touched.into_iter().filter(|path| !theirs.contains(path)).collect();
            Ok(if beyond.is_empty() {
                Receipt::Resolved { of: original, paths }
            } else {
                Receipt::Edited { of: original, paths: beyond }
            })
        }
    }
}

impl Receipt {
    const fn word(&self) -> &'static str {
        match self {
            Self::Exact { .. } => "exact",
            Self::Resolved { .. } => "resolved",
            Self::Edited { .. } => "edited",
            Self::Marked { .. } => "marked",
        }
    }

    pub(crate) fn text(&self, commit: Oid) -> String {
        let files = |paths: &[String]| clean(&paths.join(", "));
        let short = commit.short();
        match self {
            Self::Exact { of } => format!("{short} exact: what git makes of {}", of.short()),
            Self::Resolved { of, paths } => format!(
                "{short} resolved: {} conflicts in {}; no other file differs",
                of.short(),
                files(paths)
            ),
            Self::Edited { of, paths } => {
                format!(
                    "{short} edited: differs from what git makes of {} in {}",
                    of.short(),
                    files(paths)
                )
            }
            Self::Marked { paths } => format!("{short} holds conflict marks in {}", files(paths)),
        }
    }

    pub(crate) fn json(&self, commit: Oid) -> Value {
        let (of, paths) = match self {
            Self::Exact { of } => (Some(of), Vec::new()),
            Self::Resolved { of, paths } | Self::Edited { of, paths } => (Some(of), paths.clone()),
            Self::Marked { paths } => (None, paths.clone()),
        };
        json!({
            "commit": commit.to_string(), "receipt": self.word(),
            "of": of.map(ToString::to_string), "paths": paths,
        })
    }
}
