//! Fuzz targets for everything that comes over a push, a policy or a ledger. Each has an
//! oracle beyond "it does not panic" where there is one.
//!
//! `cargo test -p refgate-fuzz` runs each target for a short time on its corpus and on random
//! inputs. `cargo bolero test -p refgate-fuzz --engine libfuzzer TARGET` runs one for long.

use std::collections::BTreeMap;

use bolero::check;
use refgate_core::{Instant, Interval, Oid};
use refgate_format::{
    CalendarBudget, PolicyFile, Signers, Zone, import_calendar, parse_hook_input, read_policy,
    read_record, record_text, split_file, tag_signer, verify,
};

fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

fn now() -> Instant {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn year() -> Interval {
    Interval::new(now(), now() + refgate_core::Duration::days(365)).unwrap()
}

#[test]
fn hook_input() {
    check!().for_each(|input: &[u8]| {
        let Ok(lines) = parse_hook_input(input, 100) else { return };
        // What is accepted is what was written, line by line.
        let again: String = lines
            .iter()
            .map(|line| format!("{} {} {}\n", line.claimed_old, line.new, line.name.as_str()))
            .collect();
        assert_eq!(again.as_bytes(), input);
    });
}

#[test]
fn commit() {
    check!().for_each(|input: &[u8]| {
        let Some(commit) = refgate_git::parse_commit(input) else { return };
        if commit.defect.is_none() {
            // The header names the parents, so a sound commit has them all in its bytes.
            for parent in &commit.parents {
                assert!(text(input).contains(&format!("parent {parent}\n")));
            }
        }
    });
}

#[test]
fn tag() {
    check!().for_each(|input: &[u8]| {
        if let Some(name) = refgate_git::tag_object_name(input) {
            assert!(text(input).contains(&format!("tag {name}")));
        }
    });
}

#[test]
fn tree() {
    check!().for_each(|input: &[u8]| {
        let Some(tree) = refgate_git::Tree::parse(input.to_vec()) else { return };
        let names: Vec<&[u8]> = tree.entries().map(|entry| entry.name).collect();
        let distinct: std::collections::BTreeSet<&[u8]> = names.iter().copied().collect();
        assert_eq!(names.len(), distinct.len());
    });
}

#[test]
fn policy() {
    check!().for_each(|input: &[u8]| {
        let file = PolicyFile { text: text(input), calendars: BTreeMap::new() };
        let _ = read_policy(&file, year());
    });
}

#[test]
fn calendar() {
    check!().for_each(|input: &[u8]| {
        let mut budget = CalendarBudget::default();
        if let Ok(windows) = import_calendar(&text(input), Zone::UTC, year(), &mut budget) {
            assert!(windows.len() <= 5_000);
            assert!(windows.iter().all(|window| window.start < window.end));
        }
    });
}

#[test]
fn record() {
    check!().for_each(|input: &[u8]| {
        // There is one form of each record: what is read is what was signed.
        let text = text(input);
        if let Ok(record) = read_record(&text) {
            assert_eq!(record_text(&record), text);
        }
        let _ = split_file(&text);
    });
}

#[test]
fn signature() {
    let signers = Signers::parse("", "").unwrap();
    check!().for_each(|input: &[u8]| {
        // Nobody is listed, so nothing can be valid.
        assert!(verify(&signers, "x", &text(input), ("ada", "git", now())).is_err());
        assert!(tag_signer(&signers, input, now()).is_err());
    });
}

#[test]
fn allowed_signers() {
    check!().for_each(|input: &[u8]| {
        if let Ok(signers) = Signers::parse(&text(input), "") {
            // A pattern must never stand for a person.
            let mut people = signers.all.iter().flat_map(|signer| &signer.people);
            assert!(people.all(|person| !person.contains(['*', '?', '!'])));
        }
    });
}

#[test]
fn log_entry() {
    check!().for_each(|input: &[u8]| {
        let entry = refgate_gate::LogEntry::parse(Oid::default(), &text(input));
        let _ = serde_json::to_string(&entry.object);
    });
}

#[test]
fn scenario() {
    check!().for_each(|input: &[u8]| {
        let _ = refgate_scenario::parse_scenarios("x", &text(input));
        let _ = refgate_scenario::parse_markdown("x", &text(input));
    });
}
