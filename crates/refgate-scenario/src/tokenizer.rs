//! Splits a line of a scenario into words and quoted texts.

/// Splits a line into words and texts in double quotes. A text keeps its opening
/// quote as a mark. Commas between words have no meaning.
pub(crate) fn tokens(line: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if rest.is_empty() {
            return Ok(all);
        }
        if let Some(inner) = rest.strip_prefix('"') {
            let (text, after) = inner.split_once('"').ok_or("a text has no closing quote")?;
            all.push(format!("\"{}", unescape(text)));
            rest = after;
        } else {
            let end = rest.find([' ', ',']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            all.push(word.to_string());
            rest = after;
        }
    }
}

/// Replaces `\n`, `\e` (escape) and `\u{202e}`. Scenarios of attacks need them.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some((hex, tail)) = after.strip_prefix("u{").and_then(|hex| hex.split_once('}')) {
            out.extend(u32::from_str_radix(hex, 16).ok().and_then(char::from_u32));
            rest = tail;
            continue;
        }
        match after.chars().next() {
            Some('n') => out.push('\n'),
            Some('e') => out.push('\u{1b}'),
            Some(other) => out.push(other),
            None => {}
        }
        rest = after.get(after.chars().next().map_or(0, char::len_utf8)..).unwrap_or("");
    }
    out.push_str(rest);
    out
}
