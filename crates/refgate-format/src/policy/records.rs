//! Reads the rules of a policy for records: their makers, and the required records.

use refgate_core::{
    DebtRules, Duration, GateRules, LedgerRules, Meaning, PathKind, RequiredSignOff, Roles,
    SignOffCount, WaiverRules,
};

use super::role;
use super::rules::approvers;
use super::stages::glob;
use super::windows::{duration, length};
use crate::complaint::{Complaints, nearest};
use crate::table::{Section, SpannedText};

pub(super) fn waivers(
    c: &mut Complaints<'_>,
    root: &mut Section<'_>,
    roles: &Roles,
) -> WaiverRules {
    let mut rules = WaiverRules::default();
    let Some(mut section) = root.table(c, "waivers") else { return rules };
    rules.approvers = approvers(c, &mut section, roles, true);
    rules.longest = length(c, &mut section, "longest", 14);
    let uses = section.number(c, "uses").unwrap_or(3);
    rules.most_uses = u32::try_from(uses).unwrap_or(u32::MAX);
    rules.persons = persons(c, &mut section);
    section.finish(c);
    rules
}

/// Reads `persons`, the number of different people who must agree. The default is two
/// (docs/design/model.md, "Two persons").
pub(super) fn persons(c: &mut Complaints<'_>, section: &mut Section<'_>) -> u32 {
    let Some(number) = section.number(c, "persons") else { return 2 };
    if !(1..=100).contains(&number) {
        c.hint(section.span(), "invalid number of `persons`", "use a number from 1 to 100");
    }
    u32::try_from(number).unwrap_or(u32::MAX).max(1)
}

/// The default limit on the age of a record when it arrives.
const TOLERANCE: Duration = Duration::minutes(10);

pub(super) fn ledger(
    c: &mut Complaints<'_>,
    root: &mut Section<'_>,
    roles: &Roles,
    policy: &str,
    default: &str,
) -> LedgerRules {
    let mut rules = LedgerRules {
        name: policy.to_string(),
        tolerance: TOLERANCE,
        evidence: default.to_string(),
        freezes: default.to_string(),
        releases: default.to_string(),
        trainers: default.to_string(),
    };
    let Some(mut section) = root.table(c, "ledger") else { return rules };
    if let Some(name) = section.text(c, "name") {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.text.is_empty() || !name.text.chars().all(plain) {
            c.hint(name.span, "invalid ledger name", "use letters, digits, `-`, `_` and `.`");
        }
        rules.name = name.text;
    }
    let tolerance = section.text(c, "tolerance").and_then(|text| duration(c, &text));
    rules.tolerance = tolerance.unwrap_or(TOLERANCE);
    for (key, slot) in [
        ("evidence", &mut rules.evidence),
        ("freezes", &mut rules.freezes),
        ("releases", &mut rules.releases),
        ("trainers", &mut rules.trainers),
    ] {
        if let Some(named) = section.text(c, key).and_then(|text| role(c, roles, &text)) {
            *slot = named;
        }
    }
    section.finish(c);
    rules
}

pub(super) fn gate(c: &mut Complaints<'_>, root: &mut Section<'_>, roles: &Roles) -> GateRules {
    let mut rules = GateRules::default();
    let Some(mut section) = root.table(c, "gate") else { return rules };
    let soak = section.text(c, "soak").and_then(|text| duration(c, &text));
    rules.soak = soak.unwrap_or_default();
    rules.course = section.text(c, "course").map(|text| text.text);
    for wanted in section.tables(c, "sign-off") {
        rules.sign_offs.extend(sign_off(c, wanted, roles));
    }
    section.finish(c);
    rules
}

fn sign_off(
    c: &mut Complaints<'_>,
    mut section: Section<'_>,
    roles: &Roles,
) -> Option<RequiredSignOff> {
    let meaning = section.required(c, "meaning");
    let named = section.required(c, "role").and_then(|text| role(c, roles, &text));
    let people = people(c, &mut section);
    let names = section.list(c, "ignores");
    let ignores = names.iter().filter_map(|name| path_kind(c, name)).collect();
    let texts = section.list(c, "paths");
    let paths = texts.iter().filter_map(|text| glob(c, text)).collect();
    let span = section.span();
    section.finish(c);
    let meaning = meaning?;
    let found = Meaning::find(&meaning.text);
    if found.is_none() {
        let names = || Meaning::ALL.iter().map(|meaning| meaning.name());
        let near = nearest(&meaning.text, names());
        let known = || format!("known meanings: {}", names().collect::<Vec<_>>().join(", "));
        let hint = near.map_or_else(known, |near| format!("did you mean `{near}`?"));
        c.hint(meaning.span, format!("unknown meaning `{}`", meaning.text), hint);
    }
    let role = named?;
    let least = match people {
        SignOffCount::AtLeast(number) => usize::try_from(number).unwrap_or(usize::MAX),
        SignOffCount::All => 1,
    };
    if least > roles.people(&role).len() {
        let what =
            format!("the role `{role}` has too few people: no release could get its sign-offs");
        c.hint(span, what, "add people to the role, or require fewer");
    }
    Some(RequiredSignOff { meaning: found?, role, people, paths, ignores })
}

/// Reads `people`: a number from 1 on, or `"all"`.
fn people(c: &mut Complaints<'_>, section: &mut Section<'_>) -> SignOffCount {
    let Some(value) = section.value("people") else { return SignOffCount::AtLeast(1) };
    if value.get_ref().as_str() == Some("all") {
        return SignOffCount::All;
    }
    let digits = value.get_ref().as_integer().map(|number| number.as_str().replace('_', ""));
    match digits.and_then(|digits| digits.parse::<u32>().ok()) {
        Some(number) if number > 0 => SignOffCount::AtLeast(number),
        _ => {
            c.hint(value.span(), "invalid number of `people`", "use 1 or more, or \"all\"");
            SignOffCount::All
        }
    }
}

fn path_kind(c: &mut Complaints<'_>, name: &SpannedText) -> Option<PathKind> {
    let found = PathKind::find(&name.text);
    if found.is_none() {
        let names = PathKind::ALL.map(PathKind::name).join(", ");
        let what = format!("unknown kind of file `{}`", name.text);
        c.hint(name.span.clone(), what, format!("expected one of: {names}"));
    }
    found
}

pub(super) fn debts(
    c: &mut Complaints<'_>,
    root: &mut Section<'_>,
    roles: &Roles,
    default: &str,
) -> DebtRules {
    let mut rules = DebtRules { approvers: default.to_string(), ..DebtRules::default() };
    let Some(mut section) = root.table(c, "debts") else { return rules };
    rules.due = length(c, &mut section, "due", 7);
    if let Some(named) = section.text(c, "approvers").and_then(|text| role(c, roles, &text)) {
        rules.approvers = named;
    }
    section.finish(c);
    rules
}
