//! Imports `.ics` calendars (RFC 5545) as intervals. What it does not read and could change a
//! window is an error, because a window that is silently missing would open a freeze.

use std::collections::HashSet;

use chrono::NaiveDateTime;
use icalendar::parser::{Component, read_calendar, unfold};
use refgate_core::{Duration, Instant, Interval};

use crate::{CalendarBudget, CalendarError, Zone, expand_recurrence, parse_local};

/// The largest calendar, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The maximum depth of nested components. The parser calls itself for each level.
const MAX_DEPTH: usize = 5;

/// The maximum number of events.
const MAX_EVENTS: usize = 5_000;

/// The events of an `.ics` file as intervals within `horizon`. Times without a zone of their
/// own are in `zone`. Cancelled events, and events that are marked as free time
/// (`TRANSP:TRANSPARENT`), open no window.
///
/// # Errors
/// If the file is not a calendar, an event cannot be read, or there is too much of something.
pub fn import_calendar(
    text: &str,
    zone: Zone,
    horizon: Interval,
    budget: &mut CalendarBudget,
) -> Result<Vec<Interval>, CalendarError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.len() > MAX_BYTES {
        return Err(CalendarError::TooLarge("1 MiB"));
    }
    let unfolded = unfold(text);
    check_nesting(&unfolded)?;
    let calendar = read_calendar(&unfolded).map_err(|error| {
        CalendarError::Unreadable(error.lines().next().unwrap_or("").to_string())
    })?;
    let events: Vec<&Component<'_>> =
        calendar.components.iter().filter(|component| component.name == "VEVENT").collect();
    if events.len() > MAX_EVENTS {
        return Err(CalendarError::TooLarge("5,000 events"));
    }
    let moved = moved_occurrences(&events, zone)?;
    let mut all = Vec::new();
    for (place, event) in events.iter().enumerate() {
        let event = Event { component: event, place, zone };
        all.extend(event.windows(horizon, &moved, budget)?);
    }
    all.sort();
    Ok(all)
}

/// Rejects components nested so deeply that the parser could exhaust the stack, and ends
/// without a beginning.
fn check_nesting(unfolded: &str) -> Result<(), CalendarError> {
    let mut depth = 0_usize;
    for line in unfolded.lines() {
        let upper = line.get(..6).unwrap_or(line).to_ascii_uppercase();
        if upper.starts_with("BEGIN:") {
            depth += 1;
        } else if upper.starts_with("END:") {
            depth = depth.saturating_sub(1);
        }
        if depth > MAX_DEPTH {
            return Err(CalendarError::TooLarge("5 levels of components"));
        }
    }
    Ok(())
}

/// An occurrence of a recurring event, by the event and its original start.
type Occurrence = (String, Instant);

/// The occurrences that an event with a `RECURRENCE-ID` replaces.
fn moved_occurrences(
    events: &[&Component<'_>],
    zone: Zone,
) -> Result<HashSet<Occurrence>, CalendarError> {
    let mut all = HashSet::new();
    for (place, component) in events.iter().enumerate() {
        let event = Event { component, place, zone };
        if event.text("RECURRENCE-ID").is_none() {
            continue;
        }
        let (start, own) = event.time("RECURRENCE-ID")?;
        let uid = event.text("UID").ok_or_else(|| event.error("`RECURRENCE-ID` needs `UID`"))?;
        all.insert((uid.to_string(), own.instant(start)));
    }
    Ok(all)
}

struct Event<'e> {
    component: &'e Component<'e>,
    place: usize,
    zone: Zone,
}

