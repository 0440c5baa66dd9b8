//! Expands recurrence rules and imported calendars into intervals.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeZone};
use icalendar::parser::{Component, read_calendar, unfold};
use refgate_core::{Duration, Instant, Interval};
use rrule::{RRule, RRuleSet, Unvalidated};

use crate::{Zone, parse_local};

/// The largest number of windows that a calendar may have within its horizon.
const MOST_OCCURRENCES: usize = 5_000;

/// The largest number of recurrences that are computed. It limits how old a rule may be.
const MOST_STEPS: usize = 100_000;

/// Why a calendar is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The recurrence rule does not follow RFC 5545.
    #[error("`{0}` is not a valid recurrence rule (RFC 5545)")]
    Rule(String),
    /// There are too many recurrences.
    #[error("it has more than 5,000 windows")]
    TooMany,
    /// The file is not an iCalendar file.
    #[error("cannot parse the iCalendar file: {0}")]
    Unreadable(String),
    /// An event is invalid.
    #[error("event {event}: {what}")]
    Event {
        /// The number of the event, from 1.
        event: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// The occurrences of a rule such as `FREQ=WEEKLY;BYDAY=FR` that overlap `horizon`. Each begins
/// at a local time of `zone` and lasts `length` in local time. A window of two days that
/// begins on Friday at 18:00 ends on Sunday at 18:00, even if the clocks change between.
///
/// # Errors
/// If the rule is invalid, or has too many recurrences.
pub fn expand_recurrence(
    rule: &str,
    first: NaiveDateTime,
    length: Duration,
    zone: Zone,
    horizon: Interval,
) -> Result<Vec<Interval>, CalendarError> {
    let bad = || CalendarError::Rule(rule.to_string());
    let parsed: RRule<Unvalidated> = local_until(rule, zone).parse().map_err(|_| bad())?;
    // The rule is computed in local time. The zone is applied afterwards, so that gaps and
    // overlaps of the clocks are handled as everywhere in refgate.
    let start = rrule::Tz::UTC.from_utc_datetime(&first);
    let validated = parsed.validate(start).map_err(|_| bad())?;
    let (from, until) = (zone.local(horizon.start) - length, zone.local(horizon.end));
    let set = RRuleSet::new(start).rrule(validated);
    let mut all = Vec::new();
    for (step, local) in set.into_iter().enumerate() {
        let local = local.naive_utc();
        if local >= until {
            break;
        }
        if step > MOST_STEPS || all.len() > MOST_OCCURRENCES {
            return Err(CalendarError::TooMany);
        }
        if local >= from {
            let (begin, end) = (zone.instant(local), zone.instant(local + length));
            all.extend(Interval::new(begin, end).filter(|window| window.end > horizon.start));
        }
    }
    Ok(all)
}

/// Converts `UNTIL`, which RFC 5545 defines in UTC, to the local time in which rules are
/// computed.
fn local_until(rule: &str, zone: Zone) -> String {
    let parts = rule.split(';').map(|part| {
        let Some(until) = part.strip_prefix("UNTIL=") else { return part.to_string() };
        let form = "%Y%m%dT%H%M%S";
        match until.strip_suffix('Z').map(|utc| NaiveDateTime::parse_from_str(utc, form)) {
            Some(Ok(utc)) => format!("UNTIL={}Z", zone.local(utc.and_utc()).format(form)),
            Some(Err(_)) => part.to_string(),
            None if until.contains('T') => format!("UNTIL={until}Z"),
            None => format!("UNTIL={until}T235959Z"),
        }
    });
    parts.collect::<Vec<_>>().join(";")
}

/// The events of an `.ics` file as intervals within `horizon`. Times without a zone of their
/// own are in `zone`.
///
/// # Errors
/// If the file or an event is invalid. Skipping an invalid event would silently remove a
/// freeze.
pub fn import_calendar(
    text: &str,
    zone: Zone,
    horizon: Interval,
) -> Result<Vec<Interval>, CalendarError> {
    let unfolded = unfold(text);
    let calendar = read_calendar(&unfolded).map_err(|error| {
        CalendarError::Unreadable(error.lines().next().unwrap_or("").to_string())
    })?;
    let events = calendar.components.iter().filter(|component| component.name == "VEVENT");
    let mut all = Vec::new();
    for (place, event) in events.enumerate() {
        let complain =
            |what: &str| CalendarError::Event { event: place + 1, what: what.to_string() };
        all.extend(occurrences(event, zone, horizon, &complain)?);
    }
    all.sort();
    Ok(all)
}

fn occurrences(
    event: &Component<'_>,
    zone: Zone,
    horizon: Interval,
    complain: &dyn Fn(&str) -> CalendarError,
) -> Result<Vec<Interval>, CalendarError> {
    for unsupported in ["RDATE", "EXRULE", "RECURRENCE-ID"] {
        if event.find_prop(unsupported).is_some() {
            return Err(complain(&format!("`{unsupported}` is not supported")));
        }
    }
    let (start, start_zone) = moment(event, "DTSTART", zone)
        .ok_or_else(|| complain("`DTSTART` is missing or invalid"))?;
    let length = match (event.find_prop("DTEND"), event.find_prop("DURATION")) {
        (Some(_), _) => {
            let (end, end_zone) =
                moment(event, "DTEND", zone).ok_or_else(|| complain("`DTEND` is invalid"))?;
            start_zone.local(end_zone.instant(end)) - start
        }
        (None, Some(duration)) => {
            iso_duration(duration.val.as_str()).ok_or_else(|| complain("`DURATION` is invalid"))?
        }
        (None, None) => Duration::days(1),
    };
    let Some(rule) = event.find_prop("RRULE") else {
        let window = Interval::new(start_zone.instant(start), start_zone.instant(start + length));
        let window = window.ok_or_else(|| complain("the event ends before it begins"))?;
        let near = window.end > horizon.start && window.start < horizon.end;
        return Ok(if near { vec![window] } else { Vec::new() });
    };
    let skipped = exceptions(event, start_zone, complain)?;
    let mut all = expand_recurrence(rule.val.as_str(), start, length, start_zone, horizon)?;
    all.retain(|window| !skipped.contains(&window.start));
    Ok(all)
}

fn exceptions(
    event: &Component<'_>,
    zone: Zone,
    complain: &dyn Fn(&str) -> CalendarError,
) -> Result<Vec<Instant>, CalendarError> {
    let mut all = Vec::new();
    for property in event.properties.iter().filter(|property| property.name == "EXDATE") {
        for value in property.val.as_str().split(',') {
            let (local, own) =
                ics_time(value, zone).ok_or_else(|| complain("`EXDATE` is invalid"))?;
            all.push(own.instant(local));
        }
    }
    Ok(all)
}

fn moment(event: &Component<'_>, key: &str, zone: Zone) -> Option<(NaiveDateTime, Zone)> {
    let property = event.find_prop(key)?;
    let named = property.params.iter().find(|param| param.key == "TZID");
    let zone = match named.and_then(|param| param.val.as_ref()) {
        Some(name) => Zone::parse(name.as_str().trim_matches('"'))?,
        None => zone,
    };
    ics_time(property.val.as_str(), zone)
}

fn ics_time(value: &str, zone: Zone) -> Option<(NaiveDateTime, Zone)> {
    let form = "%Y%m%dT%H%M%S";
    if let Some(utc) = value.strip_suffix('Z') {
        return Some((NaiveDateTime::parse_from_str(utc, form).ok()?, Zone::UTC));
    }
    if let Ok(local) = NaiveDateTime::parse_from_str(value, form) {
        return Some((local, zone));
    }
    let date = format!("{}-{}-{}", value.get(..4)?, value.get(4..6)?, value.get(6..)?);
    Some((parse_local(&date).filter(|_| value.len() == 8)?, zone))
}

/// Parses a duration such as `P1W` or `P2DT3H30M`.
fn iso_duration(text: &str) -> Option<Duration> {
    let mut seconds: i64 = 0;
    let mut number = String::new();
    let units: BTreeMap<char, i64> =
        [('W', 604_800), ('D', 86_400), ('H', 3_600), ('M', 60), ('S', 1)].into();
    for c in text.strip_prefix('P')?.chars() {
        match c {
            '0'..='9' => number.push(c),
            'T' => {}
            unit => {
                let count: i64 = number.parse().ok()?;
                seconds = seconds.checked_add(count.checked_mul(*units.get(&unit)?)?)?;
                number.clear();
            }
        }
    }
    (number.is_empty() && seconds > 0).then(|| Duration::try_seconds(seconds)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn year(year: i32) -> Interval {
        let at = |y: i32| parse_local(&format!("{y}-01-01")).unwrap().and_utc();
        Interval::new(at(year), at(year + 1)).unwrap()
    }

    fn show(all: &[Interval]) -> Vec<String> {
        let form = "%m-%d %H:%M";
        all.iter().map(|w| format!("{} {}", w.start.format(form), w.end.format(form))).collect()
    }

    #[test]
    fn keeps_local_times_over_a_change_of_clocks() {
        let zone = Zone::parse("Europe/Paris").unwrap();
        let first = parse_local("2026-03-20 18:00").unwrap();
        let rule = "FREQ=WEEKLY;BYDAY=FR;UNTIL=20260403T220000Z";
        let all = expand_recurrence(rule, first, Duration::days(2), zone, year(2026)).unwrap();
        assert_eq!(
            show(&all),
            ["03-20 17:00 03-22 17:00", "03-27 17:00 03-29 16:00", "04-03 16:00 04-05 16:00"]
        );
        assert!(
            expand_recurrence("FREQ=OFTEN", first, Duration::days(2), zone, year(2026)).is_err()
        );
    }

    #[test]
    fn imports_a_calendar() {
        let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n\
            DTSTART;VALUE=DATE:20261220\r\nDTEND;VALUE=DATE:20270104\r\nSUMMARY:Christmas\r\n\
            END:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Paris:20260105T180000\r\n\
            DURATION:PT12H\r\nRRULE:FREQ=MONTHLY;COUNT=3\r\n\
            EXDATE;TZID=Europe/Paris:20260205T180000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let all = import_calendar(text, Zone::UTC, year(2026)).unwrap();
        assert_eq!(
            show(&all),
            ["01-05 17:00 01-06 05:00", "03-05 17:00 03-06 05:00", "12-20 00:00 01-04 00:00"]
        );
        let broken = text.replace("DTSTART;TZID=Europe/Paris", "DTSTART;TZID=Mars/Olympus");
        let error = import_calendar(&broken, Zone::UTC, year(2026)).unwrap_err();
        assert_eq!(error.to_string(), "event 2: `DTSTART` is missing or invalid");
    }
}
