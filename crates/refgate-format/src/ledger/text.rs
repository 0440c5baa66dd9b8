//! Reads the text of a record. It accepts only the canonical form.

use refgate_core::{
    EvidenceKind, Instant, Meaning, Oid, Record, RecordBody, RecordId, RefName, RuleId,
    is_invisible,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::write::record_text;

/// The first line of the signature of a record.
pub const SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----";

/// The largest number of characters in a reason, a link or a follow-up.
const LONGEST: usize = 2_000;

const REASON: &str = "a valid reason: use 1 to 2000 visible characters";
const OWES: &str = "a valid follow-up (`owes`): use 1 to 2000 visible characters";
const LINK: &str = "a valid link: use 1 to 2000 visible characters";

/// Why a text is not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is not TOML with the keys of a record.
    #[error("{0}")]
    Toml(String),
    /// A key that its kind requires is missing.
    #[error("the key `{0}` is missing")]
    Missing(&'static str),
    /// A value is invalid.
    #[error("`{value}` is not {expected}")]
    Value {
        /// The value.
        value: String,
        /// The expected value.
        expected: &'static str,
    },
    /// It means a record, but it is not in the canonical form. It may also have keys that its
    /// kind does not have.
    #[error("the record is not in its canonical form; the first difference is at: {0}")]
    Form(String),
    /// The file has no signature.
    #[error("the record has no signature")]
    Unsigned,
}

/// Splits the file of a record into the signed text and the armoured signature.
///
/// # Errors
/// If there is no signature.
pub fn split_file(file: &str) -> Result<(&str, &str), RecordError> {
    let mark = format!("\n{SIGNATURE}\n");
    let at = file.find(&mark).ok_or(RecordError::Unsigned)?;
    Ok(file.split_at(at + 1))
}

/// The keys of all kinds of records.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct RawRecord {
    format: u32,
    kind: String,
    by: String,
    at: String,
    repository: String,
    reason: String,
    link: Option<String>,
    rule: Option<String>,
    #[serde(rename = "ref")]
    on: Option<String>,
    of: Option<String>,
    shelf: Option<String>,
    meaning: Option<String>,
    release: Option<String>,
    run: Option<String>,
    number: Option<u32>,
    commit: Option<String>,
    tree: Option<String>,
    class: Option<String>,
    stages: Option<Vec<String>>,
    lets_through: Option<Vec<String>>,
    person: Option<String>,
    course: Option<String>,
    until: Option<String>,
    uses: Option<u32>,
    owes: Option<String>,
}

/// Reads the signed text of a record.
///
/// # Errors
/// The first error in the text.
pub fn read_record(text: &str) -> Result<Record, RecordError> {
    let raw: RawRecord =
        toml::from_str(text).map_err(|error| RecordError::Toml(error.message().into()))?;
    if raw.format != 1 {
        let value = format!("format {}", raw.format);
        return Err(RecordError::Value { value, expected: "supported: expected `format = 1`" });
    }
    let record = Record {
        id: RecordId(Sha256::digest(text.as_bytes()).into()),
        by: raw.name(&raw.by, "a valid name of a person")?,
        at: moment(&raw.at)?,
        repository: raw.name(&raw.repository, "a valid name of a repository")?,
        reason: check_text(&raw.reason, REASON)?,
        link: raw.link.as_deref().map(|link| check_text(link, LINK)).transpose()?,
        body: raw.body()?,
    };
    let canonical = record_text(&record);
    if canonical != text {
        let differs = text.lines().zip(canonical.lines()).find(|(is, should)| is != should);
        let said = differs.map_or("the end of the text", |(is, _)| is);
        return Err(RecordError::Form(said.to_string()));
    }
    Ok(record)
}

fn value<T>(found: Option<T>, text: &str, expected: &'static str) -> Result<T, RecordError> {
    let short = |text: &str| match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_string(),
    };
    found.ok_or_else(|| RecordError::Value { value: short(text), expected })
}

fn moment(text: &str) -> Result<Instant, RecordError> {
    let parsed = chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
    value(parsed.filter(|_| text.ends_with('Z')), text, "a time in UTC")
}

fn check_text(text: &str, expected: &'static str) -> Result<String, RecordError> {
    let clean = !text.trim().is_empty()
        && text.chars().count() <= LONGEST
        && !text.chars().any(|c| c != '\n' && is_invisible(c));
    value(clean.then(|| text.to_string()), text, expected)
}

impl RawRecord {
    fn name(&self, text: &str, expected: &'static str) -> Result<String, RecordError> {
        let clean = !text.is_empty()
            && text.trim() == text
            && text.chars().count() <= 100
            && !text.chars().any(is_invisible);
        value(clean.then(|| text.to_string()), text, expected)
    }

