//! Runs every scenario of the rule pages and fixtures in memory and with the real hook. Both runs
//! must agree.

use std::path::{Path, PathBuf};

use refgate_core::RuleId;
use refgate_scenario::{
    Report, Scenario, Step, parse_markdown, parse_scenarios, run_in_memory, run_on_disk,
};

pub(crate) fn hook() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_refgate-hook"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pages() -> Vec<Scenario> {
    RuleId::ALL
        .iter()
        .flat_map(|rule| {
            parse_markdown(rule.name(), rule.page()).unwrap_or_else(|e| panic!("{rule:?}: {e}"))
        })
        .collect()
}

fn fixtures() -> Vec<Scenario> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("fixtures")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let scenarios = files.iter().filter(|path| path.extension().is_some_and(|e| e == "scn"));
    scenarios
        .flat_map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(path).unwrap();
            parse_scenarios(&name, &text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        })
        .collect()
}

/// The parts of reports that must be equal. The texts differ in commit ids.
fn verdicts_and_rules(reports: &[Report]) -> Vec<(String, Vec<String>)> {
    reports
        .iter()
        .map(|report| (report.verdict.clone(), report.rules.iter().cloned().collect()))
        .collect()
}

fn assert_runs_agree(scenarios: &[Scenario]) {
    let mut wrong = Vec::new();
    for scenario in scenarios {
        let memory = run_in_memory(scenario, &root(), None);
        let disk = run_on_disk(scenario, &root(), None, hook());
        match (memory, disk) {
            (Ok(memory), Ok(disk)) => {
                let (memory, disk) = (verdicts_and_rules(&memory), verdicts_and_rules(&disk));
                // A run in memory stops at the first step that needs a shell.
                if memory != disk[..memory.len()] {
                    wrong.push(format!("{}: {memory:?} but {disk:?}", scenario.name));
                }
            }
            (memory, disk) => {
                wrong.extend(memory.err().map(|e| format!("in memory: {e}")));
                wrong.extend(disk.err().map(|e| format!("on disk: {e}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn scenarios_of_rule_pages_agree() {
    assert_runs_agree(&pages());
}

#[test]
fn scenarios_of_fixtures_agree() {
    assert_runs_agree(&fixtures());
}

/// Every rule page must have the same headings, an accepted push and a rejected push.
#[test]
fn rule_pages_are_complete() {
    for rule in RuleId::ALL {
        let headings: Vec<&str> =
            rule.page().lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(
            headings,
            [
                "Why teams want it",
                "Settings",
                "What it accepts",
                "What it rejects",
                "How to fix it",
                "When to waive",
                "Related rules"
            ],
            "{}",
            rule.name()
        );
        let scenarios = parse_markdown(rule.name(), rule.page()).unwrap();
        let expects = |heading: &str, verdicts: &[&str]| {
            scenarios.iter().filter(|s| s.name.ends_with(heading)).any(|scenario| {
                scenario.lines.iter().any(|line| match &line.step {
                    Step::Expect(expected) => verdicts.contains(&expected.verdict.as_str()),
                    _ => false,
                })
            })
        };
        assert!(expects("What it accepts", &["accept"]), "{}", rule.name());
        assert!(expects("What it rejects", &["reject", "error"]), "{}", rule.name());
    }
}
