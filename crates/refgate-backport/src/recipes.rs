//! Applies the policy's recipes: files of which a backport keeps one side unchanged.

use std::collections::BTreeSet;
use std::path::Path;

use refgate_core::{KeptSide, Recipe, recipe};
use refgate_git::Writer;

use crate::git_command;
use crate::merge_tree::{Merged, PickQuery, picks};
use crate::output::Failure;

/// Computes picks or merges, and applies the policy's recipes to the results.
pub(crate) fn merge_with_recipes(
    folder: &Path,
    recipes: &[Recipe],
    asked: &[PickQuery],
) -> Result<Vec<Merged>, Failure> {
    let merged = picks(folder, asked, None)?;
    if recipes.is_empty() {
        return Ok(merged);
    }
    let writer = Writer::open(folder, false)?;
    let each = asked.iter().zip(merged);
    each.map(|(ask, merged)| settled(folder, &writer, recipes, *ask, merged)).collect()
}

fn settled(
    folder: &Path,
    writer: &Writer,
    recipes: &[Recipe],
    ask: PickQuery,
    merged: Merged,
) -> Result<Merged, Failure> {
    let (tree, conflicts, said) = match merged {
        Merged::Clean(tree) => (tree, Vec::new(), Vec::new()),
        Merged::Conflict { tree, paths, said } => (tree, paths, said),
    };
    let mut touched: BTreeSet<String> = conflicts.iter().cloned().collect();
    touched
        .extend(git_command::differing_paths(folder, &[&ask.ours.to_string(), &tree.to_string()])?);
    let mut at = tree;
    for (keep, from) in [(KeptSide::Branch, ask.ours), (KeptSide::Fix, ask.theirs)] {
        let kept = |path: &&String| recipe(recipes, path).is_some_and(|one| one.keep == keep);
        let paths: Vec<String> = touched.iter().filter(kept).cloned().collect();
        if !paths.is_empty() {
            at = writer.tree_with_files(at, from, &paths)?;
        }
    }
    let paths: Vec<String> =
        conflicts.into_iter().filter(|path| recipe(recipes, path).is_none()).collect();
    Ok(match paths.is_empty() {
        true => Merged::Clean(at),
        false => Merged::Conflict { tree: at, paths, said },
    })
}

/// Applies the recipes in a worktree in which a pick or a merge has stopped.
pub(crate) fn apply_in_worktree(
    worktree: &Path,
    recipes: &[Recipe],
    theirs: &str,
) -> Result<(), Failure> {
    if recipes.is_empty() {
        return Ok(());
    }
    for path in git_command::differing_paths(worktree, &["HEAD"])? {
        let Some(recipe) = recipe(recipes, &path) else { continue };
        let from = if recipe.keep == KeptSide::Branch { "HEAD" } else { theirs };
        let mut there = git_command::command(worktree);
        let there = there.args(["cat-file", "-e", &format!("{from}:{path}")]).output()?;
        let literal = format!(":(literal){path}");
        if there.status.success() {
            git_command::output(worktree, &["checkout", "-q", from, "--", &literal])?;
        } else {
            git_command::output(worktree, &["rm", "-q", "-f", "--", &literal])?;
        }
    }
    Ok(())
}

/// The `then` texts of the recipes for these paths: what a person must still do.
pub(crate) fn manual_steps<'r>(recipes: &'r [Recipe], paths: &[String]) -> BTreeSet<&'r str> {
    let used = paths.iter().filter_map(|path| recipe(recipes, path));
    used.filter_map(|recipe| recipe.then.as_deref()).collect()
}

/// Computes one pick or merge, and applies the recipes to the result.
pub(crate) fn merge_one_with_recipes(
    folder: &Path,
    recipes: &[Recipe],
    ask: PickQuery,
) -> Result<Merged, Failure> {
    let nothing = || Failure::new(refgate_gate::Exit::Failed, "git merge-tree printed no result");
    merge_with_recipes(folder, recipes, &[ask])?.pop().ok_or_else(nothing)
}
