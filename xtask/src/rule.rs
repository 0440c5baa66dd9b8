//! A new rule is one file, one page and one line; this makes them.

use std::fs;
use std::path::Path;

const PAGE: &str = "# NAME: what does it ask?

## Why teams want it

## Settings

## What it accepts

```scenario
policy portal
ada commits \"fix: a\" on dev, changing src/app.rs
ada pushes dev
expect accept
```

## What it rejects

```scenario
policy portal
ada deletes dev
expect reject NAME
```

## How to fix it

## When to waive

## Related rules
";

const RULE: &str = "//! What does it ask?

use alloc::vec::Vec;

use crate::case::Landed;
use crate::{Case, Finding};

pub(super) fn check(_case: &Case<'_>, _landed: &[Landed<'_>]) -> Vec<Finding> {
    Vec::new()
}
";

pub(crate) fn make(name: &str) -> Result<String, String> {
    let word = |c: char| c.is_ascii_lowercase() || c == '-';
    if name.is_empty() || !name.chars().all(word) {
        return Err("a rule's name is of small letters and dashes".to_string());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let module = name.replace('-', "_");
    let id: String = name
        .split('-')
        .map(|part| {
            let (first, rest) = part.split_at(part.len().min(1));
            first.to_uppercase() + rest
        })
        .collect();
    let rule = root.join(format!("crates/refgate-core/src/rules/{module}.rs"));
    let page = root.join(format!("docs/rules/{name}.md"));
    let list = root.join("crates/refgate-core/src/rules.rs");
    if rule.exists() || page.exists() {
        return Err(format!("the rule `{name}` is there already"));
    }
    let fail = |error: std::io::Error| error.to_string();
    let text = fs::read_to_string(&list).map_err(fail)?;
    let marker = "rules! {\n";
    let line = format!("{marker}    {id} = {module}, \"{name}\";\n");
    fs::write(&rule, RULE).map_err(fail)?;
    fs::write(&page, PAGE.replace("NAME", name)).map_err(fail)?;
    fs::write(&list, text.replacen(marker, &line, 1)).map_err(fail)?;
    Ok(format!("made {} and {}; the list has its line", rule.display(), page.display()))
}
