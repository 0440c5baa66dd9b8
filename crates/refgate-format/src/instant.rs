//! Parses moments, durations and time zones, with defined results when the clocks change.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use refgate_core::{Duration, Instant};

/// An IANA time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone with an IANA name such as `Europe/Paris`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// The name of the zone.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The moment at which the clocks of the zone show `local`. A time that occurs twice means
    /// the first one. A time that is skipped is computed with the offset before the change, as
    /// in RFC 5545.
    #[must_use]
    pub fn instant(self, local: NaiveDateTime) -> Instant {
        if let Some(found) = self.0.from_local_datetime(&local).earliest() {
            return found.with_timezone(&Utc);
        }
        let before = local - Duration::days(1);
        let offset = self.0.offset_from_utc_datetime(&before).fix();
        (local - offset).and_utc()
    }

    /// The local time of the zone at a moment.
    #[must_use]
    pub fn local(self, at: Instant) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }

    /// A moment as text in this zone: `2027-01-11 10:00 CET`.
    #[must_use]
    pub fn show(self, at: Instant) -> String {
        at.with_timezone(&self.0).format("%Y-%m-%d %H:%M %Z").to_string()
    }
}

/// Parses a local time: `2026-12-24`, `2026-12-24 10:00` or `2026-12-24T10:00:30`.
#[must_use]
pub fn parse_local(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return date.and_hms_opt(0, 0, 0);
    }
    ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

/// Parses a moment in RFC 3339, or a local time with an optional zone name
/// (`2026-12-24 10:00 Europe/Paris`). Without a zone it is UTC.
#[must_use]
pub fn parse_instant(text: &str) -> Option<Instant> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    if let Some(local) = parse_local(text) {
        return Some(local.and_utc());
    }
    let (local, zone) = text.rsplit_once(' ')?;
    Some(Zone::parse(zone)?.instant(parse_local(local)?))
}

/// The longest duration that is accepted, in days (100 years).
const MOST_DAYS: u64 = 36_525;

/// Parses a duration such as `30 days`, `2 weeks`, `12 hours` or `45 minutes`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    let minutes = match unit.strip_suffix('s').unwrap_or(unit) {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        "week" => 7 * 24 * 60,
        _ => return None,
    };
    let total = number.checked_mul(minutes).filter(|all| *all <= MOST_DAYS * 24 * 60)?;
    i64::try_from(total).ok().map(Duration::minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_times_when_the_clocks_change() {
        let paris = Zone::parse("Europe/Paris").unwrap();
        let at = |text: &str| paris.instant(parse_local(text).unwrap()).to_rfc3339();
        // On 2026-03-29, 02:00 to 03:00 does not exist: the offset before the change counts.
        assert_eq!(at("2026-03-29 02:30"), "2026-03-29T01:30:00+00:00");
        // On 2026-10-25, 02:30 occurs twice: the first one counts.
        assert_eq!(at("2026-10-25 02:30"), "2026-10-25T00:30:00+00:00");
        assert_eq!(at("2026-12-24 10:00"), "2026-12-24T09:00:00+00:00");
        assert_eq!(
            parse_instant("2026-12-24 10:00 Europe/Paris"),
            parse_instant("2026-12-24T10:00:00+01:00")
        );
        assert_eq!(parse_instant("soon"), None);
    }

    #[test]
    fn parses_durations() {
        assert_eq!(parse_duration("30 days"), Some(Duration::days(30)));
        assert_eq!(parse_duration("1 week"), Some(Duration::days(7)));
        for bad in ["30", "days", "-1 days", "3 fortnights", "99999999999999 days"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
