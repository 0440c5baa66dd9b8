//! Matches subjects and branch names against patterns of words, not regular expressions.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::OnceCell;

use crate::glob::walk;

/// A pattern of words. It matches from the beginning of a text, without regard to case. Words
/// are runs of letters and digits. `*` stands for any run of words, and a `*` at the end is
/// implied: `fix` matches "Fix the thing" and `fix-the-thing`, not "fixture"; `* typo` matches
/// "Corrected a typo". A word with `~` at its end also matches its English forms: `fix~`
/// matches "Fixes" and "fixed".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordPattern {
    text: String,
    // A policy has hundreds of patterns, and most pushes use none of them.
    words: OnceCell<Vec<String>>,
}

impl WordPattern {
    /// The pattern; `None` if it contains no word.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let named = text.chars().any(char::is_alphanumeric);
        named.then(|| Self { text: text.to_string(), words: OnceCell::new() })
    }

    fn words(&self) -> &[String] {
        self.words.get_or_init(|| {
            let mut words = Vec::new();
            for part in self.text.split_whitespace() {
                if part == "*" {
                    words.push("*".to_string());
                } else {
                    let forms = part.ends_with('~');
                    words.extend(split(part).into_iter().map(|w| if forms { w + "~" } else { w }));
                }
            }
            words.push("*".to_string());
            words
        })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a text begins with this pattern. The words are those of [`split`].
    #[must_use]
    pub(crate) fn matches(&self, words: &[String]) -> bool {
        walk(self.words(), words, |word| word == "*", |pattern, word| is_form(pattern, word))
    }
}

/// Whether a word equals the word of a pattern or, with `~`, is one of its regular forms: add,
/// adds, added, adding; update, updating; apply, applied; drop, dropped.
fn is_form(pattern: &str, word: &str) -> bool {
    let Some(base) = pattern.strip_suffix('~') else { return pattern == word };
    let Some(ending) = word.strip_prefix(base) else {
        let short = base.strip_suffix(['e', 'y']).unwrap_or(base);
        let ending = word.strip_prefix(short);
        return short != base && matches!(ending, Some("ing" | "ied" | "ies"));
    };
    let doubled = base.chars().last().zip(ending.chars().next()).filter(|(a, b)| a == b);
    let ending = doubled.and_then(|(last, _)| ending.strip_prefix(last)).unwrap_or(ending);
    matches!(ending, "" | "s" | "es" | "ed" | "d" | "ing")
}

/// Splits a text into words in lower case. An apostrophe inside a word belongs to the word.
pub(crate) fn split(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .map(|word| word.trim_matches('\'').to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let words = WordPattern::new(pattern).unwrap();
        for text in yes {
            assert!(words.matches(&split(text)), "{pattern} should match {text}");
        }
        for text in no {
            assert!(!words.matches(&split(text)), "{pattern} should not match {text}");
        }
    }

    #[test]
    fn matches_whole_words_from_the_start() {
        check(
            "fix",
            &["Fix the thing", "fix-the-thing", "fix(api): x", "FIX"],
            &["fixture", "a fix"],
        );
        check("* typo", &["Corrected a typo", "typo"], &["typography"]);
        check("bump * to", &["Bump axios from 1 to 2"], &["Bump axios"]);
        check("don't", &["Don't panic"], &["dont"]);
        check("fix~", &["Fixes it", "fixed", "fixing-x", "fix"], &["fixture", "prefix"]);
        check("update~", &["Updates", "updated", "updating"], &["updater"]);
        check("drop~", &["dropped", "dropping", "drops"], &["droplet", "dro"]);
        check("apply~", &["applied", "applies", "applying"], &["applet"]);
        assert_eq!(WordPattern::new(" * "), None);
    }
}
