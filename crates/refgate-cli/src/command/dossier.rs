//! `refgate release dossier`: what a release brought, who agreed, and from what that follows.

use std::path::Path;

use refgate_core::{Body, Oid};
use refgate_format::record_text;
use refgate_gate::{Brought, Dossier, Entry, Exit, Kept, decided, dossier};
use refgate_git::Graph;
use refgate_report::{Document, Part, because, show};
use serde_json::{Value, json};

use crate::args::{DossierForm, LedgerPlace};
use crate::command::ledger::open;
use crate::command::question::{Asked, finished};
use crate::output::{Done, Failure, say};

pub(crate) fn run(
    tag: &str,
    form: DossierForm,
    verify: Option<&Path>,
    place: &LedgerPlace,
) -> Done {
    let mut asked = open(place)?;
    asked.unbound();
    let wrong = |why: refgate_gate::DossierError| Failure::new(Exit::BadInput, why.to_string());
    let found = dossier(&asked.at_rest(), tag).map_err(wrong)?;
    let now = object(&asked, &found);
    if let Some(path) = verify {
        return compare(&asked, path, &now);
    }
    if place.json {
        say(&now.to_string());
    } else {
        let document = document(&asked, &found);
        let text = match form {
            DossierForm::Markdown => document.markdown(),
            DossierForm::Html => document.html(),
        };
        say(text.trim_end());
    }
    finished(Exit::Accepted)
}

fn class(asked: &Asked, change: &Brought) -> (String, String) {
    let seen = change.row.decision.landings.first().map(|landing| &landing.class);
    let told = seen.map(|found| {
        let class = asked.policy.classes.name(found.class);
        (class, because(&asked.policy.classes, &found.because))
    });
    told.unwrap_or_default()
}

fn object(asked: &Asked, found: &Dossier) -> Value {
    let id = |id: &Option<Oid>| id.map(|id| id.to_string());
    let change = |one: &Brought| {
        let (class, because) = class(asked, one);
        json!({
            "commit": one.row.commit.to_string(), "stage": one.row.stage, "direct": one.direct,
            "class": class, "because": because, "author": one.author,
            "subject": one.row.subject, "at": one.row.at.to_rfc3339(), "links": one.links,
        })
    };
    let record = |kept: &Kept| {
        json!({
            "id": kept.record.id.to_string(), "kind": kept.record.body.kind(),
            "by": kept.record.by, "at": kept.record.at.to_rfc3339(), "path": kept.path,
            "text": record_text(&kept.record), "holds": kept.wrong.is_none(), "wrong": kept.wrong,
        })
    };
    let decision = |entry: &Entry| json!({ "entry": entry.id.to_string(), "head": entry.head, "decision": entry.object });
    json!({
        "format": 1,
        "repository": asked.repositories.first(),
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
    })
}