impl Event<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.component.find_prop(key).map(|property| property.val.as_str())
    }

    /// An error that names the event by its number, its summary and its start.
    fn error(&self, what: &str) -> CalendarError {
        let summary = self.text("SUMMARY").map(|text| format!(" \"{text}\"")).unwrap_or_default();
        let start = self.text("DTSTART").map(|text| format!(" of {text}")).unwrap_or_default();
        let event = format!("{}{summary}{start}", self.place + 1);
        CalendarError::Event { event, what: what.to_string() }
    }

    fn windows(
        &self,
        horizon: Interval,
        moved: &HashSet<Occurrence>,
        budget: &mut CalendarBudget,
    ) -> Result<Vec<Interval>, CalendarError> {
        let is = |key: &str, value: &str| {
            self.text(key).is_some_and(|text| text.eq_ignore_ascii_case(value))
        };
        if is("STATUS", "CANCELLED") || is("TRANSP", "TRANSPARENT") {
            return Ok(Vec::new());
        }
        for unsupported in ["RDATE", "EXRULE"] {
            if self.text(unsupported).is_some() {
                return Err(self.error(&format!("`{unsupported}` is not supported")));
            }
        }
        let (start, zone) = self.time("DTSTART")?;
        let length = self.length(start, zone)?;
        let Some(rule) = self.text("RRULE") else {
            let window = Interval::new(zone.instant(start), zone.instant(start + length));
            let window = window.ok_or_else(|| self.error("the event ends before it begins"))?;
            let near = window.end > horizon.start && window.start < horizon.end;
            budget.spend(near)?;
            return Ok(if near { vec![window] } else { Vec::new() });
        };
        let mut skipped = self.exceptions()?;
        if let Some(uid) = self.text("UID") {
            let own = moved.iter().filter(|(other, _)| other == uid);
            skipped.extend(own.map(|(_, start)| *start));
        }
        let context = (zone, horizon);
        let mut all = expand_recurrence(rule, start, length, context, budget)
            .map_err(|error| self.error(&error.to_string()))?;
        all.retain(|window| !skipped.contains(&window.start));
        Ok(all)
    }

    fn length(&self, start: NaiveDateTime, zone: Zone) -> Result<Duration, CalendarError> {
        if self.text("DTEND").is_some() {
            let (end, end_zone) = self.time("DTEND")?;
            return Ok(zone.local(end_zone.instant(end)) - start);
        }
        if let Some(text) = self.text("DURATION") {
            let invalid = || self.error(&format!("`DURATION:{text}` is not a valid duration"));
            return parse_iso_duration(text).ok_or_else(invalid);
        }
        // RFC 5545: a date without an end is one day, a time without an end has no length.
        match self.text("DTSTART").is_some_and(|text| text.len() == 8) {
            true => Ok(Duration::days(1)),
            false => Err(self.error("the event has neither `DTEND` nor `DURATION`")),
        }
    }

    fn exceptions(&self) -> Result<HashSet<Instant>, CalendarError> {
        let mut all = HashSet::new();
        let properties = self.component.properties.iter();
        for property in properties.filter(|property| property.name == "EXDATE") {
            let zone = self.zone_of(property)?;
            for value in property.val.as_str().split(',') {
                let (local, own) = parse_time(value, zone)
                    .ok_or_else(|| self.error(&format!("`EXDATE` `{value}` is not a time")))?;
                all.insert(own.instant(local));
            }
        }
        Ok(all)
    }

    fn zone_of(&self, property: &icalendar::parser::Property<'_>) -> Result<Zone, CalendarError> {
        let named = property.params.iter().find(|param| param.key == "TZID");
        let Some(name) = named.and_then(|param| param.val.as_ref()) else { return Ok(self.zone) };
        let name = name.as_str().trim_matches('"');
        Zone::parse(name).ok_or_else(|| self.error(&format!("`{name}` is not an IANA time zone")))
    }

    fn time(&self, key: &str) -> Result<(NaiveDateTime, Zone), CalendarError> {
        let property = self.component.find_prop(key);
        let property = property.ok_or_else(|| self.error(&format!("`{key}` is missing")))?;
        let zone = self.zone_of(property)?;
        let text = property.val.as_str();
        parse_time(text, zone).ok_or_else(|| self.error(&format!("`{key}` `{text}` is not a time")))
    }
}

fn parse_time(value: &str, zone: Zone) -> Option<(NaiveDateTime, Zone)> {
    let form = "%Y%m%dT%H%M%S";
    if let Some(utc) = value.strip_suffix('Z') {
        return Some((NaiveDateTime::parse_from_str(utc, form).ok()?, Zone::UTC));
    }
    if let Ok(local) = NaiveDateTime::parse_from_str(value, form) {
        return Some((local, zone));
    }
    let digits = value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    let date = format!("{}-{}-{}", value.get(..4)?, value.get(4..6)?, value.get(6..)?);
    Some((parse_local(&date).filter(|_| digits)?, zone))
}

