//! Renders a Markdown page of the manual as plain text for a terminal.

use crate::layout::wrap;

/// The one-line title of a page.
#[must_use]
pub fn page_title(markdown: &str) -> &str {
    markdown.lines().next().unwrap_or("").trim_start_matches('#').trim()
}

/// A page as plain text.
#[must_use]
pub fn page(markdown: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut paragraph = String::new();
    let mut code = false;
    let flush = |paragraph: &mut String, out: &mut Vec<String>| {
        if !paragraph.is_empty() {
            let bullet = paragraph.starts_with("- ");
            out.push(wrap("", if bullet { "  " } else { "" }, paragraph));
            paragraph.clear();
        }
    };
    for line in markdown.lines() {
        if line.starts_with("```") {
            flush(&mut paragraph, &mut out);
            code = !code;
        } else if code {
            out.push(format!("    {line}"));
        } else if let Some(heading) = line.strip_prefix('#') {
            flush(&mut paragraph, &mut out);
            out.push(heading.trim_start_matches('#').trim().to_uppercase());
        } else if line.trim().is_empty() {
            flush(&mut paragraph, &mut out);
            out.push(String::new());
        } else {
            if line.starts_with("- ") {
                flush(&mut paragraph, &mut out);
            }
            paragraph.push_str(if paragraph.is_empty() { "" } else { " " });
            paragraph.push_str(line.trim());
        }
    }
    flush(&mut paragraph, &mut out);
    out.join("\n")
}
