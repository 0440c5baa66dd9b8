//! Creates the files of a new rule: its module, its page and its line in the list of rules.

use std::fs;
use std::path::Path;

const PAGE: &str = "# NAME: what the rule allows, in one sentence

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

const RULE: &str = "//! Requires that ...

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::rules::Properties;
use crate::{Case, Finding};

/// What a push breaks, with all facts that the sentence needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IDViolation {}

pub(crate) const PROPERTIES: Properties = Properties::DEFAULT;

pub(super) fn check(_case: &Case<'_>, _landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    Vec::new()
}
";

/// Creates the file and the page of a rule, and adds it to the list.
///
/// # Errors
/// Returns an error if the name is not valid, the rule exists, or a file cannot be written.
pub(crate) fn create(name: &str) -> Result<String, String> {
    let word = |c: char| c.is_ascii_lowercase() || c == '-';
    if name.is_empty() || !name.chars().all(word) {
        return Err("cannot create the rule: use lower-case letters and hyphens".to_string());
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
        return Err(format!("cannot create the rule `{name}`: it exists already"));
    }
    let fail = |error: std::io::Error| error.to_string();
    let text = fs::read_to_string(&list).map_err(fail)?;
    let marker = "rules! {\n";
    let line = format!("{marker}    {id} = {module}, {id}Violation, \"{name}\";\n");
    fs::write(&rule, RULE.replace("IDViolation", &format!("{id}Violation"))).map_err(fail)?;
    fs::write(&page, PAGE.replace("NAME", name)).map_err(fail)?;
    fs::write(&list, text.replacen(marker, &line, 1)).map_err(fail)?;
    Ok(format!(
        "created crates/refgate-core/src/rules/{module}.rs and docs/rules/{name}.md, and added \
         the rule to the list\nhint: `cargo check` now names the sentence, the facts and the \
         remedies that are missing in crates/refgate-report/src/"
    ))
}