/// A duration of RFC 5545: weeks, or days, hours, minutes and seconds. Years, months and
/// fractions do not exist there, and nothing may be left over.
fn parse_iso_duration(text: &str) -> Option<Duration> {
    let (rest, parsed) = iso8601::parsers::parse_duration(text.as_bytes()).ok()?;
    let seconds = match parsed {
        iso8601::Duration::Weeks(weeks) => i64::from(weeks).checked_mul(604_800)?,
        iso8601::Duration::YMDHMS {
            year: 0,
            month: 0,
            day,
            hour,
            minute,
            second,
            millisecond: 0,
        } => {
            let parts = [(day, 86_400), (hour, 3_600), (minute, 60), (second, 1)];
            parts.iter().try_fold(0_i64, |sum, (number, unit)| {
                sum.checked_add(i64::from(*number).checked_mul(*unit)?)
            })?
        }
        iso8601::Duration::YMDHMS { .. } => return None,
    };
    let whole = rest.is_empty() && !text.ends_with('T');
    (whole && seconds > 0).then(|| Duration::try_seconds(seconds)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn year(year: i32) -> Interval {
        let at = |y: i32| parse_local(&format!("{y}-01-01")).unwrap().and_utc();
        Interval::new(at(year), at(year + 1)).unwrap()
    }

    fn import(text: &str) -> Result<Vec<String>, String> {
        let mut budget = CalendarBudget::default();
        let form = "%m-%d %H:%M";
        let all = import_calendar(text, Zone::UTC, year(2026), &mut budget);
        let all = all.map_err(|error| error.to_string())?;
        Ok(all.iter().map(|w| format!("{} {}", w.start.format(form), w.end.format(form))).collect())
    }

    fn event(lines: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    #[test]
    fn imports_a_calendar() {
        let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n\
            DTSTART;VALUE=DATE:20261220\r\nDTEND;VALUE=DATE:20270104\r\nSUMMARY:Christmas\r\n\
            END:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Paris:20260105T180000\r\n\
            DURATION:PT12H\r\nRRULE:FREQ=MONTHLY;COUNT=3\r\n\
            EXDATE;TZID=Europe/Paris:20260205T180000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let all = import(text).unwrap();
        assert_eq!(
            all,
            ["01-05 17:00 01-06 05:00", "03-05 17:00 03-06 05:00", "12-20 00:00 01-04 00:00"]
        );
        assert_eq!(import(&format!("\u{feff}{text}")).unwrap(), all);
        let broken = text.replace("DTSTART;TZID=Europe/Paris", "DTSTART;TZID=Mars/Olympus");
        let error = import(&broken).unwrap_err();
        assert_eq!(error, "event 2 of 20260105T180000: `Mars/Olympus` is not an IANA time zone");
    }

    #[test]
    fn reads_durations_as_rfc_5545_defines_them() {
        let hours = |text: &str| parse_iso_duration(text).map(|length| length.num_minutes());
        for (text, minutes) in
            [("P1D", 1_440), ("PT1M", 1), ("P1W", 10_080), ("P1DT2H", 1_560), ("PT1H30M", 90)]
        {
            assert_eq!(hours(text), Some(minutes), "{text}");
        }
        // A month is not a minute, and nothing is shortened.
        for text in ["P1M", "P1Y", "P1D2H", "PT", "P", "P1.5D", "PT1H ", "-PT1H", "PT0S", "P1DT"] {
            assert_eq!(hours(text), None, "{text}");
        }
        let error = import(&event("DTSTART:20260105T180000\r\nDURATION:P1M\r\nSUMMARY:x\r\n"));
        assert_eq!(
            error.unwrap_err(),
            "event 1 \"x\" of 20260105T180000: `DURATION:P1M` is not a valid duration"
        );
    }

    #[test]
    fn an_event_without_an_end_is_a_day_or_an_error() {
        assert_eq!(import(&event("DTSTART:20260105\r\n")).unwrap(), ["01-05 00:00 01-06 00:00"]);
        assert!(import(&event("DTSTART:20260105T180000\r\n")).unwrap_err().contains("neither"));
    }

    #[test]
    fn cancelled_and_free_events_open_no_window() {
        for line in ["STATUS:CANCELLED", "TRANSP:TRANSPARENT"] {
            assert!(import(&event(&format!("DTSTART:20260105\r\n{line}\r\n"))).unwrap().is_empty());
        }
    }

    #[test]
    fn a_moved_occurrence_replaces_its_original() {
        let series =
            "UID:a\r\nDTSTART:20260105T100000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=2\r\n";
        let moved = "BEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID:20260106T100000Z\r\n\
            DTSTART:20260107T100000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR";
        let text = event(series).replace("END:VCALENDAR", moved);
        assert_eq!(import(&text).unwrap(), ["01-05 10:00 01-05 11:00", "01-07 10:00 01-07 11:00"]);
    }

    #[test]
    fn caps_hold_at_the_cap_and_one_above_it() {
        let nested = |levels: usize| {
            format!("{}{}", "BEGIN:X\r\n".repeat(levels), "END:X\r\n".repeat(levels))
        };
        let inside = |levels| event(&format!("DTSTART:20260105\r\n{}", nested(levels)));
        assert!(!import(&inside(MAX_DEPTH - 2)).is_err_and(|error| error.contains("levels")));
        assert!(import(&inside(MAX_DEPTH - 1)).unwrap_err().contains("levels"));
        assert!(import(&inside(200_000)).unwrap_err().contains("1 MiB"));
        assert!(import(&inside(30_000)).unwrap_err().contains("levels"));
        let daily = |number: usize| {
            event("").replace(
                "BEGIN:VEVENT\r\nEND:VEVENT\r\n",
                &"BEGIN:VEVENT\r\nDTSTART:20260101\r\nRRULE:FREQ=DAILY;COUNT=100\r\nEND:VEVENT\r\n"
                    .repeat(number),
            )
        };
        assert_eq!(import(&daily(50)).unwrap().len(), 5_000);
        assert!(import(&daily(51)).unwrap_err().contains("5,000 windows"));
    }

    #[test]
    fn rules_that_never_match_end() {
        for rule in
            ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=0", "FREQ=SECONDLY"]
        {
            let start = std::time::Instant::now();
            let text = event(&format!("DTSTART:20200105\r\nRRULE:{rule}\r\n"));
            assert!(import(&text).is_err() || import(&text).unwrap().is_empty(), "{rule}");
            assert!(start.elapsed().as_secs() < 10, "{rule}");
        }
    }
}
