//! Reads the freeze windows of a policy.

use refgate_core::{Classes, Duration, ExitCriteria, Flow, Interval, Roles, Window, WindowSpan};

use super::classes::class_list;
use super::{Context, role};
use crate::complaint::{Complaints, nearest};
use crate::instant::{Zone, parse_duration, parse_local};
use crate::table::{Section, SpannedText};
use crate::{expand_recurrence, import_calendar};

pub(super) fn windows(
    c: &mut Complaints<'_>,
    context: &Context<'_>,
    root: &mut Section<'_>,
    flow: &Flow,
    classes: &Classes,
    roles: &Roles,
) -> Vec<Window> {
    let mut all: Vec<Window> = Vec::new();
    for section in root.tables(c, "freeze") {
        let span = section.span();
        if let Some(window) = window(c, context, section, flow, classes, roles) {
            if all.iter().any(|other| other.name == window.name) {
                c.add(span, format!("the freeze \"{}\" is defined twice", window.name));
            }
            all.push(window);
        }
    }
    all
}

fn window(
    c: &mut Complaints<'_>,
    context: &Context<'_>,
    mut section: Section<'_>,
    flow: &Flow,
    classes: &Classes,
    roles: &Roles,
) -> Option<Window> {
    let name = section.required(c, "name");
    let reason = section.required(c, "reason");
    let stages = stages(c, &mut section, flow);
    let lines = section.flag(c, "lines").unwrap_or(false);
    let lets_through = class_list(c, &mut section, "lets-through", classes);
    let fast_track = class_list(c, &mut section, "fast-track", classes);
    let approvers = section.text(c, "approvers").and_then(|text| role(c, roles, &text));
    if !fast_track.is_empty() && approvers.is_none() {
        c.hint(section.span(), "`fast-track` needs `approvers`", "name the role that may approve");
    }
    let persons = super::records::persons(c, &mut section);
    let span = span(c, context, &mut section, roles);
    section.finish(c);
    Some(Window {
        name: name?.text,
        reason: reason?.text,
        stages,
        lines,
        lets_through,
        fast_track,
        approvers: approvers.unwrap_or_default(),
        persons,
        span: span?,
    })
}

fn stages(c: &mut Complaints<'_>, section: &mut Section<'_>, flow: &Flow) -> Vec<usize> {
    let mut all = Vec::new();
    let names = section.list(c, "stages");
    if names.is_empty() {
        c.hint(section.span(), "the freeze covers no stage", "list branches in `stages`");
    }
    for name in names {
        let branches = || flow.stages.iter().map(|stage| stage.branch.short());
        match branches().position(|branch| branch == name.text) {
            Some(place) => all.push(place),
            None => {
                let what = format!("unknown stage `{}`", name.text);
                let near = nearest(&name.text, branches()).or_else(|| branches().next());
                let hint = near.map_or_else(String::new, |near| format!("did you mean `{near}`?"));
                c.hint(name.span, what, hint);
            }
        }
    }
    all
}

