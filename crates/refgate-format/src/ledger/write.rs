//! Writes the text of a record in its canonical form.

use std::fmt::Write as _;

use refgate_core::{Instant, Oid, Record, RecordBody, RecordId};
use sha2::{Digest as _, Sha256};

/// The text of a record. It is signed, and its hash is the id of the record.
#[must_use]
pub fn record_text(record: &Record) -> String {
    let mut out = RecordWriter(String::from("format = 1\n"));
    out.text("kind", record.body.kind());
    out.text("by", &record.by);
    out.moment("at", record.at);
    out.text("repository", &record.repository);
    out.text("reason", &record.reason);
    if let Some(link) = &record.link {
        out.text("link", link);
    }
    body(&mut out, &record.body);
    out.0
}

fn body(out: &mut RecordWriter, body: &RecordBody) {
    match body {
        RecordBody::Approval { rule, on, of } => {
            out.text("rule", rule.name());
            out.text("ref", on.as_str());
            out.id("of", *of);
        }
        RecordBody::SignOff { meaning, commit, tree } => {
            out.text("meaning", meaning.name());
            out.id("commit", *commit);
            out.id("tree", *tree);
        }
        RecordBody::Classification { commit, class } => {
            out.id("commit", *commit);
            out.text("class", class);
        }
        RecordBody::Waiver { rule, on, class, commit, until, uses, owes } => {
            out.text("rule", rule.name());
            out.text("ref", on.as_str());
            commit.iter().for_each(|commit| out.id("commit", *commit));
            class.iter().for_each(|class| out.text("class", class));
            out.moment("until", *until);
            out.number("uses", *uses);
            owes.iter().for_each(|owes| out.text("owes", owes));
        }
        RecordBody::Freeze { stages, lets_through, until } => {
            out.lists([("stages", stages), ("lets-through", lets_through)]);
            out.moment("until", *until);
        }
        RecordBody::Thaw { of } => out.text("of", &of.to_string()),
        RecordBody::Evidence { what, release, run } => {
            out.text("meaning", what.name());
            out.text("release", release);
            run.iter().for_each(|run| out.text("run", run));
        }
        RecordBody::FreezeExit { release }
        | RecordBody::Iteration { release }
        | RecordBody::ReleaseOpen { release }
        | RecordBody::ReleaseFinish { release } => out.text("release", release),
        RecordBody::Candidate { release, number, commit, tree } => {
            out.text("release", release);
            out.number("number", *number);
            out.id("commit", *commit);
            out.id("tree", *tree);
        }
        RecordBody::UatFailed { release, of } => {
            out.text("of", &of.to_string());
            out.text("release", release);
        }
        RecordBody::Withdrawal { of, shelf } | RecordBody::Settlement { of, shelf } => {
            out.text("of", &of.to_string());
            out.text("shelf", shelf);
        }
        RecordBody::DeletionRequest { on, value } => {
            out.text("ref", on.as_str());
            out.id("of", *value);
        }
        RecordBody::NotApplicable { fix, to } => {
            out.text("ref", to.as_str());
            out.id("commit", *fix);
        }
        RecordBody::Absence { person, until } => {
            out.text("person", person);
            out.moment("until", *until);
        }
        RecordBody::Certificate { person, course, until } => {
            out.text("person", person);
            out.text("course", course);
            out.moment("until", *until);
        }
    }
}

struct RecordWriter(String);

impl RecordWriter {
    fn text(&mut self, key: &str, text: &str) {
        let _ = writeln!(self.0, "{key} = {}", quoted(text));
    }

    fn id(&mut self, key: &str, id: Oid) {
        let _ = writeln!(self.0, "{key} = \"{id}\"");
    }

    fn number(&mut self, key: &str, number: u32) {
        let _ = writeln!(self.0, "{key} = {number}");
    }

    fn moment(&mut self, key: &str, at: Instant) {
        let _ = writeln!(self.0, "{key} = \"{}\"", at.format("%Y-%m-%dT%H:%M:%SZ"));
    }

    fn lists(&mut self, all: [(&str, &Vec<String>); 2]) {
        all.into_iter().for_each(|(key, list)| self.list(key, list));
    }

    fn list(&mut self, key: &str, list: &[String]) {
        let items: Vec<String> = list.iter().map(|text| quoted(text)).collect();
        let _ = writeln!(self.0, "{key} = [{}]", items.join(", "));
    }
}

/// A TOML basic string. It is written here, because the library may change its choice of
/// string forms, and the text of a record must not change.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            // A record never contains one. A draft can, and is then read back to get the error.
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// The SHA-256 of a text as hexadecimal digits.
#[must_use]
pub fn fingerprint(text: &str) -> String {
    RecordId(Sha256::digest(text.as_bytes()).into()).to_string()
}
