//! `refgate release dossier`: prints or verifies the document about a release.

use std::path::Path;

use refgate_core::Oid;
use refgate_format::record_text;
use refgate_gate::{
    Dossier, DossierChange, DossierRecord, Exit, LogEntry, ReadAt, decision_time, dossier,
};
use refgate_git::Graph;
use refgate_report::{Document, Part, render_class_reason, show};
use serde_json::{Value, json};

use crate::args::{DossierForm, LedgerArgs};
use crate::command::dossier_record::record_row;
use crate::command::ledger::open;
use crate::command::persons::alone;
use crate::command::query_context::{QueryContext, finished};
use crate::output::{Failure, VerbResult, say, say_json, tell};

pub(crate) fn run(
    tag: &str,
    form: DossierForm,
    verify: Option<&Path>,
    place: &LedgerArgs,
) -> VerbResult {
    let mut query = open(place)?;
    query.remove_limits();
    let wrong = |why: refgate_gate::DossierError| Failure::new(Exit::BadInput, why.to_string());
    if let Some(path) = verify {
        let then = written(path)?;
        use_recorded_name(&mut query, &then);
        let stood = dossier(&query.at_rest(), tag, Some(read_at(path, &then)?)).map_err(wrong)?;
        return compare(&query, &then, &object(&query, &stood));
    }
    let found = dossier(&query.at_rest(), tag, None).map_err(wrong)?;
    if place.json {
        say_json(&object(&query, &found));
    } else {
        let document = document(&query, &found);
        let text = match form {
            DossierForm::Markdown => document.markdown(),
            DossierForm::Html => document.html(),
        };
        say(text.trim_end());
    }
    finished(Exit::Accepted)
}

fn class(query: &QueryContext, change: &DossierChange) -> (String, String) {
    let seen = change.row.decision.landings.first().map(|landing| &landing.class);
    let told = seen.map(|found| {
        let class = query.policy.classes.name(found.class);
        (class, render_class_reason(&query.policy.classes, &found.reason))
    });
    told.unwrap_or_default()
}

fn object(query: &QueryContext, found: &Dossier) -> Value {
    let id = |id: &Option<Oid>| id.map(|id| id.to_string());
    let change = |one: &DossierChange| {
        let (class, reason) = class(query, one);
        json!({
            "commit": one.row.commit.to_string(), "stage": one.row.stage, "direct": one.direct,
            "class": class, "because": reason, "author": one.author,
            "subject": one.row.subject, "at": one.row.at.to_rfc3339(), "links": one.links,
        })
    };
    let record = |kept: &DossierRecord| {
        json!({
            "id": kept.record.id.to_string(), "kind": kept.record.body.kind(),
            "by": kept.record.by, "at": kept.record.at.to_rfc3339(), "path": kept.path,
            "text": record_text(&kept.record), "holds": kept.wrong.is_none(), "wrong": kept.wrong,
            "late": late(kept, found),
        })
    };
    let decision = |entry: &LogEntry| json!({ "entry": entry.id.to_string(), "head": entry.head, "decision": entry.object });
    json!({
        "format": 1,
        "repository": query.repositories.first(),
        "release": found.release.tag,
        "commit": found.release.commit.to_string(),
        "tree": found.tree.to_string(),
        "tag": found.tag.to_string(),
        "previous": found.previous.as_ref().map(|release| release.tag.clone()),
        "changes": found.changes.iter().map(change).collect::<Vec<_>>(),
        "records": found.records.iter().map(record).collect::<Vec<_>>(),
        "decisions": found.decisions.iter().map(decision).collect::<Vec<_>>(),
        "ledger": id(&found.ledger),
        "log": id(&found.log),
        "one-person-exceptions": alone(&query.policy),
    })
}

/// Reads a dossier that was written with `--json`.
fn written(path: &Path) -> Result<Value, Failure> {
    let failure = |why: &dyn std::fmt::Display| dossier_failure(path, &why.to_string());
    let text = std::fs::read_to_string(path).map_err(|why| failure(&why))?;
    let then: Value = serde_json::from_str(&text).map_err(|why| failure(&why))?;
    let is = then.get("format").and_then(Value::as_u64) == Some(1);
    if is { Ok(then) } else { Err(dossier_failure(path, "it is not a dossier of format 1")) }
}

