//! Writes times in UTC, to the minute, with the zone.

use refgate_core::Instant;

/// `2027-01-11 10:00 UTC`.
#[must_use]
pub fn show(at: Instant) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
