//! What does a policy file say? All complaints at once, each at its place.

mod classes;
mod recipes;
mod records;
mod rules;
mod stages;
mod windows;

use std::collections::BTreeMap;

use refgate_core::{Interval, Policy};
use toml::de::DeTable;

use crate::Complaint;
use crate::complaint::Complaints;
use crate::table::{Section, SpannedText};

/// The only format of policy files so far.
const FORMAT: u64 = 1;

/// The conventions that hold where a policy does not write its own.
const STANDARD: &str = include_str!("standard.toml");

/// A policy file as it lies in a tree or directory, with the calendars beside it.
#[derive(Debug, Clone, Default)]
pub struct PolicyFile {
    /// The TOML text.
    pub text: String,
    /// The `.ics` files that it names, by the name that it uses.
    pub calendars: BTreeMap<String, String>,
}

/// What the section readers share: the file around it, and what is known so far.
pub(crate) struct Context<'a> {
    pub(crate) calendars: &'a BTreeMap<String, String>,
    pub(crate) horizon: Interval,
}

/// The calendars that a policy names; nothing where it cannot be read, since
/// [`read_policy`] then says why.
#[must_use]
pub fn wanted_calendars(text: &str) -> Vec<String> {
    let Ok(table) = DeTable::parse(text) else { return Vec::new() };
    let mut c = Complaints::new(text);
    let mut root = Section::new("policy file", table.span(), table.get_ref());
    let freezes = root.tables(&mut c, "freeze");
    freezes.into_iter().filter_map(|mut s| s.text(&mut c, "ics")).map(|name| name.text).collect()
}

/// Reads a policy. Recurring windows are laid out for `horizon`; decisions
/// must be made inside it.
///
/// # Errors
/// Everything that is wrong with the file, in its order.
pub fn read_policy(file: &PolicyFile, horizon: Interval) -> Result<Policy, Vec<Complaint>> {
    let mut c = Complaints::new(&file.text);
    refuse_bytes(&mut c, &file.text);
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
    let context = Context { calendars: &file.calendars, horizon };
    let mut root = Section::new("policy file", 0..0, table.get_ref());
    let mut base = Section::new("policy file", 0..0, standard.get_ref());
    let policy = build(&mut c, &context, &mut root, &mut base);
    root.finish(&mut c);
    match policy {
        Some(policy) if c.none() => Ok(policy),
        _ => Err(c.finish()),
    }
}

fn refuse_bytes(c: &mut Complaints<'_>, text: &str) {
    if text.starts_with('\u{feff}') {
        c.add(0..3, "the file begins with a byte order mark; save it as plain UTF-8");
    }
    if let Some(at) = text.find('\r') {
        c.add(at..at + 1, "the file has carriage returns; save it with Unix line ends");
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
            let what = format!("format {other} is not known to this refgate");
            c.hint(root.span(), what, "it knows format 1");
            return None;
        }
        None => c.hint(root.span(), "the file needs `format = 1` at its top", "see the reference"),
    }
    let name = root.required(c, "name");
    let revision = root.number(c, "revision").unwrap_or(1);
    let roles = stages::roles(c, root);
    let flow = stages::flow(c, root, &roles);
    let (classes, merge, declared_only) = classes::classes(c, root, base);
    let declare = classes::declarations(c, root, base, &classes);
    let windows = windows::windows(c, context, root, &flow, &classes, &roles);
    let (backport, hotfix) = rules::straight(c, root, &classes, &roles);
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
        merge,
        declared_only,
        windows,
        backport,
        hotfix,
        promotion: rules::promotion(c, root),
        release: rules::release(c, root),
        deletion: rules::deletion(c, root, &roles),
        protect: rules::protect(c, root, &roles),
        waivers,
        recipes: recipes::recipes(c, root),
        modes: rules::modes(c, root),
        roles,
    };
    rules::lock_outs(c, root, &policy);
    Some(policy)
}

/// A role that exists, has people, and is spelled right.
pub(crate) fn role(
    c: &mut Complaints<'_>,
    roles: &refgate_core::Roles,
    text: &SpannedText,
) -> Option<String> {
    if roles.0.contains_key(&text.text) {
        return Some(text.text.clone());
    }
    let what = format!("there is no role `{}`", text.text);
    match crate::complaint::nearest(&text.text, roles.0.keys().map(String::as_str)) {
        Some(near) => c.hint(text.span.clone(), what, format!("did you mean `{near}`?")),
        None => c.hint(text.span.clone(), what, "name its people in `[roles]`"),
    }
    None
}

#[cfg(test)]
mod tests;
