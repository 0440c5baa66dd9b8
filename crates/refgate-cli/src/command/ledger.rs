//! `refgate ledger`: lists, shows, verifies and pushes records.

use std::collections::BTreeSet;

use indicatif::{ProgressBar, ProgressStyle};
use refgate_core::{Record, RecordBody, RecordId, may_make};
use refgate_format::{path_of, record_text};
use refgate_gate::{Exit, read_signed};
use refgate_report::show;
use serde_json::{Value, json};

use crate::args::{Ledger, LedgerArgs, LedgerVerb, Question};
use crate::command::query_context::{QueryContext, ask, finished};
use crate::command::record::RecordSigner;
use crate::output::{Failure, VerbResult, say, say_json, stderr_is_terminal, tell};

pub(crate) fn run(args: &Ledger) -> VerbResult {
    match &args.verb {
        LedgerVerb::Log { place, kind } => log(place, kind.as_deref()),
        LedgerVerb::Show { id, place } => show_one(place, id),
        LedgerVerb::Verify { place } => verify(place),
        LedgerVerb::Push { signer } => RecordSigner::open(signer)?.push_pending(),
    }
}

/// A file of the ledger, with its record and the reason why it is not valid.
struct LedgerRow {
    path: String,
    text: String,
    record: Option<Record>,
    wrong: Option<String>,
    withdrawn: bool,
}

pub(crate) fn open(place: &LedgerArgs) -> Result<QueryContext, Failure> {
    ask(&Question {
        repository: place.repository.clone(),
        policy: place.policy.clone(),
        remote: place.remote.clone(),
        at: None,
        actor: None,
        json: place.json,
    })
}

fn read(query: &QueryContext, tick: &mut dyn FnMut(usize)) -> Result<Vec<LedgerRow>, Failure> {
    let mut all = Vec::new();
    let Some(tip) = query.reader.ledger_tip()? else { return Ok(all) };
    query.reader.all_records(tip, &mut |file| {
        let (record, wrong) = match read_signed(&file, &query.policy, &query.signers) {
            Err(why) => (None, Some(why)),
            Ok((record, holds)) => {
                let wrong = holds.err().or_else(|| find_record_problem(query, &file.path, &record));
                (Some(record), wrong)
            }
        };
        all.push(LedgerRow { path: file.path, text: file.text, record, wrong, withdrawn: false });
        tick(all.len());
        Ok(())
    })?;
    let withdrawn_ids: BTreeSet<RecordId> = all
        .iter()
        .filter(|found| found.wrong.is_none())
        .filter_map(|found| match &found.record.as_ref()?.body {
            RecordBody::Withdrawal { of, .. } => Some(*of),
            _ => None,
        })
        .collect();
    for found in &mut all {
        found.withdrawn =
            found.record.as_ref().is_some_and(|record| withdrawn_ids.contains(&record.id));
    }
    all.sort_by_key(|found| std::cmp::Reverse(found.record.as_ref().map(|record| record.at)));
    Ok(all)
}

/// Why a record is not valid although its signature is.
fn find_record_problem(query: &QueryContext, path: &str, record: &Record) -> Option<String> {
    if path_of(record) != path {
        return Some(format!("wrong path; the record belongs at {}", path_of(record)));
    }
    let may = may_make(&query.policy, record);
    (!may).then(|| format!("{} has no role for this record in the current policy", record.by))
}

fn object(found: &LedgerRow) -> Value {
    let record = found.record.as_ref();
    json!({
        "path": found.path,
        "id": record.map(|record| record.id.to_string()),
        "kind": record.map(|record| record.body.kind()),
        "by": record.map(|record| record.by.clone()),
        "at": record.map(|record| record.at.to_rfc3339()),
        "repository": record.map(|record| record.repository.clone()),
        "reason": record.map(|record| record.reason.clone()),
        "text": record.map(record_text),
        "holds": found.wrong.is_none(),
        "withdrawn": found.withdrawn,
        "wrong": found.wrong,
    })
}

