//! When is something in force? Half-open intervals on one clock, in UTC.

use chrono::{DateTime, TimeDelta, Utc};

/// A moment, in UTC, to the second. It comes from the server's clock only.
pub type Instant = DateTime<Utc>;

/// A length of time. A day is 24 hours: a freeze of 30 days ends at the same
/// UTC time of day at which it began, whatever a local zone's clocks did.
pub type Duration = TimeDelta;

/// `[start, end)`: the start belongs to it, the end does not (docs/design/model.md, "Time").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// The first moment inside.
    pub start: Instant,
    /// The first moment after it.
    pub end: Instant,
}

impl Interval {
    /// The interval, or `None` if it would be empty or run backwards.
    #[must_use]
    pub fn new(start: Instant, end: Instant) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// Whether `at` lies inside.
    #[must_use]
    pub fn contains(&self, at: Instant) -> bool {
        self.start <= at && at < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_outside() {
        let start = Instant::UNIX_EPOCH;
        let end = start + Duration::seconds(10);
        let interval = Interval::new(start, end).unwrap();
        assert!(interval.contains(start) && !interval.contains(end));
        assert_eq!(Interval::new(start, start), None);
    }
}
