//! Reads TOML tables and reports every complaint, including unknown keys.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::complaint::{Complaints, nearest};

/// A text with its position.
#[derive(Debug, Clone)]
pub(crate) struct SpannedText {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// A table and the keys that were read from it. At the end, every other key is unknown and
/// gets a complaint.
#[derive(Debug)]
pub(crate) struct Section<'t> {
    path: String,
    span: Range<usize>,
    table: &'t DeTable<'t>,
    known: Vec<&'static str>,
}

impl<'t> Section<'t> {
    pub(crate) fn new(path: &str, span: Range<usize>, table: &'t DeTable<'t>) -> Self {
        Self { path: path.to_string(), span, table, known: Vec::new() }
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// All entries, for tables whose keys the policy chooses.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (SpannedText, &'t Spanned<DeValue<'t>>)> {
        self.table.iter().map(|(key, value)| {
            (SpannedText { text: key.get_ref().to_string(), span: key.span() }, value)
        })
    }

    pub(crate) fn text(
        &mut self,
        c: &mut Complaints<'_>,
        key: &'static str,
    ) -> Option<SpannedText> {
        let value = self.value(key)?;
        text_of(c, value)
    }

    pub(crate) fn required(
        &mut self,
        c: &mut Complaints<'_>,
        key: &'static str,
    ) -> Option<SpannedText> {
        if self.value(key).is_none() {
            c.add(self.span(), format!("`{}` needs `{key}`", self.path));
        }
        self.text(c, key)
    }

    pub(crate) fn flag(&mut self, c: &mut Complaints<'_>, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            wrong_type(c, value, "`true` or `false`");
        }
        flag
    }

    pub(crate) fn number(&mut self, c: &mut Complaints<'_>, key: &'static str) -> Option<u64> {
        let value = self.value(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| u64::from_str_radix(&n.as_str().replace('_', ""), n.radix()).ok());
        if number.is_none() {
            wrong_type(c, value, "a whole number, 0 or more");
        }
        number
    }

    pub(crate) fn list(&mut self, c: &mut Complaints<'_>, key: &'static str) -> Vec<SpannedText> {
        self.value(key).map_or_else(Vec::new, |value| list_of(c, value))
    }

    pub(crate) fn table(&mut self, c: &mut Complaints<'_>, key: &'static str) -> Option<Self> {
        let value = self.value(key)?;
        let path = format!("{}{key}", self.prefix());
        table_of(c, &path, value)
    }

    /// Reads `[[key]]`, an array of tables.
    pub(crate) fn tables(&mut self, c: &mut Complaints<'_>, key: &'static str) -> Vec<Self> {
        let path = format!("{}{key}", self.prefix());
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            wrong_type(c, value, &format!("one or more `[[{path}]]` sections"));
            return Vec::new();
        };
        array.iter().filter_map(|item| table_of(c, &path, item)).collect()
    }

    fn prefix(&self) -> String {
        if self.path == "policy file" { String::new() } else { format!("{}.", self.path) }
    }

    /// Adds a complaint for every key that was not read.
    pub(crate) fn finish(self, c: &mut Complaints<'_>) {
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if self.known.contains(&name) {
                continue;
            }
            let what = format!("unknown key `{name}` in `{}`", self.path);
            match nearest(name, self.known.iter().copied()) {
                Some(near) => c.hint(key.span(), what, format!("did you mean `{near}`?")),
                None => {
                    let mut known = self.known.clone();
                    known.sort_unstable();
                    known.dedup();
                    c.hint(key.span(), what, format!("known keys: {}", known.join(", ")));
                }
            }
        }
    }
}

pub(crate) fn text_of(c: &mut Complaints<'_>, value: &Spanned<DeValue<'_>>) -> Option<SpannedText> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        wrong_type(c, value, "a string in quotes");
    }
    Some(SpannedText { text: text?.to_string(), span: value.span() })
}

pub(crate) fn list_of(c: &mut Complaints<'_>, value: &Spanned<DeValue<'_>>) -> Vec<SpannedText> {
    let Some(array) = value.get_ref().as_array() else {
        wrong_type(c, value, "a list of strings");
        return Vec::new();
    };
    array.iter().filter_map(|item| text_of(c, item)).collect()
}

pub(crate) fn table_of<'t>(
    c: &mut Complaints<'_>,
    path: &str,
    value: &'t Spanned<DeValue<'t>>,
) -> Option<Section<'t>> {
    let Some(table) = value.get_ref().as_table() else {
        wrong_type(c, value, &format!("a table `[{path}]`"));
        return None;
    };
    Some(Section::new(path, value.span(), table))
}

pub(crate) fn wrong_type(c: &mut Complaints<'_>, value: &Spanned<DeValue<'_>>, expected: &str) {
    let found = value.get_ref().type_str();
    c.hint(value.span(), format!("the value is of type {found}"), format!("expected {expected}"));
}
