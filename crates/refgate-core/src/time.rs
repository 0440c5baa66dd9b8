//! Defines moments, durations and half-open intervals, in UTC.

use chrono::{DateTime, TimeDelta, Utc};

/// A moment in UTC, to the second. It comes only from the clock of the server.
pub type Instant = DateTime<Utc>;

/// A duration. A day has 24 hours: a freeze of 30 days ends at the UTC time of day at which it
/// began, whatever the clocks of a local zone did.
pub type Duration = TimeDelta;

/// The interval `[start, end)`. The end does not belong to it (docs/design/model.md, "Time").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// The first moment of the interval.
    pub start: Instant,
    /// The first moment after the interval.
    pub end: Instant,
}

impl Interval {
    /// The interval; `None` if it would be empty or would end before it starts.
    #[must_use]
    pub fn new(start: Instant, end: Instant) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// Whether the interval contains `at`.
    #[must_use]
    pub fn contains(&self, at: Instant) -> bool {
        self.start <= at && at < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_excludes_its_end() {
        let start = Instant::UNIX_EPOCH;
        let end = start + Duration::seconds(10);
        let interval = Interval::new(start, end).unwrap();
        assert!(interval.contains(start) && !interval.contains(end));
        assert_eq!(Interval::new(start, start), None);
    }
}