/// Whether all that a dossier says is so here. What came later is no difference.
fn compare(asked: &Asked, path: &Path, now: &Value) -> Done {
    let shown = path.display();
    let wrong = |why: String| Failure::new(Exit::BadInput, format!("{shown}: {why}"));
    let text = std::fs::read_to_string(path).map_err(|why| wrong(why.to_string()))?;
    let then: Value = serde_json::from_str(&text).map_err(|why| wrong(why.to_string()))?;
    if then.get("format") != now.get("format") {
        return Err(wrong("this is no dossier of this format".to_string()));
    }
    let mut differences = Vec::new();
    for key in ["repository", "release", "commit", "tree", "tag", "previous"] {
        if then.get(key) != now.get(key) {
            let said = |value: &Value| value.get(key).unwrap_or(&Value::Null).to_string();
            differences.push(format!("{key}: it says {}, here is {}", said(&then), said(now)));
        }
    }
    let list = |value: &Value, key: &str| -> Vec<Value> {
        value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let mut count = 0;
    for (key, name) in [("changes", "commit"), ("records", "id"), ("decisions", "entry")] {
        let here = list(now, key);
        for one in list(&then, key) {
            count += 1;
            if !here.contains(&one) {
                let id = one.get(name).and_then(Value::as_str).unwrap_or("?").to_string();
                differences.push(format!("{key}: {id} is not here, or says something else"));
            }
        }
    }
    let graph = Graph::new(&asked.reader);
    for key in ["ledger", "log"] {
        let tip = |value: &Value| value.get(key).and_then(Value::as_str).and_then(Oid::from_hex);
        let Some(old) = tip(&then) else { continue };
        let stands = tip(now).is_some_and(|new| graph.is_ancestor(old, new).unwrap_or(false));
        if !stands {
            differences.push(format!("{key}: {} is not part of it here", old.short()));
        }
    }
    for difference in &differences {
        say(&refgate_report::clean(difference));
    }
    if differences.is_empty() {
        say(&format!("all of it is so here: {count} changes, records and decisions"));
    }
    finished(if differences.is_empty() { Exit::Accepted } else { Exit::Refused })
}

fn document(asked: &Asked, found: &Dossier) -> Document {
    let release = &found.release;
    let facts = vec![
        vec!["commit".to_string(), release.commit.to_string()],
        vec!["tree".to_string(), found.tree.to_string()],
        vec!["tag".to_string(), found.tag.to_string()],
        vec!["received".to_string(), show(release.at)],
        vec![
            "release before".to_string(),
            found.previous.as_ref().map_or("none".to_string(), |one| one.tag.clone()),
        ],
        vec!["ledger read at".to_string(), tip(found.ledger)],
        vec!["decision log read at".to_string(), tip(found.log)],
    ];
    let columns = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let mut parts = vec![Part {
        heading: "What was released".to_string(),
        columns: columns(&["", ""]),
        rows: facts,
        ..Part::default()
    }];
    parts.extend(changes(asked, found));
    parts.push(Part {
        heading: "On record".to_string(),
        lead: "Signed, each by the key of who is named. A record that does not hold says why."
            .to_string(),
        columns: columns(&["at", "by", "what", "reason", "more", "record"]),
        rows: found.records.iter().map(record).collect(),
        ..Part::default()
    });
    parts.push(Part {
        heading: "Decisions of the server".to_string(),
        lead: "As its log has them; refusals, too.".to_string(),
        columns: columns(&["at", "decision", "entry"]),
        rows: found
            .decisions
            .iter()
            .map(|entry| {
                let at = decided(entry).map(show).unwrap_or_default();
                vec![at, entry.head.clone(), entry.id.to_string()]
            })
            .collect(),
        ..Part::default()
    });
    let tag = &release.tag;
    parts.push(Part {
        heading: "How to verify it".to_string(),
        lead: "In a clone, without a network after the first line. FILE is this dossier, \
               written with --json."
            .to_string(),
        commands: vec![
            "git fetch --tags origin '+refs/refgate/*:refs/refgate/*'".to_string(),
            format!("git rev-parse refs/tags/{tag} {tag}^{{commit}} {tag}^{{tree}}"),
            "refgate ledger verify".to_string(),
            "refgate log verify".to_string(),
            format!("refgate release dossier {tag} --verify FILE"),
        ],
        ..Part::default()
    });
    let name = asked.repositories.first().map_or("", String::as_str);
    Document { title: format!("{name} {}", release.tag), parts }
}

fn tip(id: Option<Oid>) -> String {
    id.map_or("not here".to_string(), |id| id.to_string())
}

/// A part for each class, the highest first.
fn changes(asked: &Asked, found: &Dossier) -> Vec<Part> {
    let mut classes: Vec<String> = Vec::new();
    for id in asked.policy.classes.ids() {
        classes.insert(0, asked.policy.classes.name(id));
    }
    let part = |name: String| {
        let rows: Vec<Vec<String>> = found
            .changes
            .iter()
            .filter(|change| class(asked, change).0 == name)
            .map(|change| {
                let way = if change.direct { "straight to production" } else { "" };
                let because = class(asked, change).1;
                let row = &change.row;
                vec![
                    row.commit.short(),
                    row.subject.clone(),
                    change.author.clone(),
                    because,
                    change.links.join(" "),
                    way.to_string(),
                ]
            })
            .collect();
        let columns = ["commit", "title", "author", "class because", "more", "way"];
        Part {
            heading: format!("Changes: {name} ({})", rows.len()),
            columns: columns.iter().map(ToString::to_string).collect(),
            rows,
            ..Part::default()
        }
    };
    classes.into_iter().map(part).filter(|part| !part.rows.is_empty()).collect()
}

fn record(kept: &Kept) -> Vec<String> {
    let record = &kept.record;
    let mut what = match &record.body {
        Body::SignOff { meaning, tree, .. } => {
            format!("signs off {} of tree {}", meaning.name(), tree.short())
        }
        Body::Candidate { number, commit, .. } => format!("candidate {number}: {}", commit.short()),
        Body::Approval { rule, of, .. } => format!("approves {} ({})", of.short(), rule.name()),
        Body::Waiver { rule, on, until, uses, .. } => {
            let (rule, on) = (rule.name(), on.short());
            format!("waives {rule} on {on} until {}, for {uses}", show(*until))
        }
        Body::Classification { commit, class } => format!("{} is {class}", commit.short()),
        Body::Evidence { what, .. } => format!("observed: {}", what.name()),
        Body::NotApplicable { fix, to } => format!("{} need not go to {}", fix.short(), to.short()),
        Body::Certificate { person, course, until } => {
            format!("certificate of {course} for {person} until {}", show(*until))
        }
        other => other.kind().to_string(),
    };
    if let Some(wrong) = &kept.wrong {
        what += &format!(" (DOES NOT HOLD: {wrong})");
    }
    let link = record.link.clone().unwrap_or_default();
    vec![
        show(record.at),
        record.by.clone(),
        what,
        record.reason.clone(),
        link,
        record.id.to_string(),
    ]
}