fn span(
    c: &mut Complaints<'_>,
    context: &Context<'_>,
    section: &mut Section<'_>,
    roles: &Roles,
) -> Option<WindowSpan> {
    let zone = section.text(c, "zone").and_then(|text| zone(c, &text)).unwrap_or(Zone::UTC);
    let after = section.text(c, "after");
    let (from, rule, ics) =
        (section.text(c, "from"), section.text(c, "recur"), section.text(c, "ics"));
    let to = section.text(c, "to").and_then(|text| local(c, &text));
    let lasts = section.text(c, "lasts").and_then(|text| duration(c, &text));
    let limits = (length(c, section, "minimum", 30), length(c, section, "maximum", 60));
    let exit = section.table(c, "exit").map(|table| exit(c, table, roles));
    match (after, from, rule, ics) {
        (Some(after), None, None, None) => {
            if after.text != "major-release" {
                c.hint(after.span, "unknown event", "expected `major-release`");
            }
            let (minimum, maximum) = limits;
            if minimum > maximum {
                c.add(section.span(), "`minimum` is longer than `maximum`");
            }
            Some(WindowSpan::AfterMajorRelease { minimum, maximum, exit: exit.unwrap_or_default() })
        }
        (None, Some(from), None, None) => {
            let (start, end) = (zone.instant(local(c, &from)?), to.map(|end| zone.instant(end)));
            let end = end.or_else(|| lasts.and_then(|lasts| start.checked_add_signed(lasts)));
            let interval = end.and_then(|end| Interval::new(start, end));
            if interval.is_none() {
                c.hint(from.span, "the window has no valid end", "set a later `to`, or `lasts`");
            }
            Some(WindowSpan::Fixed(vec![interval?]))
        }
        (None, Some(from), Some(rule), None) => {
            let Some(lasts) = lasts else {
                c.hint(rule.span, "`recur` needs `lasts`", "such as `lasts = \"2 days\"`");
                return None;
            };
            let (first, horizon) = (local(c, &from)?, context.horizon);
            let budget = &mut *context.budget.borrow_mut();
            let windows = expand_recurrence(&rule.text, first, lasts, (zone, horizon), budget);
            windows.map_err(|error| c.add(rule.span, error.to_string())).ok().map(WindowSpan::Fixed)
        }
        (None, None, None, Some(name)) => {
            let Some(text) = context.calendars.get(&name.text) else {
                c.hint(name.span, "cannot read the calendar", "put it beside the policy file");
                return None;
            };
            let windows =
                import_calendar(text, zone, context.horizon, &mut context.budget.borrow_mut());
            windows.map_err(|error| c.add(name.span, error.to_string())).ok().map(WindowSpan::Fixed)
        }
        _ => {
            let hint = "set `after`, `ics`, or `from` with `to`, `lasts` or `recur`";
            c.hint(section.span(), "cannot tell when this freeze is active", hint);
            None
        }
    }
}

fn exit(c: &mut Complaints<'_>, mut section: Section<'_>, roles: &Roles) -> ExitCriteria {
    let runs = section.number(c, "production-runs").unwrap_or(0);
    let notice = section.flag(c, "notice").unwrap_or(false);
    let sign_off = section.text(c, "sign-off").and_then(|text| role(c, roles, &text));
    section.finish(c);
    ExitCriteria { production_runs: u32::try_from(runs).unwrap_or(u32::MAX), notice, sign_off }
}

fn zone(c: &mut Complaints<'_>, text: &SpannedText) -> Option<Zone> {
    let zone = Zone::parse(&text.text);
    if zone.is_none() {
        let what = format!("`{}` is not a time zone", text.text);
        c.hint(text.span.clone(), what, "use an IANA name such as `Europe/Paris`");
    }
    zone
}

fn local(c: &mut Complaints<'_>, text: &SpannedText) -> Option<chrono::NaiveDateTime> {
    let time = parse_local(&text.text);
    if time.is_none() {
        let what = format!("`{}` is not a time", text.text);
        c.hint(text.span.clone(), what, "such as `2026-12-24` or `2026-12-24 10:00`");
    }
    time
}

pub(super) fn duration(c: &mut Complaints<'_>, text: &SpannedText) -> Option<Duration> {
    let duration = parse_duration(&text.text);
    if duration.is_none() {
        let what = format!("`{}` is not a duration", text.text);
        c.hint(text.span.clone(), what, "such as `30 days` or `12 hours`");
    }
    duration
}

/// Reads a duration; the default is a number of days.
pub(super) fn length(
    c: &mut Complaints<'_>,
    section: &mut Section<'_>,
    key: &'static str,
    days: i64,
) -> Duration {
    let text = section.text(c, key);
    text.and_then(|text| duration(c, &text)).unwrap_or_else(|| Duration::days(days))
}
