//! Renders documents as Markdown and HTML. Text from commits and records is always escaped.

use crate::clean;

/// A document of parts, each with a table or a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The title.
    pub title: String,
    /// The parts.
    pub parts: Vec<Part>,
}

/// A part of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The heading.
    pub heading: String,
    /// The text before the table.
    pub lead: String,
    /// The column names. Without columns there is no table.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// Commands, one for each line.
    pub commands: Vec<String>,
}

impl Document {
    /// Renders the document as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n", escaped(&self.title));
        for part in &self.parts {
            out += &format!("\n## {}\n", escaped(&part.heading));
            if !part.lead.is_empty() {
                out += &format!("\n{}\n", escaped(&part.lead));
            }
            if !part.columns.is_empty() {
                let row = |cells: &[String]| {
                    let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
                    format!("| {} |\n", cells.join(" | "))
                };
                out += &format!("\n{}|{}\n", row(&part.columns), "---|".repeat(part.columns.len()));
                part.rows.iter().for_each(|cells| out += &row(cells));
            }
            if !part.commands.is_empty() {
                out += "\n";
                part.commands.iter().for_each(|line| out += &format!("    {}\n", clean(line)));
            }
        }
        out
    }

    /// Renders the document as one self-contained HTML page.
    #[must_use]
    pub fn html(&self) -> String {
        let mut body = format!("<h1>{}</h1>\n", text(&self.title));
        for part in &self.parts {
            body += &format!("<h2>{}</h2>\n", text(&part.heading));
            if !part.lead.is_empty() {
                body += &format!("<p>{}</p>\n", text(&part.lead));
            }
            if !part.columns.is_empty() {
                let cells = |kind: &str, cells: &[String]| {
                    let cells = cells.iter().map(|cell| format!("<{kind}>{}</{kind}>", text(cell)));
                    format!("<tr>{}</tr>\n", cells.collect::<String>())
                };
                let rows: String = part.rows.iter().map(|row| cells("td", row)).collect();
                let head = cells("th", &part.columns);
                body +=
                    &format!("<table>\n<thead>{head}</thead>\n<tbody>\n{rows}</tbody></table>\n");
            }
            if !part.commands.is_empty() {
                let lines: Vec<String> = part.commands.iter().map(|line| text(line)).collect();
                body += &format!("<pre>{}</pre>\n", lines.join("\n"));
            }
        }
        let title = text(&self.title);
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
             <style>body{{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
             table{{border-collapse:collapse}}td,th{{border:1px solid #999;padding:.2rem .5rem;\
             text-align:left;vertical-align:top}}pre{{overflow:auto}}</style></head>\n\
             <body><main>\n{body}</main></body></html>\n"
        )
    }
}

/// Escapes a text for Markdown.
fn escaped(words: &str) -> String {
    let mut out = String::new();
    for c in clean(words).chars() {
        if "\\`*_{}[]<>|~&".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    // At the start of a line these would begin a heading, a list or a quote.
    if out.starts_with(['#', '-', '+', '=', ':']) {
        out.insert(0, '\\');
    }
    out
}

/// Escapes a text for HTML.
fn text(words: &str) -> String {
    let words = clean(words);
    let pairs = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    pairs.iter().fold(words, |words, (c, entity)| words.replace(*c, entity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_markup_in_titles() {
        let hostile = "<script>alert('1')</script> | [x](javascript:x) `a` \u{202e}b\u{1b}[31m";
        let document = Document {
            title: hostile.to_string(),
            parts: vec![Part {
                heading: "# a".to_string(),
                columns: vec!["one".to_string()],
                rows: vec![vec![hostile.to_string()]],
                ..Part::default()
            }],
        };
        let (page, plain) = (document.html(), document.markdown());
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
        assert!(!plain.contains("<script") || plain.contains("\\<script"), "{plain}");
        for one in [&page, &plain] {
            assert!(!one.contains('\u{1b}') && !one.contains('\u{202e}'), "{one}");
        }
        assert!(plain.contains("\\| \\[x\\](javascript:x) \\`a\\`"), "{plain}");
        assert_eq!(plain.lines().filter(|line| line.starts_with('|')).count(), 3);
    }
}