    fn needed<'r>(
        &self,
        found: Option<&'r String>,
        key: &'static str,
    ) -> Result<&'r str, RecordError> {
        found.map(String::as_str).ok_or(RecordError::Missing(key))
    }

    fn id(&self, found: Option<&String>, key: &'static str) -> Result<Oid, RecordError> {
        let text = self.needed(found, key)?;
        value(Oid::from_hex(text), text, "a full object id")
    }

    fn record(&self) -> Result<RecordId, RecordError> {
        let text = self.needed(self.of.as_ref(), "of")?;
        value(RecordId::from_hex(text), text, "a full record id")
    }

    /// The id and the shelf of another record.
    fn target_record(&self) -> Result<(RecordId, String), RecordError> {
        let shelf = self.needed(self.shelf.as_ref(), "shelf")?;
        Ok((self.record()?, self.name(shelf, "a valid shelf")?))
    }

    fn reference(&self) -> Result<RefName, RecordError> {
        let text = self.needed(self.on.as_ref(), "ref")?;
        value(RefName::parse(text).ok(), text, "a full ref name")
    }

    fn rule(&self) -> Result<RuleId, RecordError> {
        let text = self.needed(self.rule.as_ref(), "rule")?;
        value(RuleId::find(text), text, "a rule")
    }

    fn release(&self) -> Result<String, RecordError> {
        let text = self.needed(self.release.as_ref(), "release")?;
        self.name(text, "a valid release tag")
    }

    fn until(&self) -> Result<Instant, RecordError> {
        moment(self.needed(self.until.as_ref(), "until")?)
    }

    fn names(
        &self,
        list: Option<&Vec<String>>,
        key: &'static str,
    ) -> Result<Vec<String>, RecordError> {
        let list = list.ok_or(RecordError::Missing(key))?;
        list.iter().map(|text| self.name(text, "a valid name")).collect()
    }

    fn person(&self) -> Result<String, RecordError> {
        let person = self.needed(self.person.as_ref(), "person")?;
        self.name(person, "a valid name of a person")
    }

    fn evidence(&self) -> Result<RecordBody, RecordError> {
        let text = self.needed(self.meaning.as_ref(), "meaning")?;
        let what = value(EvidenceKind::find(text), text, "a kind of evidence")?;
        let run = match what {
            EvidenceKind::ProductionRun => {
                let id = self.needed(self.run.as_ref(), "run")?;
                Some(self.name(id, "a valid id of a production run")?)
            }
            EvidenceKind::Notice | EvidenceKind::Blocker => None,
        };
        Ok(RecordBody::Evidence { what, release: self.release()?, run })
    }

    fn waiver(&self) -> Result<RecordBody, RecordError> {
        let commit = || self.id(self.commit.as_ref(), "commit");
        Ok(RecordBody::Waiver {
            rule: self.rule()?,
            on: self.reference()?,
            class: self.class.as_deref().map(|c| self.name(c, "a name")).transpose()?,
            commit: self.commit.is_some().then(commit).transpose()?,
            until: self.until()?,
            uses: self.uses.ok_or(RecordError::Missing("uses"))?,
            owes: self.owes.as_deref().map(|owes| check_text(owes, OWES)).transpose()?,
        })
    }

    fn body(&self) -> Result<RecordBody, RecordError> {
        let commit = || self.id(self.commit.as_ref(), "commit");
        let tree = || self.id(self.tree.as_ref(), "tree");
        Ok(match self.kind.as_str() {
            "approval" => RecordBody::Approval {
                rule: self.rule()?,
                on: self.reference()?,
                of: self.id(self.of.as_ref(), "of")?,
            },
            "sign-off" => {
                let text = self.needed(self.meaning.as_ref(), "meaning")?;
                let meaning = value(Meaning::find(text), text, "a meaning of a sign-off")?;
                RecordBody::SignOff { meaning, commit: commit()?, tree: tree()? }
            }
            "classification" => {
                let class = self.needed(self.class.as_ref(), "class")?;
                RecordBody::Classification { commit: commit()?, class: self.name(class, "a name")? }
            }
            "freeze-exit" => RecordBody::FreezeExit { release: self.release()? },
            "waiver" => self.waiver()?,
            "settlement" => {
                let (of, shelf) = self.target_record()?;
                RecordBody::Settlement { of, shelf }
            }
            "freeze" => RecordBody::Freeze {
                stages: self.names(self.stages.as_ref(), "stages")?,
                lets_through: self.names(self.lets_through.as_ref(), "lets-through")?,
                until: self.until()?,
            },
            "thaw" => RecordBody::Thaw { of: self.record()? },
            "evidence" => self.evidence()?,
            "iteration" => RecordBody::Iteration { release: self.release()? },
            "release-open" => RecordBody::ReleaseOpen { release: self.release()? },
            "release-finish" => RecordBody::ReleaseFinish { release: self.release()? },
            "candidate" => RecordBody::Candidate {
                release: self.release()?,
                number: self.number.ok_or(RecordError::Missing("number"))?,
                commit: commit()?,
                tree: tree()?,
            },
            "uat-failed" => RecordBody::UatFailed { release: self.release()?, of: self.record()? },
            "withdrawal" => {
                let (of, shelf) = self.target_record()?;
                RecordBody::Withdrawal { of, shelf }
            }
            "deletion-request" => RecordBody::DeletionRequest {
                on: self.reference()?,
                value: self.id(self.of.as_ref(), "of")?,
            },
            "not-applicable" => RecordBody::NotApplicable { fix: commit()?, to: self.reference()? },
            "absence" => RecordBody::Absence { person: self.person()?, until: self.until()? },
            "certificate" => {
                let course = self.needed(self.course.as_ref(), "course")?;
                RecordBody::Certificate {
                    person: self.person()?,
                    course: self.name(course, "a valid course")?,
                    until: self.until()?,
                }
            }
            other => {
                return Err(RecordError::Value { value: other.into(), expected: "a record kind" });
            }
        })
    }
}

#[cfg(test)]
mod tests;
