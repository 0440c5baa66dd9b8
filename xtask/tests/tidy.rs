//! Checks the structure of the source: dependencies between crates, and the length of files.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    // `xtask/..` would be part of all paths, and the list `edges` below would match them.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    let mut folders = vec![root().join("crates"), root().join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                all.push((path, text));
            }
        }
    }
    assert!(all.len() > 50, "too few source files were found");
    all
}

fn manifest(name: &str) -> toml::Table {
    let path = root().join("crates").join(name).join("Cargo.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

fn dependencies(name: &str) -> BTreeSet<String> {
    let table = manifest(name);
    let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
    dependencies.map(|all| all.keys().cloned().collect()).unwrap_or_default()
}

fn crates() -> Vec<String> {
    let folders = fs::read_dir(root().join("crates")).unwrap();
    folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn crates_depend_only_on_the_allowed_crates() {
    for (name, allowed) in [
        ("refgate-core", &[][..]),
        ("refgate-format", &["refgate-core"]),
        ("refgate-report", &["refgate-core"]),
        ("refgate-git", &["refgate-core"]),
        ("refgate-gate", &["refgate-core", "refgate-format", "refgate-git", "refgate-report"]),
        ("refgate-hook", &["refgate-gate"]),
        (
            "refgate-backport",
            &["refgate-core", "refgate-format", "refgate-gate", "refgate-git", "refgate-report"],
        ),
        (
            "refgate-sim",
            &[
                "refgate-core",
                "refgate-format",
                "refgate-gate",
                "refgate-git",
                "refgate-report",
                "refgate-scenario",
            ],
        ),
        (
            "refgate-scenario",
            &["refgate-core", "refgate-format", "refgate-gate", "refgate-git", "refgate-report"],
        ),
    ] {
        let own: BTreeSet<String> =
            dependencies(name).into_iter().filter(|d| d.starts_with("refgate-")).collect();
        let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
        assert!(own.is_subset(&allowed), "{name} depends on {own:?}");
    }
}

#[test]
fn only_the_intended_crates_use_git_and_clap() {
    let core: Vec<String> = dependencies("refgate-core").into_iter().collect();
    assert_eq!(core, ["chrono", "thiserror"], "refgate-core must have exactly these dependencies");
    for name in crates() {
        let all = dependencies(&name);
        let git = all.contains("git2") || all.contains("gix-commitgraph");
        assert!(!git || name == "refgate-git", "{name} depends on a Git library");
        let clap = all.contains("clap");
        let binary = ["refgate-cli", "refgate-backport", "refgate-sim"].contains(&name.as_str());
        assert!(!clap || binary, "{name} depends on clap");
    }
    let core = fs::read_to_string(root().join("crates/refgate-core/src/lib.rs")).unwrap();
    assert!(core.contains("#![no_std]"));
}

/// Only binaries and the real world of scenarios use the clock, the environment and the streams.
#[test]
fn only_binaries_use_clock_environment_and_streams() {
    let edges = [
        "refgate-hook",
        "refgate-cli",
        "refgate-backport",
        "refgate-sim",
        "xtask",
        "refgate-scenario/src/real_world.rs",
    ];
    for (path, text) in sources() {
        let shown = path.display().to_string();
        if edges.iter().any(|edge| shown.contains(edge)) || shown.contains("/tests/") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        for word in
            ["Utc::now", "SystemTime", "std::env::", "io::stdin", "io::stdout", "io::stderr"]
        {
            assert!(!code.contains(word), "{shown} contains {word}");
        }
    }
}

#[test]
fn files_stay_within_their_length() {
    let mut lengths = Vec::new();
    for (path, text) in sources() {
        let shown = path.display().to_string();
        let code = text.split("#[cfg(test)]").next().unwrap().lines().count();
        let test = shown.contains("/tests/");
        if !test {
            lengths.push(code);
        }
        let limit = match () {
            () if shown.contains("refgate-core/src/rules/") => 120,
            () if shown.ends_with("main.rs") && !test => 110,
            () if test => 450,
            () => 350,
        };
        assert!(code <= limit, "{shown} has {code} lines, and the limit is {limit}");
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!["utils", "helpers", "common", "misc", "util"].contains(&&*name), "{shown}");
        assert!(text.starts_with("//! "), "{shown} has no module doc");
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 150, "the median length of a file is {median} lines, and the limit is 150");
}

#[test]
fn every_rule_is_listed_once_and_has_its_page() {
    let list = fs::read_to_string(root().join("crates/refgate-core/src/rules.rs")).unwrap();
    let folder = root().join("crates/refgate-core/src/rules");
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let module = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert_eq!(list.matches(&format!(" = {module}, ")).count(), 1, "{module}");
    }
    for entry in fs::read_dir(root().join("docs/rules")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(list.contains(&format!("\"{name}\";")), "the page {name} has no rule");
    }
}

#[test]
fn sources_contain_no_path_of_the_build_machine() {
    for (path, text) in sources() {
        for word in [concat!("/wo", "rk/"), concat!("/ro", "ot/")] {
            assert!(!text.contains(word), "{} contains {word}", path.display());
        }
    }
}
