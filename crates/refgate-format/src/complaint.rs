//! Collects complaints about a text: what is wrong, where, and a hint.

use std::fmt;

/// A position in a text. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextPosition {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One complaint about a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// Its position.
    pub place: TextPosition,
    /// The number of characters on that line that it concerns; at least 1.
    pub width: usize,
    /// The line.
    pub excerpt: String,
    /// What is wrong.
    pub what: String,
    /// A similar name, or the expected value.
    pub hint: Option<String>,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.place.line, self.place.column, self.what)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Collects complaints about one text.
#[derive(Debug)]
pub(crate) struct Complaints<'a> {
    text: &'a str,
    all: Vec<Complaint>,
}

impl<'a> Complaints<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, all: Vec::new() }
    }

    pub(crate) fn add(&mut self, span: std::ops::Range<usize>, what: impl Into<String>) {
        self.push(span, what.into(), None);
    }

    pub(crate) fn hint(
        &mut self,
        span: std::ops::Range<usize>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(span, what.into(), Some(hint.into()));
    }

    fn push(&mut self, span: std::ops::Range<usize>, what: String, hint: Option<String>) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.text.get(line_start..).unwrap_or("");
        let excerpt = rest.lines().next().unwrap_or("").to_string();
        let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
        let on_line = span.end.min(line_start + excerpt.len());
        let width = self.text.get(span.start..on_line).map_or(1, |part| part.chars().count());
        let line = before.matches('\n').count() + 1;
        let place = TextPosition { line, column };
        self.all.push(Complaint { place, width: width.max(1), excerpt, what, hint });
    }

    pub(crate) const fn none(&self) -> bool {
        self.all.is_empty()
    }

    /// All complaints, in the order of the text.
    pub(crate) fn finish(mut self) -> Vec<Complaint> {
        self.all.sort();
        self.all.dedup();
        self.all
    }
}

/// The most similar name, if one is similar enough to be a probable correction.
pub(crate) fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let first = |name: &str| name.chars().zip(word.chars()).take_while(|(a, b)| a == b).count();
    let scored = names.into_iter().map(|name| {
        // Among equals, prefer the name with the longest common prefix, then the longest name.
        let tie = std::cmp::Reverse((first(name), name.len()));
        (strsim::osa_distance(word, name), tie, name)
    });
    let (distance, _, name) = scored.min()?;
    (distance <= 1 + word.chars().count() / 3).then_some(name)
}
