//! How do ids and names stand in a command that a person types?

use refgate_core::Oid;

/// An id as people type one: long enough to be the only one.
pub(crate) fn brief(id: Oid) -> String {
    id.to_string().chars().take(12).collect()
}

/// A word that the shell takes as it is; others in single quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@+:%".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_cannot_be_talked_into_anything() {
        assert_eq!(quoted("feature/x-1"), "feature/x-1");
        assert_eq!(quoted("a$(rm -rf)"), "'a$(rm -rf)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
