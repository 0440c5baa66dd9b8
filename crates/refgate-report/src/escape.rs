//! Makes text from outside safe to print: invisible characters are shown as escapes.

use refgate_core::is_invisible;

/// Escapes every control, zero-width and direction-changing character of one line (docs/design/threats.md, R17).
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// JSON in which every invisible character is written as an escape, so that a terminal shows
/// what a program reads. JSON itself escapes only the characters below U+0020.
#[must_use]
pub fn clean_json(value: &impl std::fmt::Display) -> String {
    let text = value.to_string();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) && c != '\n' {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| out += &format!("\\u{unit:04x}"));
        } else {
            out.push(c);
        }
    }
    out
}

/// Applies [`clean`] line by line.
#[must_use]
pub fn clean_block(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// Escapes a text and cuts it to at most `width` characters, with an ellipsis.
#[must_use]
pub fn shorten(text: &str, width: usize) -> String {
    let text = clean(text);
    if text.chars().count() <= width {
        return text;
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_invisible_characters() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\u{9b}d"), "a\\u{1b}[2Jb\\u{202e}c\\u{9b}d");
        let json = clean_json(&serde_json::json!({ "a": "\u{9b}\u{202e}\u{e0001}\u{1b}é" }));
        assert_eq!(json, r#"{"a":"\u009b\u202e\udb40\udc01\u001bé"}"#);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&json).unwrap()["a"],
            "\u{9b}\u{202e}\u{e0001}\u{1b}é"
        );
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(shorten("héllo", 5), "héllo");
    }
}
