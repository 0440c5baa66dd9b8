//! Reads the recipes of a policy: which side's version of a file a cherry-pick keeps.

use refgate_core::{KeptSide, Recipe};

use super::stages::glob;
use crate::complaint::{Complaints, nearest};
use crate::table::Section;

pub(super) fn recipes(c: &mut Complaints<'_>, root: &mut Section<'_>) -> Vec<Recipe> {
    root.tables(c, "recipe").into_iter().filter_map(|section| recipe(c, section)).collect()
}

fn recipe(c: &mut Complaints<'_>, mut section: Section<'_>) -> Option<Recipe> {
    let span = section.span();
    let texts = section.list(c, "paths");
    let paths: Vec<_> = texts.iter().filter_map(|text| glob(c, text)).collect();
    let keep = section.required(c, "keep");
    let then = section.text(c, "then").map(|text| text.text);
    section.finish(c);
    if texts.is_empty() {
        c.hint(span, "a recipe needs `paths`", "such as `paths = [\"VERSION\", \"**/*.lock\"]`");
    }
    let keep = keep?;
    let kept = match keep.text.as_str() {
        "branch" => KeptSide::Branch,
        "fix" => KeptSide::Fix,
        other => {
            let near = nearest(other, ["branch", "fix"]);
            let hint = near.map_or_else(
                || "expected `branch` (the file stays as it is) or `fix`".to_string(),
                |near| format!("did you mean `{near}`?"),
            );
            c.hint(keep.span, format!("unknown side `{other}`"), hint);
            return None;
        }
    };
    Some(Recipe { paths, keep: kept, then })
}
