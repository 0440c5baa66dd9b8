//! Wraps text into lines of at most 72 columns, which fit beside Git's `remote: ` prefix.

/// The width of a line: 80 columns less Git's prefix.
pub const WIDTH: usize = 72;

/// Wraps a text. The first line begins with `first`, the others with `rest`. A word that
/// is too long gets its own line and is never cut.
#[must_use]
pub fn wrap(first: &str, rest: &str, text: &str) -> String {
    let mut lines = Vec::new();
    let mut line = first.to_string();
    let mut empty = true;
    for word in text.split_whitespace() {
        let used = line.chars().count();
        if !empty && used + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, rest.to_string()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines.join("\n")
}

/// A label and its text, in two columns after `indent` spaces.
pub(crate) fn labelled(indent: usize, label: &str, text: &str) -> String {
    let column = indent + 10;
    let first = format!("{:indent$}{label:<9} ", "");
    wrap(&first, &" ".repeat(column), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_the_width() {
        let text = "word ".repeat(60);
        for line in wrap("  - ", "    ", &text).lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        assert_eq!(labelled(2, "why", "a b"), "  why       a b");
    }
}
