//! Determines the path of a record in the ledger from its content.
//!
//! A decision reads only the few shelves that its push concerns, so its cost does not
//! depend on the size of the ledger.

use refgate_core::{Duration, Instant, Record, RecordBody};

/// Encodes a text as a single path component.
#[must_use]
pub fn slug(text: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let mut out = String::new();
    for (place, byte) in text.bytes().enumerate() {
        let c = char::from(byte);
        // A leading dot could make `.git` or `..`.
        if plain(c) && !(place == 0 && c == '.') {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

/// Decodes a slug; `None` if it is invalid.
#[must_use]
pub fn decode_slug(name: &str) -> Option<String> {
    let mut parts = name.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// The shelf of a kind of record for one object or record. Two levels keep directories small.
#[must_use]
pub fn shelf_for(kind: &str, id: &impl std::fmt::Display) -> String {
    let hex = id.to_string();
    let (head, tail) = hex.split_at(2);
    format!("{kind}/{head}/{tail}")
}

fn month(at: Instant) -> String {
    at.format("%Y-%m").to_string()
}

/// The months in which something can end that ends between `at` and `ahead` later.
#[must_use]
pub fn list_months(at: Instant, ahead: Duration) -> Vec<String> {
    let end = at.checked_add_signed(ahead).unwrap_or(at);
    let mut all = vec![month(at)];
    let mut day = at;
    while day < end {
        day = day.checked_add_signed(Duration::days(27)).unwrap_or(end).min(end);
        if all.last() != Some(&month(day)) {
            all.push(month(day));
        }
    }
    all
}

/// The shelf of a record with this content.
#[must_use]
pub fn shelf_of(body: &RecordBody) -> String {
    match body {
        RecordBody::Approval { of, .. } => shelf_for("approval", of),
        RecordBody::SignOff { tree, .. } => shelf_for("sign-off", tree),
        RecordBody::Classification { commit, .. } => shelf_for("classification", commit),
        RecordBody::Waiver { on, until, .. } => {
            format!("waiver/{}/{}", slug(on.as_str()), month(*until))
        }
        RecordBody::Freeze { until, .. } => format!("freeze/{}", month(*until)),
        RecordBody::Thaw { of } => shelf_for("thaw", of),
        RecordBody::FreezeExit { release }
        | RecordBody::Evidence { release, .. }
        | RecordBody::Iteration { release } => {
            format!("after/{}", slug(release))
        }
        RecordBody::ReleaseOpen { release }
        | RecordBody::ReleaseFinish { release }
        | RecordBody::Candidate { release, .. }
        | RecordBody::UatFailed { release, .. } => format!("release/{}", slug(release)),
        RecordBody::Settlement { of, .. } => shelf_for("settlement", of),
        RecordBody::Withdrawal { of, .. } => shelf_for("withdrawal", of),
        RecordBody::DeletionRequest { on, .. } => format!("deletion/{}", slug(on.as_str())),
        RecordBody::NotApplicable { fix, .. } => shelf_for("not-applicable", fix),
        RecordBody::Absence { person, .. } => format!("absence/{}", slug(person)),
        RecordBody::Certificate { person, .. } => format!("certificate/{}", slug(person)),
    }
}

/// The path of a record.
#[must_use]
pub fn path_of(record: &Record) -> String {
    format!("{}/{}.toml", shelf_of(&record.body), record.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_one_path_component() {
        assert_eq!(slug("refs/heads/dev"), "refs%2fheads%2fdev");
        assert_eq!(decode_slug("refs%2fheads%2fdev").as_deref(), Some("refs/heads/dev"));
        assert_eq!((decode_slug("%zz"), decode_slug("%e9")), (None, None));
        assert_eq!(slug("v2.0.0"), "v2.0.0");
        assert_eq!(
            (slug(".."), slug(".git"), slug("DEV")),
            ("%2e.".to_string(), "%2egit".to_string(), "%44%45%56".to_string())
        );
    }

    #[test]
    fn months_cover_the_whole_time_ahead() {
        let at = crate::parse_instant("2026-01-31").unwrap();
        assert_eq!(list_months(at, Duration::days(30)), ["2026-01", "2026-02", "2026-03"]);
        assert_eq!(list_months(at, Duration::zero()), ["2026-01"]);
        assert_eq!(list_months(at, Duration::days(370)).len(), 14);
    }
}