fn dossier_failure(path: &Path, why: &str) -> Failure {
    Failure::new(Exit::BadInput, format!("cannot verify {}: {why}", path.display()))
}

/// Uses the repository name of the dossier. Clones can have other names; records have one.
fn use_recorded_name(query: &mut QueryContext, then: &Value) {
    let Some(name) = then.get("repository").and_then(Value::as_str) else { return };
    if !query.repositories.iter().any(|known| known == name) {
        let here = query.repositories.join(", ");
        let message = format!("note: the dossier is about `{name}`, this repository is `{here}`");
        tell(&refgate_report::clean(&message));
        query.repositories = vec![name.to_string()];
    }
}

/// The tips of the ledger and the audit log from which the dossier was written.
fn read_at(path: &Path, then: &Value) -> Result<ReadAt, Failure> {
    let tip = |key: &str| match then.get(key) {
        Some(Value::Null) => Ok(None),
        Some(Value::String(hex)) if Oid::from_hex(hex).is_some() => Ok(Oid::from_hex(hex)),
        _ => Err(dossier_failure(path, &format!("its `{key}` is not an object id"))),
    };
    Ok(ReadAt { ledger: tip("ledger")?, log: tip("log")? })
}

/// Compares a dossier with this repository and prints each difference.
fn compare(query: &QueryContext, then: &Value, now: &Value) -> VerbResult {
    let mut differences = Vec::new();
    let graph = Graph::new(&query.reader);
    for (key, tip) in [("ledger", query.reader.ledger_tip()?), ("log", query.reader.log_tip()?)] {
        let read = then.get(key).and_then(Value::as_str).and_then(Oid::from_hex);
        let Some(old) = read else { continue };
        let stands = tip.is_some_and(|new| graph.is_ancestor(old, new).unwrap_or(false));
        if !stands {
            differences.push(format!("{key}: {} is not part of the {key} here", old.short()));
        }
    }
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
    };
    let mut names = keys(then);
    names.extend(keys(now));
    names.sort();
    names.dedup();
    for key in names {
        let (said, is) = (then.get(&key), now.get(&key));
        match (said.and_then(Value::as_array), is.and_then(Value::as_array)) {
            (Some(said), Some(is)) => differences.extend(apart(&key, said, is)),
            _ if said == is => {}
            _ => {
                let shown = |value: Option<&Value>| value.unwrap_or(&Value::Null).to_string();
                differences.push(format!("{key}: dossier {}, here {}", shown(said), shown(is)));
            }
        }
    }
    for difference in &differences {
        say(&refgate_report::shorten(difference, 400));
    }
    if differences.is_empty() {
        let count = |key: &str| now.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        let (changes, records) = (count("changes"), count("records"));
        let decisions = count("decisions");
        say(&format!(
            "the dossier is correct: changes {changes}, records {records}, decisions {decisions}"
        ));
    }
    finished(if differences.is_empty() { Exit::Accepted } else { Exit::Rejected })
}

/// The entries that only one of two lists has.
fn apart(key: &str, said: &[Value], is: &[Value]) -> Vec<String> {
    let name = |one: &Value| {
        let names = ["commit", "id", "entry"].iter().filter_map(|name| one.get(name)?.as_str());
        names.take(1).collect::<Vec<_>>().join("")
    };
    let mut all = Vec::new();
    for one in said.iter().filter(|one| !is.contains(one)) {
        all.push(format!("{key}: {} is missing here, or is different", name(one)));
    }
    for one in is.iter().filter(|one| !said.contains(one)) {
        all.push(format!("{key}: {} is missing in the dossier", name(one)));
    }
    if all.is_empty() && said.len() != is.len() {
        all.push(format!("{key}: the dossier has a duplicate entry"));
    }
    all
}

