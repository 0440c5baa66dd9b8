//! Counts and durations in words, singular and plural.

use refgate_core::Duration;

/// `1 commit`, `2 commits`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `2 days`, `36 hours`, `10 minutes`: the largest unit that divides the duration.
#[must_use]
pub fn length(length: Duration) -> String {
    let minutes = length.num_minutes();
    let (number, unit) = match minutes {
        m if m % 1_440 == 0 => (m / 1_440, "day"),
        m if m % 60 == 0 => (m / 60, "hour"),
        m => (m, "minute"),
    };
    count(usize::try_from(number).unwrap_or(0), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_singular_and_plural() {
        assert_eq!(count(1, "commit"), "1 commit");
        assert_eq!(count(0, "commit"), "0 commits");
        assert_eq!(length(Duration::minutes(60)), "1 hour");
        assert_eq!(length(Duration::minutes(90)), "90 minutes");
        assert_eq!(length(Duration::days(2)), "2 days");
    }
}
