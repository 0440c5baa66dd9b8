//! Reports the receipt of a backport, with the difference from Git's own pick.

use refgate_core::NamedCommits;
use refgate_core::{Oid, Receipt, Recipe};
use refgate_gate::Exit;
use refgate_git::{EMPTY_TREE, Reader, receipt};
use refgate_report::clean;
use serde_json::{Value, json};

use crate::git_command;
use crate::merge_tree::{Merged, PickQuery};
use crate::output::Failure;
use crate::recipes::merge_one_with_recipes;

/// A backport, its original, and the receipt that the hook also computes.
#[derive(Debug)]
pub(crate) struct ReceiptReport {
    commit: Oid,
    of: Oid,
    pub(crate) receipt: Receipt,
    /// The diff from Git's own pick to the backport.
    difference: String,
}

/// Picks the original again in memory, and compares the result with the backport.
pub(crate) fn of(
    reader: &Reader,
    recipes: &[Recipe],
    commit: Oid,
    original: Option<&str>,
) -> Result<ReceiptReport, Failure> {
    let wrong = |message: String| Failure::new(Exit::BadInput, message);
    let parsed = reader.commit(commit)?;
    let [onto] = parsed.parents.as_slice() else {
        return Err(wrong(format!(
            "cannot compare {}: a pick must have exactly one parent",
            commit.short()
        )));
    };
    let named = NamedCommits::read(&parsed.message);
    let Some(name) = original.or_else(|| named.picked.last().map(String::as_str)) else {
        let message = format!(
            "cannot compare {}: its message names no original\nhint: name the original with --of",
            commit.short()
        );
        return Err(wrong(message));
    };
    let of = reader.resolve(name).map_err(|_| {
        wrong(format!("the original {name} is not in this repository\nhint: fetch it first"))
    })?;
    let base = reader.commit(of)?.parents.first().copied().unwrap_or(EMPTY_TREE);
    let receipt = receipt(reader, recipes, (commit, &parsed), of)?;
    let mut difference = String::new();
    if receipt != Receipt::Exact {
        let ask = PickQuery { base: Some(base), ours: *onto, theirs: of };
        let (Merged::Clean(tree) | Merged::Conflict { tree, .. }) =
            merge_one_with_recipes(reader.git_dir(), recipes, ask)?;
        let (made, mine) = (tree.to_string(), commit.to_string());
        let arguments = ["diff", "--no-ext-diff", "--no-color", &made, &mine];
        difference = git_command::output(reader.git_dir(), &arguments)?;
    }
    Ok(ReceiptReport { commit, of, receipt, difference })
}

impl ReceiptReport {
    pub(crate) fn text(&self) -> String {
        let files = clean(&self.receipt.paths().join(", "));
        let (short, of) = (self.commit.short(), self.of.short());
        let mut lines = vec![match &self.receipt {
            Receipt::Exact => format!("{short} exact: identical to Git's own pick of {of}"),
            Receipt::Resolved { .. } => {
                format!("{short} resolved: {of} conflicts in {files}; no other file differs")
            }
            Receipt::Edited { .. } => {
                format!("{short} edited: differs from Git's own pick of {of} in {files}")
            }
            Receipt::Marked { .. } => format!("{short} marked: conflict markers in {files}"),
        }];
        // Tabs remain. Other control characters are escaped.
        let shown = |line: &str| line.split('\t').map(clean).collect::<Vec<_>>().join("\t");
        lines.extend(self.difference.lines().map(shown));
        lines.join("\n")
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "commit": self.commit.to_string(), "receipt": self.receipt.word(),
            "of": self.of.to_string(), "paths": self.receipt.paths(),
            "difference": self.difference,
        })
    }
}