fn document(query: &QueryContext, found: &Dossier) -> Document {
    let release = &found.release;
    let mut facts = vec![
        vec!["commit".to_string(), release.commit.to_string()],
        vec!["tree".to_string(), found.tree.to_string()],
        vec!["tag".to_string(), found.tag.to_string()],
        vec!["accepted by the server".to_string(), accepted(found)],
        vec![
            "previous release".to_string(),
            found.previous.as_ref().map_or("none".to_string(), |one| one.tag.clone()),
        ],
        vec!["tip of the ledger".to_string(), tip(found.ledger)],
        vec!["tip of the audit log".to_string(), tip(found.log)],
    ];
    facts.extend(alone(&query.policy).into_iter().map(|what| vec!["policy".to_string(), what]));
    let columns = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let mut parts = vec![Part {
        heading: "Release".to_string(),
        columns: columns(&["", ""]),
        rows: facts,
        ..Part::default()
    }];
    parts.extend(changes(query, found));
    parts.push(Part {
        heading: "Records".to_string(),
        lead: "The person in the column \"by\" signed the record. An invalid record states why."
            .to_string(),
        columns: columns(&["time", "by", "statement", "reason", "link", "id"]),
        rows: found.records.iter().map(|kept| record_row(kept, late(kept, found))).collect(),
        ..Part::default()
    });
    parts.push(Part {
        heading: "Decisions".to_string(),
        lead: "From the audit log of the server, including rejections.".to_string(),
        columns: columns(&["time", "decision", "entry"]),
        rows: found
            .decisions
            .iter()
            .map(|entry| {
                let at = decision_time(entry).map(show).unwrap_or_default();
                vec![at, entry.head.clone(), entry.id.to_string()]
            })
            .collect(),
        ..Part::default()
    });
    let tag = &release.tag;
    parts.push(Part {
        heading: "How to verify this dossier".to_string(),
        lead: "Run these commands in a clone. Only the first needs a network. FILE is this \
               dossier, written with --json."
            .to_string(),
        commands: vec![
            "git fetch --tags origin '+refs/heads/*:refs/remotes/origin/*' \\".to_string(),
            "    '+refs/refgate/*:refs/refgate/*'".to_string(),
            format!("git rev-parse refs/tags/{tag} {tag}^{{commit}} {tag}^{{tree}}"),
            "refgate ledger verify".to_string(),
            "refgate log verify".to_string(),
            format!("refgate release dossier {tag} --verify FILE"),
        ],
        ..Part::default()
    });
    let name = query.repositories.first().map_or("", String::as_str);
    Document { title: format!("{name} {}", release.tag), parts }
}

/// When the server accepted the tag. The date in the tag is only a claim of its tagger.
fn accepted(found: &Dossier) -> String {
    match (found.accepted, found.log) {
        (Some(at), _) => show(at),
        (None, Some(_)) => "never, according to the audit log".to_string(),
        (None, None) => format!("no audit log here; the tag says {}", show(found.release.at)),
    }
}

fn tip(id: Option<Oid>) -> String {
    id.map_or("not in this repository".to_string(), |id| id.to_string())
}

/// One part for each class, the highest class first.
fn changes(query: &QueryContext, found: &Dossier) -> Vec<Part> {
    let mut classes: Vec<String> = Vec::new();
    for id in query.policy.classes.ids() {
        classes.insert(0, query.policy.classes.name(id));
    }
    let classified: Vec<_> =
        found.changes.iter().map(|change| (change, class(query, change))).collect();
    let part = |name: String| {
        let rows: Vec<Vec<String>> = classified
            .iter()
            .filter(|(_, (class, _))| *class == name)
            .map(|(change, (_, reason))| {
                let way = if change.direct { "direct to production" } else { "" };
                let row = &change.row;
                vec![
                    row.commit.short(),
                    row.subject.clone(),
                    change.author.clone(),
                    reason.clone(),
                    change.links.join(" "),
                    way.to_string(),
                ]
            })
            .collect();
        let columns = ["commit", "subject", "author", "reason for class", "links", "route"];
        Part {
            heading: format!("Changes: {name} ({})", rows.len()),
            columns: columns.iter().map(ToString::to_string).collect(),
            rows,
            ..Part::default()
        }
    };
    classes.into_iter().map(part).filter(|part| !part.rows.is_empty()).collect()
}

/// Whether a record was made after the server accepted the release.
fn late(kept: &DossierRecord, found: &Dossier) -> bool {
    found.accepted.is_some_and(|at| kept.record.at > at)
}
