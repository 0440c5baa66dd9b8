//! Writes ids and names for shell commands that a person types.

use refgate_core::Oid;

/// The first twelve digits of an id, which are unique in practice.
pub(crate) fn short_id(id: Oid) -> String {
    id.to_string().chars().take(10).collect()
}

/// A word as the shell takes it: plain words unchanged, others in single quotes.
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
    fn quotes_everything_that_the_shell_would_interpret() {
        assert_eq!(quoted("feature/x-1"), "feature/x-1");
        assert_eq!(quoted("a$(rm -rf)"), "'a$(rm -rf)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
