//! Does a subject or branch name say a thing in words? Word patterns, not regular expressions.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::glob::walk;

/// A pattern of words, matched from the beginning of a text without regard to
/// case; words are runs of letters and digits. `*` stands for any run of
/// words, and a trailing `*` is implied: `fix` matches "Fix the thing" and
/// `fix-the-thing`, not "fixture"; `* typo` matches "Corrected a typo".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    text: String,
    words: Vec<String>,
}

impl Words {
    /// The pattern; `None` if it names no word at all.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut words = Vec::new();
        for part in text.split_whitespace() {
            if part == "*" {
                words.push("*".to_string());
            } else {
                words.extend(split(part));
            }
        }
        if words.iter().all(|word| word == "*") {
            return None;
        }
        words.push("*".to_string());
        Some(Self { text: text.to_string(), words })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the words of a text, as [`split`] gives them, begin so.
    #[must_use]
    pub(crate) fn matches(&self, words: &[String]) -> bool {
        walk(&self.words, words, |word| word == "*", |pattern, word| pattern == word)
    }
}

/// The words of a text, in lower case. An apostrophe inside a word belongs to it.
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
        let words = Words::new(pattern).unwrap();
        for text in yes {
            assert!(words.matches(&split(text)), "{pattern} should match {text}");
        }
        for text in no {
            assert!(!words.matches(&split(text)), "{pattern} should not match {text}");
        }
    }

    #[test]
    fn words_match_whole_and_from_the_start() {
        check("fix", &["Fix the thing", "fix-the-thing", "fix(api): x", "FIX"], &["fixture", "a fix"]);
        check("* typo", &["Corrected a typo", "typo"], &["typography"]);
        check("bump * to", &["Bump axios from 1 to 2"], &["Bump axios"]);
        check("don't", &["Don't panic"], &["dont"]);
        assert_eq!(Words::new(" * "), None);
    }
}