fn log(place: &LedgerArgs, kind: Option<&str>) -> VerbResult {
    let query = open(place)?;
    warn_if_no_ledger(&query, place)?;
    for found in read(&query, &mut |_| {})? {
        let of_kind = |record: &Record| kind.is_none_or(|kind| record.body.kind() == kind);
        if !found.record.as_ref().is_none_or(of_kind) {
            continue;
        }
        if place.json {
            say_json(&object(&found));
            continue;
        }
        match &found.record {
            Some(record) => {
                let (at, reason) = (show(record.at), refgate_report::shorten(&record.reason, 60));
                let kind = record.body.kind();
                say(&format!("{} {at} {kind:<16} {:<10} {reason}", record.id.short(), record.by));
            }
            None => say(&format!("unreadable: {}", found.path)),
        }
        if let Some(wrong) = &found.wrong {
            say(&format!("    NOT VALID: {wrong}"));
        } else if found.withdrawn {
            say("    WITHDRAWN");
        }
    }
    finished(Exit::Accepted)
}

/// Warns if there is no ledger. Without the warning, the output would look like
/// that of an empty ledger.
fn warn_if_no_ledger(query: &QueryContext, place: &LedgerArgs) -> Result<(), Failure> {
    if query.reader.ledger_tip()?.is_none() {
        tell(&if query.served {
            "The ledger has no records yet.".to_string()
        } else {
            format!(
                "This clone has no ledger. Run: git fetch {} 'refs/refgate/*:refs/refgate/*'",
                place.remote
            )
        });
    }
    Ok(())
}

fn show_one(place: &LedgerArgs, id: &str) -> VerbResult {
    let query = open(place)?;
    let all = read(&query, &mut |_| {})?;
    let mut same = all.iter().filter(|found| {
        found.record.as_ref().is_some_and(|record| record.id.to_string().starts_with(id))
    });
    let (Some(found), None) = (same.next(), same.next()) else {
        let message = format!("cannot find exactly one record whose id begins with `{id}`");
        return Err(Failure::new(Exit::BadInput, message));
    };
    if place.json {
        say_json(&object(found));
    } else {
        say(&format!("# {}\n{}", found.path, found.text.trim_end()));
        say(&match &found.wrong {
            None if found.withdrawn => "# WITHDRAWN".to_string(),
            None => "# valid signature".to_string(),
            Some(wrong) => format!("# NOT VALID: {wrong}"),
        });
    }
    finished(Exit::Accepted)
}

fn verify(place: &LedgerArgs) -> VerbResult {
    let query = open(place)?;
    warn_if_no_ledger(&query, place)?;
    let bar = if stderr_is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} records checked") {
        bar.set_style(style);
    }
    let all = read(&query, &mut |done| bar.set_position(done as u64))?;
    // The history must be linear, and each commit must add exactly one record.
    let tip = query.reader.ledger_tip()?;
    let broken = match tip {
        None => None,
        Some(tip) => query.reader.ledger_chain(tip)?,
    };
    bar.finish_and_clear();
    let wrong: Vec<&LedgerRow> = all.iter().filter(|found| found.wrong.is_some()).collect();
    let withdrawn = all.iter().filter(|found| found.wrong.is_none() && found.withdrawn).count();
    if place.json {
        let objects: Vec<Value> = wrong.iter().map(|found| object(found)).collect();
        let object = json!({
            "records": all.len(), "wrong": objects, "withdrawn": withdrawn,
            "tip": tip.map(|tip| tip.to_string()), "chain": broken,
        });
        say_json(&object);
    } else {
        for found in &wrong {
            let why = found.wrong.as_deref().unwrap_or("");
            say(&format!("{}\n    NOT VALID: {why}", found.path));
        }
        if let Some(broken) = &broken {
            say(&format!("the history of the ledger is broken: {broken}"));
        }
        let back = if withdrawn == 0 { String::new() } else { format!(", {withdrawn} withdrawn") };
        say(&format!(
            "{} record{}, {} not valid{back}",
            all.len(),
            if all.len() == 1 { "" } else { "s" },
            wrong.len()
        ));
    }
    let holds = wrong.is_empty() && broken.is_none();
    finished(if holds { Exit::Accepted } else { Exit::Failed })
}
