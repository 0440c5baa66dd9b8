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
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(shorten("héllo", 5), "héllo");
    }
}
