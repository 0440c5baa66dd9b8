//! `refgate lint`: lists all errors of a policy with their positions, and notes.

use refgate_core::{Interval, Policy};
use refgate_format::{Complaint, PolicyFile, calendar_names, read_policy};
use refgate_gate::{Exit, horizon};
use refgate_report::clean;
use serde_json::json;

use crate::args::Lint;
use crate::command::persons::{alone, too_few};
use crate::output::{VerbResult, done, say, say_json};
use crate::policy_lookup::{PolicyText, find};

pub(crate) fn run(args: &Lint) -> VerbResult {
    let mut bad = false;
    for name in &args.policies {
        let found = find(name, None)?;
        let time = horizon(chrono::Utc::now());
        let (complaints, notes) = match read(&found, time) {
            Ok(policy) => (Vec::new(), notes(&policy)),
            Err(complaints) => (complaints, Vec::new()),
        };
        bad |= !complaints.is_empty();
        if args.json {
            say_json(&object(name, &complaints, &notes));
        } else {
            complaints.iter().for_each(|complaint| say(&shown(&found.place, complaint)));
            notes.iter().for_each(|note| say(&format!("{}: note: {note}\n", found.place)));
            let verdict = match complaints.len() {
                0 => "is valid".to_string(),
                1 => "has 1 error".to_string(),
                count => format!("has {count} errors"),
            };
            say(&format!("{} {verdict}", found.place));
        }
    }
    Ok(done(if bad { Exit::BadPolicy } else { Exit::Accepted }))
}

fn read(found: &PolicyText, time: Interval) -> Result<Policy, Vec<Complaint>> {
    let mut file = PolicyFile { text: found.text.clone(), ..PolicyFile::default() };
    for name in calendar_names(&found.text) {
        if let Some(text) = found.calendar(None, &name) {
            file.calendars.insert(name, text);
        }
    }
    read_policy(&file, time)
}

/// Notes about settings that are allowed but probably not intended.
fn notes(policy: &Policy) -> Vec<String> {
    let mut notes = Vec::new();
    for window in &policy.windows {
        if let refgate_core::WindowSpan::Fixed(intervals) = &window.span
            && intervals.is_empty()
        {
            notes.push(format!("the freeze \"{}\" never applies in the next 3 years", window.name));
        }
        if window.lets_through.is_empty() {
            notes.push(format!("the freeze \"{}\" accepts no class", window.name));
        }
    }
    if policy.waivers.approvers.is_empty() {
        notes.push("nobody can record a waiver: `[waivers] approvers` is not set".to_string());
    }
    notes.extend(alone(policy));
    notes.extend(too_few(policy));
    notes
}

fn shown(place: &str, complaint: &Complaint) -> String {
    let (line, column) = (complaint.place.line, complaint.place.column);
    let number = line.to_string();
    let gap = " ".repeat(number.len());
    let mark = "^".repeat(complaint.width.min(60));
    let before = " ".repeat(column.saturating_sub(1));
    let mut text = format!("{place}:{line}:{column}: {}\n", clean(&complaint.what));
    text.push_str(&format!(
        "{gap} |\n{number} | {}\n{gap} | {before}{mark}",
        clean(&complaint.excerpt)
    ));
    if let Some(hint) = &complaint.hint {
        text.push_str(&format!("\n{gap} = {}", clean(hint)));
    }
    text.push('\n');
    text
}

fn object(name: &str, complaints: &[Complaint], notes: &[String]) -> serde_json::Value {
    let all: Vec<_> = complaints
        .iter()
        .map(|complaint| {
            json!({
                "line": complaint.place.line,
                "column": complaint.place.column,
                "what": complaint.what,
                "hint": complaint.hint,
                "excerpt": complaint.excerpt,
            })
        })
        .collect();
    json!({ "policy": name, "complaints": all, "notes": notes })
}
