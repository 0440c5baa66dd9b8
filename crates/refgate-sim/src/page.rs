//! Renders a view as a page of HTML and SVG. The page is complete without scripts.

use std::fmt::Write as _;

use crate::view::{Row, View};

/// Height of a row and width of a lane, in the units of the drawing.
const ROW: usize = 30;
const LANE: usize = 90;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:60rem;\
padding:0 1rem;color:#1b1b1b;background:#fff}h1{font-size:1.4rem}h2{font-size:1.1rem;\
margin-top:1.6rem}svg text{font:14px system-ui,sans-serif}button{font:inherit;padding:.3rem .8rem;\
margin-right:.5rem}form{display:inline}.strip{display:flex;flex-wrap:wrap;gap:2px;padding:0;\
list-style:none}.strip li{width:1.6rem;text-align:center;border:1px solid #444;font-size:.8rem}\
.no{background:#ffd9d4}.yes{background:#d4f2d9}code,pre{background:#f2f2f2}a{color:#0645ad}";

/// Colours of the lanes. The column of a lane also identifies it, without colour.
const COLOURS: [&str; 5] = ["#1f5fbf", "#9a5b00", "#17692f", "#7a2f8f", "#444444"];

/// Escapes text for HTML. Control characters become U+FFFD.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Renders the whole page. `base` is the path with the token. Without `acts`, the page
/// has no forms. The nonce permits the one script, which reloads the page after a change.
pub(crate) fn page(view: &View, base: &str, nonce: &str, acts: bool, hint: Option<&str>) -> String {
    let mut out = String::new();
    let title = escaped(&view.title);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style nonce=\"{nonce}\">{STYLE}\
         </style></head><body><main><h1>{title}</h1><p>It is <strong>{}</strong>.</p>",
        escaped(&view.clock)
    );
    if acts {
        goal(&mut out, view);
        controls(&mut out, base, hint);
    }
    section(&mut out, "Calendar", &view.calendar);
    verdict(&mut out, view);
    drawing(&mut out, view);
    let told: Vec<String> = view.rows.iter().map(|row| view.told(row)).collect();
    section(&mut out, "Commits as text, newest first", &told);
    let events: Vec<String> = view
        .events
        .iter()
        .map(|event| format!("{} {}: {}", event.at.get(..10).unwrap_or(""), event.kind, event.text))
        .collect();
    section(&mut out, "Events, newest first", &events);
    let _ = write!(
        out,
        "</main><script nonce=\"{nonce}\">new EventSource(\"{base}/events\").onmessage=\
         ()=>location.reload()</script></body></html>"
    );
    out
}

fn goal(out: &mut String, view: &View) {
    let _ = write!(out, "<h2>Task</h2>");
    for part in view.task.split("\n\n") {
        let _ = write!(out, "<p>{}</p>", escaped(part));
    }
    if view.missing.is_empty() {
        out.push_str("<p role=\"status\"><strong>The goal is reached.</strong></p>");
    } else {
        section(out, "Still missing", &view.missing);
    }
}

fn controls(out: &mut String, base: &str, hint: Option<&str>) {
    out.push_str("<h2>Actions</h2><div>");
    for (verb, label) in
        [("tick", "Advance one day"), ("undo", "Undo the last step"), ("hint", "Show a hint")]
    {
        let _ = write!(
            out,
            "<form method=\"post\" action=\"{base}/{verb}\"><button>{label}</button></form>"
        );
    }
    out.push_str("</div>");
    if let Some(hint) = hint {
        let _ = write!(out, "<p role=\"status\">{}</p>", escaped(hint));
    }
}

fn section(out: &mut String, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(out, "<h2>{heading}</h2><ul>");
    for line in lines {
        let _ = write!(out, "<li>{}</li>", escaped(line));
    }
    out.push_str("</ul>");
}

/// The last verdict, and the verdicts about the same push on the next days.
fn verdict(out: &mut String, view: &View) {
    let Some(last) = &view.verdict else { return };
    let _ = write!(out, "<h2>Last verdict</h2><p>{}</p>", escaped(last));
    if view.strip.is_empty() {
        return;
    }
    out.push_str("<p>The same push on the next days:</p><ol class=\"strip\">");
    for day in &view.strip {
        let (class, mark) = if day.accepted { ("yes", "✓") } else { ("no", "✗") };
        let date = escaped(&day.date);
        let rules = escaped(&day.rules.join(", "));
        let _ = write!(
            out,
            "<li class=\"{class}\" title=\"{date} {rules}\">{}<br>{mark}</li>",
            date.get(8..).unwrap_or("")
        );
    }
    out.push_str("</ol>");
    section(out, "When the verdict changes", &view.describe_strip());
}

fn drawing(out: &mut String, view: &View) {
    let (width, height) = (view.lanes.len() * LANE + 560, (view.rows.len() + 1) * ROW);
    let _ = write!(
        out,
        "<h2>Branches</h2><svg role=\"img\" aria-label=\"The commits of {}; the list below \
         contains them as text\" width=\"100%\" viewBox=\"0 0 {width} {height}\">",
        escaped(&view.lanes.join(", "))
    );
    let x = |lane: usize| lane * LANE + 40;
    let y = |place: usize| (place + 1) * ROW + 8;
    let colour = |lane: usize| COLOURS.get(lane % COLOURS.len()).copied().unwrap_or("#444444");
    for (lane, name) in view.lanes.iter().enumerate() {
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"16\" text-anchor=\"middle\" fill=\"{}\">{}</text>",
            x(lane),
            colour(lane),
            escaped(name)
        );
    }
    for (place, row) in view.rows.iter().enumerate() {
        for parent in &row.parents {
            let Some(to) = view.rows.get(*parent) else { continue };
            let _ = write!(
                out,
                "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" stroke-width=\"2\"/>",
                x(row.lane),
                y(place),
                x(to.lane),
                y(*parent),
                colour(row.lane)
            );
        }
    }
    for (place, row) in view.rows.iter().enumerate() {
        commit(out, row, (x(row.lane), y(place), colour(row.lane)), view.lanes.len() * LANE + 20);
    }
    out.push_str("</svg>");
}

fn commit(out: &mut String, row: &Row, (x, y, colour): (usize, usize, &str), text: usize) {
    let labels =
        if row.labels.is_empty() { String::new() } else { format!("[{}] ", row.labels.join(", ")) };
    let subject: String = format!("{labels}{}", row.subject).chars().take(70).collect();
    let _ = write!(
        out,
        "<circle cx=\"{x}\" cy=\"{y}\" r=\"6\" fill=\"{colour}\"/><text x=\"{text}\" y=\"{}\">{}</text>",
        y + 5,
        escaped(&subject)
    );
}
