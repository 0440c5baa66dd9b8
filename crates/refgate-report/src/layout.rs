//! How do words fit beside Git's `remote: ` prefix? Lines of at most 72 columns.

/// The width of a line: 80 columns less Git's prefix.
pub const WIDTH: usize = 72;

/// Wraps a text into lines that begin with `first` and then `rest`; a word
/// that is too long keeps a line of its own and is never cut.
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

/// A label and its text, in two columns under `indent`.
pub(crate) fn labelled(indent: usize, label: &str, text: &str) -> String {
    let column = indent + 10;
    let first = format!("{:indent$}{label:<9} ", "");
    wrap(&first, &" ".repeat(column), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_too_long() {
        let text = "word ".repeat(60);
        for line in wrap("  - ", "    ", &text).lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        assert_eq!(labelled(2, "why", "a b"), "  why       a b");
    }
}
