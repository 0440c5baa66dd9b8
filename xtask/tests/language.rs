//! Checks that code and manual use the words of `docs/glossary.md` and refer to pages that exist.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Names that were replaced. A new use of one is a mistake.
const OLD_NAMES: &[&str] = &[
    "Landed",
    "lowered_class",
    "Photo",
    "Mover",
    "unsay",
    "Room",
    "Wish",
    "Desk",
    "Scribe",
    "halfway",
    "deed",
    "judge_again",
    "as_of_then",
    "write_down",
    "Doubt",
    "Brought",
    "Unjudged",
    "StageNow",
    "BadInput_",
    "Glimpse",
    "Sought",
    "Likeness",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All files with one of these extensions, with their text.
fn files(extensions: &[&str]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["crates", "xtask", "docs", "policies", "fixtures"].map(|name| root().join(name)).into();
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        all.push((name.to_string(), fs::read_to_string(root().join(name)).unwrap()));
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if extensions.contains(&extension.as_str()) {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                all.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(all.len() > 50, "the files were not found");
    all
}

/// The left column of the table under `## Rejected words`.
fn rejected_words() -> Vec<String> {
    let glossary = fs::read_to_string(root().join("docs/glossary.md")).unwrap();
    let (_, table) = glossary.split_once("## Rejected words").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")).skip(1);
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let words: Vec<String> =
        cells.flat_map(|cell| cell.split(", ")).map(|word| word.trim().to_lowercase()).collect();
    assert!(words.len() > 10, "the table was not found");
    words
}

/// Whether a text contains a phrase as whole words.
fn contains_phrase(text: &str, phrase: &str) -> bool {
    let boundary = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    text.match_indices(phrase).any(|(at, _)| {
        boundary(text.get(..at).unwrap().chars().next_back())
            && boundary(text.get(at + phrase.len()..).unwrap().chars().next())
    })
}

#[test]
fn uses_the_words_of_the_glossary() {
    let words = rejected_words();
    let mut found = Vec::new();
    for (name, text) in files(&["rs", "md", "toml", "scn", "lesson"]) {
        if name.ends_with("glossary.md")
            || name.ends_with("style.md")
            || name.ends_with("language.rs")
        {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let lower = line.to_lowercase();
            let hits = words.iter().filter(|word| contains_phrase(&lower, word));
            found.extend(hits.map(|word| format!("{name}:{}: \"{word}\": {line}", number + 1)));
        }
    }
    assert!(found.is_empty(), "{} rejected words:\n{}", found.len(), found.join("\n"));
}

#[test]
fn old_names_stay_away() {
    for (name, text) in files(&["rs"]) {
        if name.ends_with("language.rs") {
            continue;
        }
        for old in OLD_NAMES {
            assert!(!contains_phrase(&text, old), "{name} uses the old name `{old}`");
        }
    }
}

#[test]
fn writes_singular_and_plural_out() {
    for (name, text) in files(&["rs", "md", "lesson"]) {
        let exempt = name.ends_with("language.rs") || name.ends_with("style.md");
        let lines = text.lines().filter(|line| !exempt && line.contains("(s)"));
        assert_eq!(lines.collect::<Vec<_>>(), Vec::<&str>::new(), "{name} writes `(s)`");
    }
}

/// A reference has the form `docs/PAGE.md` or `docs/PAGE.md, "Heading"` or `docs/PAGE.md, R7`.
#[test]
fn references_name_a_page_and_a_heading_that_exist() {
    let mut seen = 0;
    for (name, text) in files(&["rs", "md", "toml"]) {
        // A reference may be wrapped in a comment.
        let joined = text.replace("\n/// ", " ").replace("\n    /// ", " ").replace("\n//! ", " ");
        for (at, _) in joined.match_indices("docs/") {
            let rest = joined.get(at..).unwrap();
            let Some(end) = rest.find(".md") else { continue };
            let page = rest.get(..end + 3).unwrap();
            if page.contains(|c: char| !c.is_ascii_alphanumeric() && !"/.-_".contains(c)) {
                continue;
            }
            if page.contains("NAME") || page.contains("NNNN") {
                continue;
            }
            // A page outside `docs/design` without a heading may be a file of an example.
            let path = root().join(page);
            let design = page.starts_with("docs/design/");
            assert!(path.exists() || !design, "{name} refers to {page}, which does not exist");
            let Some(place) = rest.get(end + 3..).and_then(|rest| rest.strip_prefix(", ")) else {
                continue;
            };
            let Ok(target) = fs::read_to_string(path) else { continue };
            if let Some(heading) = place.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                let exists = target.lines().any(|line| {
                    line.trim_start_matches('#').trim() == heading && line.starts_with('#')
                });
                assert!(
                    exists,
                    "{name} refers to \"{heading}\" in {page}, which has no such heading"
                );
                seen += 1;
                continue;
            }
            let id: String = place.chars().take_while(char::is_ascii_alphanumeric).collect();
            let numbered = id.len() > 1
                && id.starts_with(|c: char| c.is_ascii_uppercase())
                && id.chars().skip(1).all(|c| c.is_ascii_digit());
            if numbered {
                let (heading, row) = (format!("### {id}"), format!("| {id} |"));
                let exists =
                    target.lines().any(|line| line.starts_with(&heading) || line.starts_with(&row));
                assert!(exists, "{name} refers to {id} in {page}, which does not define it");
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "only {seen} references were found");
}
