//! Expands recurrence rules and imported calendars into intervals.

use chrono::{NaiveDateTime, TimeZone};
use refgate_core::{Duration, Interval};
use rrule::{RRule, RRuleSet, Unvalidated};

use crate::Zone;

/// What all calendars and rules of one policy may cost together. A cap on each of them would
/// not bound a policy with many.
#[derive(Debug, Clone, Copy)]
pub struct CalendarBudget {
    /// The number of windows within the horizon that are left.
    windows: usize,
    /// The number of recurrences that may still be computed. It limits how old a rule may be.
    steps: usize,
}

impl Default for CalendarBudget {
    fn default() -> Self {
        Self { windows: 5_000, steps: 100_000 }
    }
}

impl CalendarBudget {
    /// Takes one recurrence from the budget, and a window if it is within the horizon.
    pub(crate) fn spend(&mut self, window: bool) -> Result<(), CalendarError> {
        let steps = self.steps.checked_sub(1).ok_or(CalendarError::TooManySteps)?;
        let windows = self.windows.checked_sub(usize::from(window));
        let windows = windows.ok_or(CalendarError::TooMany)?;
        *self = Self { windows, steps };
        Ok(())
    }
}

/// Why a calendar is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The recurrence rule does not follow RFC 5545.
    #[error("`{0}` is not a valid recurrence rule (RFC 5545)")]
    Rule(String),
    /// The calendars of the policy have too many windows.
    #[error("the calendars of the policy have more than 5,000 windows together")]
    TooMany,
    /// The rules of the policy have too many recurrences.
    #[error("the rules of the policy have more than 100,000 recurrences together")]
    TooManySteps,
    /// The file is too large.
    #[error("the calendar has more than {0}")]
    TooLarge(&'static str),
    /// The file is not an iCalendar file.
    #[error("cannot parse the iCalendar file: {0}")]
    Unreadable(String),
    /// An event is invalid.
    #[error("event {event}: {what}")]
    Event {
        /// The number of the event, from 1, with its summary.
        event: String,
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
    (zone, horizon): (Zone, Interval),
    budget: &mut CalendarBudget,
) -> Result<Vec<Interval>, CalendarError> {
    let bad = || CalendarError::Rule(rule.to_string());
    let parsed: RRule<Unvalidated> = local_until(rule, zone).parse().map_err(|_| bad())?;
    // The rule is computed in local time. The zone is applied afterwards, so that gaps and
    // overlaps of the clocks are handled as everywhere in refgate.
    let start = rrule::Tz::UTC.from_utc_datetime(&first);
    let validated = parsed.validate(start).map_err(|_| bad())?;
    if validated.get_interval() == 0 {
        return Err(bad());
    }
    let (from, until) = (zone.local(horizon.start) - length, zone.local(horizon.end));
    // The limit ends a search for a recurrence that never comes, such as 30 February.
    let set = RRuleSet::new(start).rrule(validated).limit();
    let mut all = Vec::new();
    for local in &set {
        let local = local.naive_utc();
        if local >= until {
            break;
        }
        budget.spend(local >= from)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_local;

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
        let mut budget = CalendarBudget::default();
        let rule = "FREQ=WEEKLY;BYDAY=FR;UNTIL=20260403T220000Z";
        let all =
            expand_recurrence(rule, first, Duration::days(2), (zone, year(2026)), &mut budget)
                .unwrap();
        assert_eq!(
            show(&all),
            ["03-20 17:00 03-22 17:00", "03-27 17:00 03-29 16:00", "04-03 16:00 04-05 16:00"]
        );
        let context = (zone, year(2026));
        assert!(
            expand_recurrence("FREQ=OFTEN", first, Duration::days(2), context, &mut budget)
                .is_err()
        );
    }
}
