//! `refgate audit` finds ref updates that bypassed refgate. `refgate log` shows the audit log.

use refgate_core::Oid;
use refgate_gate::{Exit, LogEntry, audit};
use refgate_report::{clean, show};
use serde_json::{Value, json};

use crate::args::{AuditLog, LogVerb, Question};
use crate::command::query_context::{QueryContext, ask, finished};
use crate::output::{Failure, VerbResult, say, say_json};

pub(crate) fn run(question: &Question) -> VerbResult {
    let query = ask(question)?;
    if !query.served {
        let message = "cannot audit a clone: an audit reads the reflogs of the server\nhint: run \
            `refgate audit` in the repository on the server";
        return Err(Failure::new(Exit::BadRepository, message));
    }
    let found = audit(&query.reader, &query.policy)?;
    let id = |id: Option<Oid>| id.map(|id| id.to_string());
    if question.json {
        let findings: Vec<Value> = found
            .findings
            .iter()
            .map(|doubt| {
                json!({
                    "ref": doubt.name, "old": id(doubt.old), "new": id(doubt.new),
                    "at": doubt.at.map(|at| at.to_rfc3339()), "why": doubt.why,
                })
            })
            .collect();
        let object = json!({
            "format": 1, "entries": found.entries, "moves": found.moves,
            "unused": found.unused, "doubts": findings,
        });
        say_json(&object);
    } else {
        for doubt in &found.findings {
            let at = doubt.at.map_or_else(String::new, |at| format!(" at {}", show(at)));
            let short = |id: Option<Oid>| id.map_or("(none)".to_string(), |id| id.short());
            let name = clean(&doubt.name);
            say(&format!("{name}: {} -> {}{at}", short(doubt.old), short(doubt.new)));
            say(&format!("    {}", doubt.why));
        }
        say(&format!(
            "{} decision{}, {} update{} of protected refs, {} bypassed refgate",
            found.entries,
            if found.entries == 1 { "" } else { "s" },
            found.moves,
            if found.moves == 1 { "" } else { "s" },
            found.findings.len()
        ));
        if found.unused > 0 {
            say(&format!(
                "accepted updates that were never made (a faster push or a killed process): {}",
                found.unused
            ));
        }
    }
    finished(if found.findings.is_empty() { Exit::Accepted } else { Exit::Failed })
}

pub(crate) fn log(args: &AuditLog) -> VerbResult {
    match &args.verb {
        LogVerb::Show { id, count, question } => show_log(id.as_deref(), *count, question),
        LogVerb::Verify { question } => verify(question),
    }
}

fn entries(query: &QueryContext, most: usize) -> Result<Vec<LogEntry>, Failure> {
    let mut all = Vec::new();
    query.reader.log_entries(&mut |id, text, _| {
        all.push(LogEntry::parse(id, text));
        all.len() < most
    })?;
    Ok(all)
}

fn show_log(id: Option<&str>, count: usize, question: &Question) -> VerbResult {
    let query = ask(question)?;
    let most = if id.is_some() { usize::MAX } else { count };
    let all = entries(&query, most)?;
    let wanted =
        all.iter().filter(|entry| id.is_none_or(|id| entry.id.to_string().starts_with(id)));
    let mut shown = 0;
    for entry in wanted {
        shown += 1;
        if question.json {
            say_json(&json!({ "id": entry.id.to_string(), "entry": entry.object }));
        } else if id.is_some() {
            say(&format!("{} {}", entry.id, clean(&entry.head)));
            say(&serde_json::to_string_pretty(&entry.object).unwrap_or_default());
        } else {
            let at = entry.object.get("at").and_then(Value::as_str).unwrap_or("?");
            say(&format!("{} {at} {}", entry.id.short(), clean(&entry.head)));
        }
    }
    if id.is_some() && shown == 0 {
        return Err(Failure::new(
            Exit::BadInput,
            "cannot find an entry of the audit log with this id",
        ));
    }
    finished(Exit::Accepted)
}

fn verify(question: &Question) -> VerbResult {
    let query = ask(question)?;
    let rest = query.at_rest();
    let mut counts = [0_usize; 3];
    let mut wrong = Vec::new();
    for entry in entries(&query, usize::MAX)? {
        match refgate_gate::reverify_decision(&rest, &entry) {
            Ok(true) => counts[0] += 1,
            Ok(false) => {
                counts[1] += 1;
                wrong.push((entry.id, "replay gives a different verdict".to_string()));
            }
            Err(refgate_gate::ReverifyError::NotKept(_)) => counts[2] += 1,
            Err(refgate_gate::ReverifyError::Broken(why)) => {
                counts[1] += 1;
                wrong.push((entry.id, why));
            }
        }
    }
    let [same, other, gone] = counts;
    if question.json {
        let wrong: Vec<Value> =
            wrong.iter().map(|(id, why)| json!({ "id": id.to_string(), "why": why })).collect();
        say_json(&json!({ "recomputed": same, "wrong": wrong, "not-kept": gone }));
    } else {
        for (id, why) in &wrong {
            say(&format!("{}: {}", id.short(), clean(why)));
        }
        say(&format!(
            "{same} verdict{} recomputed, {other} wrong, {gone} not verifiable here (the objects \
             of rejected pushes are not kept)",
            if same == 1 { "" } else { "s" }
        ));
    }
    finished(if other == 0 { Exit::Accepted } else { Exit::Failed })
}
