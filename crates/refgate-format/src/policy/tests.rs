//! Tests that each complaint about a policy has its position and a hint.

use chrono::{TimeZone as _, Utc};
use insta::assert_snapshot;
use refgate_core::WindowSpan;

use super::*;

fn horizon() -> Interval {
    let at = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
    Interval::new(at(2026), at(2028)).unwrap()
}

fn read(text: &str) -> Result<Policy, Vec<Complaint>> {
    read_policy(&PolicyFile { text: text.to_string(), ..PolicyFile::default() }, horizon())
}

fn complaints(text: &str) -> String {
    let all = read(text).unwrap_err();
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const GOOD: &str = r#"format = 1
name = "x"
[[stage]]
branch = "dev"
[[stage]]
branch = "main"
production = true
"#;

#[test]
fn the_smallest_policy_has_the_standard_classes() {
    let policy = read(GOOD).unwrap();
    assert_eq!(policy.flow.stages.len(), 2);
    let names: Vec<&str> = policy.classes.names().collect();
    assert_eq!(
        names,
        ["docs", "chore", "bugfix", "hotfix", "security", "minor-feature", "feature"]
    );
    let rank = |name| policy.classes.rank(policy.classes.find(name).unwrap());
    assert_eq!(rank("hotfix"), rank("security"));
    assert!(policy.classes.has_bounds());
}

#[test]
fn reports_all_complaints_at_once() {
    let text = r#"format = 1
name = "x"
revison = 2
[[stage]]
branch = "dev"
pushers = ["manger"]
[[stage]]
branch = "main"
production = "yes"
[roles]
manager = ["grace"]
nobody = []
[[freeze]]
name = "f"
reason = "r"
stages = ["deb"]
lets-through = ["bugfixes", "docs"]
from = "24.12.2026"
to = "2027-01-04"
zone = "Europe/Pariss"
[rules]
freez = "warn"
ref-name = "off"
"#;
    assert_snapshot!(complaints(text), @r#"
    line 1, column 1: no stage is production (set `production = true` in one stage)
    line 3, column 1: unknown key `revison` in `policy file` (did you mean `revision`?)
    line 6, column 12: unknown role `manger` (did you mean `manager`?)
    line 9, column 14: the value is of type string (expected `true` or `false`)
    line 12, column 10: the role `nobody` has no people
    line 16, column 11: unknown stage `deb` (did you mean `dev`?)
    line 17, column 17: unknown class `bugfixes` (did you mean `bugfix`?)
    line 18, column 8: `24.12.2026` is not a time (such as `2026-12-24` or `2026-12-24 10:00`)
    line 20, column 8: `Europe/Pariss` is not a time zone (use an IANA name such as `Europe/Paris`)
    line 22, column 1: unknown rule `freez` (did you mean `freeze`?)
    line 23, column 1: the rule `ref-name` is always enforced
    "#);
}

#[test]
fn reports_toml_errors_with_their_positions() {
    assert_snapshot!(complaints("format = 1\nname = \"x\nformat = 1\n"), @r#"
    line 2, column 10: invalid basic string, expected `"`
    line 3, column 1: duplicate key
    "#);
    assert!(complaints("format = 1\nformat = 1\nname = \"x\"\n").contains("line 2"));
    assert!(complaints("\u{feff}format = 1\n").contains("byte order mark"));
    assert!(complaints("format = 1\r\nname = \"x\"\r\n").contains("carriage returns"));
    assert!(complaints("format = 7\n").contains("format 7 is not supported"));
}

#[test]
fn rejects_a_policy_that_nobody_could_change() {
    let text = format!(
        "{GOOD}[roles]\nkeeper = [\"grace\"]\n[policy]\napprovals = 2\napprovers = \"keeper\"\n"
    );
    assert!(complaints(&text).contains("nobody could change this policy again"));
    let text = text.replace("approvals = 2", "approvals = 1");
    assert!(read(&text).is_ok());
    // If only the one approver may push, nobody else can approve.
    let text = text.replace("production = true", "production = true\npushers = [\"keeper\"]");
    assert!(complaints(&text).contains("nobody could change this policy again"));
}

#[test]
fn reads_a_calendar_beside_the_policy() {
    let text = format!(
        "{GOOD}[[freeze]]\nname = \"f\"\nreason = \"r\"\nstages = [\"main\"]\nics = \"x.ics\"\n"
    );
    assert_eq!(calendar_names(&text), ["x.ics"]);
    assert!(complaints(&text).contains("cannot read the calendar"));
    let ics = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261220\n\
        DTEND;VALUE=DATE:20270104\nEND:VEVENT\nEND:VCALENDAR\n";
    let calendars = [("x.ics".to_string(), ics.to_string())].into();
    let policy = read_policy(&PolicyFile { text, calendars }, horizon()).unwrap();
    assert!(matches!(&policy.windows[0].span, WindowSpan::Fixed(all) if all.len() == 1));
}

#[test]
fn a_recipe_needs_its_files_and_its_side() {
    let with = |text: &str| format!("{GOOD}\n[[recipe]]\n{text}");
    let recipe = |text: &str| complaints(&with(text));
    let policy = read(&with("paths = [\"VERSION\"]\nkeep = \"fix\"\nthen = \"make\"")).unwrap();
    let found = refgate_core::recipe(&policy.recipes, "VERSION").unwrap();
    assert_eq!((found.keep, found.then.as_deref()), (refgate_core::KeptSide::Fix, Some("make")));
    assert!(recipe("keep = \"fix\"").contains("needs `paths`"));
    assert!(recipe("paths = [\"V\"]").contains("needs `keep`"));
    let said = recipe("paths = [\"V\"]\nkeep = \"brnch\"");
    assert!(said.contains("did you mean `branch`?"), "{said}");
}
