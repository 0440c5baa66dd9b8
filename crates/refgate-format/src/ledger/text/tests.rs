//! Tests that records are read exactly as they are written, and that no other form is read.

use super::*;

fn every_body() -> Vec<RecordBody> {
    let id = Oid::from_hex("0123456789abcdef0123456789abcdef01234567").unwrap();
    let of = RecordId([7; 32]);
    let on = RefName::branch("dev").unwrap();
    let until = crate::parse_instant("2027-01-01").unwrap();
    let release = || "v2.0.0".to_string();
    vec![
        RecordBody::Approval { rule: RuleId::Freeze, on: on.clone(), of: id },
        RecordBody::SignOff { meaning: Meaning::Uat, commit: id, tree: id },
        RecordBody::Classification { commit: id, class: "bugfix".into() },
        RecordBody::FreezeExit { release: release() },
        RecordBody::Waiver {
            rule: RuleId::Class,
            on: on.clone(),
            class: Some("feature".into()),
            commit: Some(id),
            until,
            uses: 2,
            owes: Some("tests of the export".into()),
        },
        RecordBody::Waiver {
            rule: RuleId::Class,
            on: on.clone(),
            class: None,
            commit: None,
            until,
            uses: 1,
            owes: None,
        },
        RecordBody::Freeze { stages: vec!["dev".into()], lets_through: vec!["docs".into()], until },
        RecordBody::Thaw { of },
        RecordBody::Evidence {
            what: EvidenceKind::ProductionRun,
            release: release(),
            run: Some("run-17".to_string()),
        },
        RecordBody::Absence { person: "uma".to_string(), until },
        RecordBody::Iteration { release: release() },
        RecordBody::ReleaseOpen { release: release() },
        RecordBody::ReleaseFinish { release: release() },
        RecordBody::Candidate { release: release(), number: 1, commit: id, tree: id },
        RecordBody::UatFailed { release: release(), of },
        RecordBody::Settlement { of, shelf: "waiver/x/2026-12".into() },
        RecordBody::Withdrawal { of, shelf: "waiver/x/2026-12".into() },
        RecordBody::DeletionRequest { on: on.clone(), value: id },
        RecordBody::NotApplicable { fix: id, to: on },
        RecordBody::Certificate { person: "ada".into(), course: "operator".into(), until },
    ]
}

fn record(body: RecordBody) -> Record {
    Record {
        id: RecordId([0; 32]),
        by: "grace".into(),
        at: crate::parse_instant("2026-12-24 10:00").unwrap(),
        repository: "portal".into(),
        reason: "because \"it\" is\na back\\slash".into(),
        link: Some("https://tickets.example/1".into()),
        body,
    }
}

#[test]
fn every_kind_survives_a_round_trip() {
    for body in every_body() {
        let record = record(body);
        let text = record_text(&record);
        let read = read_record(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!((&read.body, &read.reason), (&record.body, &record.reason));
        assert_eq!(record_text(&read), text);
    }
}

#[test]
fn rejects_every_form_except_the_canonical_one() {
    let body = every_body().remove(0);
    let text = record_text(&record(body));
    for (from, to) in [
        ("format = 1", "format = 2"),
        ("format = 1\n", "format = 1\n\n"),
        ("kind = \"approval\"", "kind = 'approval'"),
        ("kind = \"approval\"", "kind = \"aproval\""),
        ("rule = \"freeze\"\n", ""),
        ("rule = \"freeze\"\n", "rule = \"freeze\"\nuses = 3\n"),
        ("rule = \"freeze\"\n", "rule = \"freeze\"\nfoo = 3\n"),
        ("T10:00:00Z", "T10:00:00+00:00"),
        ("by = \"grace\"", "by = \"gr\\u200bace\""),
        ("by = \"grace\"", "by = \"\""),
        ("\nreason", "\r\nreason"),
        ("0123456789abcdef", "0123456789ABCDEF"),
    ] {
        let bad = text.replacen(from, to, 1);
        assert!(bad != text && read_record(&bad).is_err(), "{bad}");
    }
}

#[test]
fn splits_text_and_signature() {
    let file = format!("a = 1\n{SIGNATURE}\nxx\n");
    assert_eq!(split_file(&file).unwrap(), ("a = 1\n", &*format!("{SIGNATURE}\nxx\n")));
    assert_eq!(split_file("a = 1\n"), Err(RecordError::Unsigned));
}
