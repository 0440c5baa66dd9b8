//! Reads a policy file. It reports all complaints at once, each with its position.

mod classes;
mod recipes;
mod records;
mod rules;
mod score;
mod stages;
mod windows;

use std::collections::BTreeMap;

use refgate_core::{Interval, Policy};
use toml::de::DeTable;

use crate::CalendarBudget;
use crate::Complaint;
use crate::complaint::Complaints;
use crate::table::{Section, SpannedText};

/// The only supported format of policy files.
const FORMAT: u64 = 1;

/// The standard sections, for sections that a policy does not have.
const STANDARD: &str = include_str!("standard.toml");

/// A policy file with its calendars, from a tree or a directory.
#[derive(Debug, Clone, Default)]
pub struct PolicyFile {
    /// The TOML text.
    pub text: String,
    /// The `.ics` files that it names, by their names.
    pub calendars: BTreeMap<String, String>,
}

/// The values that the section readers share.
pub(crate) struct Context<'a> {
    pub(crate) calendars: &'a BTreeMap<String, String>,
    pub(crate) horizon: Interval,
    pub(crate) budget: std::cell::RefCell<CalendarBudget>,
}

/// The calendars that a policy names; none if it cannot be parsed, because [`read_policy`] then
/// reports why.
#[must_use]
pub fn calendar_names(text: &str) -> Vec<String> {
    let Ok(table) = DeTable::parse(text) else { return Vec::new() };
    let mut c = Complaints::new(text);
    let mut root = Section::new("policy file", table.span(), table.get_ref());
    let freezes = root.tables(&mut c, "freeze");
    freezes.into_iter().filter_map(|mut s| s.text(&mut c, "ics")).map(|name| name.text).collect()
}

/// Reads a policy. Recurring windows are expanded for `horizon`, so decisions must be made
/// inside it.
///
/// # Errors
/// All complaints about the file, in its order.
pub fn read_policy(file: &PolicyFile, horizon: Interval) -> Result<Policy, Vec<Complaint>> {
    let mut c = Complaints::new(&file.text);
    check_encoding(&mut c, &file.text);
    let (table, errors) = DeTable::parse_recoverable(&file.text);
    for error in &errors {
        c.add(error.span().unwrap_or(0..0), error.message().to_string());
    }
    if !errors.is_empty() {
        return Err(c.finish());
    }
    let standard = DeTable::parse(STANDARD).map_err(|error| {
        let mut own = Complaints::new(STANDARD);
        own.add(error.span().unwrap_or(0..0), error.message().to_string());
        own.finish()
    })?;
    let context = Context { calendars: &file.calendars, horizon, budget: Default::default() };
    let mut root = Section::new("policy file", 0..0, table.get_ref());
    let mut base = Section::new("policy file", 0..0, standard.get_ref());
    let policy = build(&mut c, &context, &mut root, &mut base);
    root.finish(&mut c);
    match policy {
        Some(policy) if c.none() => Ok(policy),
        _ => Err(c.finish()),
    }
}

fn check_encoding(c: &mut Complaints<'_>, text: &str) {
    if text.starts_with('\u{feff}') {
        c.add(0..3, "the file begins with a byte order mark: save it as UTF-8 without one");
    }
    if let Some(at) = text.find('\r') {
        c.add(at..at + 1, "the file has carriage returns: save it with Unix line ends");
    }
    let hidden = |c: char| refgate_core::is_invisible(c) && !"\n\r\t\u{feff}".contains(c);
    for (at, found) in text.char_indices().filter(|(_, c)| hidden(*c)).take(5) {
        let what = format!("the invisible character U+{:04X} can hide text", u32::from(found));
        c.hint(at..at + found.len_utf8(), what, "delete it, or write it as a TOML escape");
    }
}

fn build(
    c: &mut Complaints<'_>,
    context: &Context<'_>,
    root: &mut Section<'_>,
    base: &mut Section<'_>,
) -> Option<Policy> {
    match root.number(c, "format") {
        Some(FORMAT) => {}
        Some(other) => {
            let what = format!("format {other} is not supported");
            c.hint(root.span(), what, "this version of refgate supports format 1");
            return None;
        }
        None => c.hint(root.span(), "the key `format` is missing", "write `format = 1` at the top"),
    }
    let name = root.required(c, "name");
    let revision = root.number(c, "revision").unwrap_or(1);
    let roles = stages::roles(c, root);
    let flow = stages::flow(c, root, &roles);
    let (classes, merge, declared_only) = classes::classes(c, root, base);
    let score = score::score(c, root, base);
    let declare = classes::declarations(c, root, base, &classes);
    let windows = windows::windows(c, context, root, &flow, &classes, &roles);
    let (backport, hotfix) = rules::backport_and_hotfix(c, root, &classes, &roles);
    let waivers = records::waivers(c, root, &roles);
    let name = name?.text;
    let policy = Policy {
        ledger: records::ledger(c, root, &roles, &name, &waivers.approvers),
        gate: records::gate(c, root, &roles),
        debts: records::debts(c, root, &roles, &waivers.approvers),
        name,
        revision,
        flow,
        classes,
        declare,
        score,
        merge,
        declared_only,
        windows,
        backport,
        hotfix,
        promotion: rules::promotion(c, root),
        release: rules::release(c, root, &roles),
        deletion: rules::deletion(c, root, &roles),
        protect: rules::protect(c, root, &roles),
        waivers,
        recipes: recipes::recipes(c, root),
        modes: rules::modes(c, root),
        roles,
    };
    rules::check_lock_out(c, root, &policy);
    Some(policy)
}

/// Reads a role, which must be in `[roles]`.
pub(crate) fn role(
    c: &mut Complaints<'_>,
    roles: &refgate_core::Roles,
    text: &SpannedText,
) -> Option<String> {
    if roles.0.contains_key(&text.text) {
        return Some(text.text.clone());
    }
    let what = format!("unknown role `{}`", text.text);
    match crate::complaint::nearest(&text.text, roles.0.keys().map(String::as_str)) {
        Some(near) => c.hint(text.span.clone(), what, format!("did you mean `{near}`?")),
        None => c.hint(text.span.clone(), what, "list its people in `[roles]`"),
    }
    None
}

#[cfg(test)]
mod tests;
