//! Guesses the class of a change from the words of its title, if nothing was declared.

use alloc::string::String;
use alloc::vec::Vec;

use crate::gitmoji::gitmoji;
use crate::word_pattern::split;
use crate::{ClassId, Policy};

/// The class that the words of a title suggest, with the pattern and its index. In
/// `area: do this`, the words after the colon count too. The most specific pattern wins.
pub(crate) fn guess_class<'p>(
    policy: &'p Policy,
    title: &str,
) -> Option<(&'p str, ClassId, usize)> {
    if is_version(title) {
        return policy.classes.find("chore").map(|class| ("a version", class, 0));
    }
    if let Some((code, name)) = gitmoji(title)
        && let Some(class) = policy.classes.find(name)
    {
        return Some((code, class, 0));
    }
    // "Add a, fix b" contains two changes: the higher class counts.
    let rank = |found: &(&str, ClassId, usize)| policy.classes.rank(found.1);
    let parts =
        split_actions(policy, title).into_iter().filter_map(|part| guess_part_class(policy, part));
    let highest = parts.reduce(|a, b| if rank(&b) > rank(&a) { b } else { a });
    highest.or_else(|| guess_part_class(policy, title))
}

/// Splits a title into parts that each begin with an action: "Add a, fix b" has two parts,
/// "Update a and b" has one.
fn split_actions<'t>(policy: &Policy, title: &'t str) -> Vec<&'t str> {
    let between = [", ", "; ", " and ", " & ", " + ", " (", " plus "];
    let mut cuts: Vec<(usize, usize)> = between
        .iter()
        .flat_map(|sign| title.match_indices(sign).map(|(at, _)| (at, at + sign.len())))
        .collect();
    cuts.sort_unstable();
    let (mut parts, mut start) = (Vec::new(), 0);
    for (end, next) in cuts {
        let behind = title.get(next..).unwrap_or("");
        if guess_part_class(policy, behind).is_some_and(|(by, ..)| !by.starts_with('*')) {
            parts.extend(title.get(start..end));
            start = next;
        }
    }
    parts.extend(title.get(start..));
    parts
}

fn guess_part_class<'p>(policy: &'p Policy, title: &str) -> Option<(&'p str, ClassId, usize)> {
    let mut rest = strip_labels(title);
    let mut best = None;
    for _ in 0..3 {
        let found = match_subject_pattern(policy, &split(rest));
        let better = |(_, _, place): &(_, _, usize)| {
            best.as_ref().is_none_or(|(_, _, known): &(&str, ClassId, usize)| place < known)
        };
        best = found.filter(better).or(best);
        let Some((area, behind)) = rest.split_once(": ") else { break };
        if split(area).len() > 3 {
            break;
        }
        rest = strip_labels(behind);
    }
    best
}

/// Whether a title is only a version, for example `1.2.3` or `v2.0.0-rc.1`.
fn is_version(title: &str) -> bool {
    let text = title.trim().trim_start_matches(['v', 'V']);
    let digits = text.split(['-', '+']).next().unwrap_or("");
    digits.contains('.')
        && !text.contains(' ')
        && digits
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// The first pattern that matches, and its index. The patterns are sorted, the most specific
/// first.
pub(crate) fn match_subject_pattern<'p>(
    policy: &'p Policy,
    words: &[String],
) -> Option<(&'p str, ClassId, usize)> {
    let mut all = policy.declare.subjects.iter().enumerate();
    let (place, (pattern, class)) = all.find(|(_, (pattern, _))| pattern.matches(words))?;
    Some((pattern.as_str(), *class, place))
}

/// The first 500 characters of a text, because a hostile subject can be long.
pub(crate) fn truncate_subject(text: &str) -> &str {
    let end = text.char_indices().nth(500).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// A text without ticket numbers and labels at its beginning: `[ABC-12] `, `#12 `, `ABC-12: `,
/// `381-`.
pub(crate) fn strip_labels(text: &str) -> &str {
    let mut rest = text.trim();
    // A revert of a revert, or a reapplied change, is the original change again.
    while let Some(inner) =
        rest.strip_prefix("Revert \"Revert \"").or_else(|| rest.strip_prefix("Reapply \""))
    {
        rest = inner.trim_end_matches('"');
    }
    loop {
        let next = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '[' && c != '(');
        let next = match next.strip_prefix('[').map(|inner| inner.split_once(']')) {
            // `[fix] x` means `fix: x`. A ticket in brackets means nothing.
            Some(Some((label, _))) if !label.contains(|c: char| c.is_ascii_digit()) => {
                return next.get(1..).unwrap_or(next);
            }
            Some(Some((_, after))) => after,
            _ => next.strip_prefix(['[', '(']).unwrap_or(next),
        };
        let next = strip_ticket(next).unwrap_or(next);
        if next.len() == rest.len() {
            return rest;
        }
        rest = next;
    }
}

/// The text after a ticket number, if the text begins with one.
fn strip_ticket(text: &str) -> Option<&str> {
    // Ticket keys are in capitals: `fix-12` is a fix. `CVE-1` is not a ticket.
    let key = text.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let digits = match key.strip_prefix('-') {
        Some(digits) if key.len() < text.len() && !text.starts_with("CVE-") => digits,
        _ => text,
    };
    let after = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    let ends = after.is_empty() || after.starts_with(|c: char| !c.is_alphanumeric());
    (after.len() < digits.len() && ends).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::strip_labels;

    #[test]
    fn strips_tickets_and_labels() {
        for (text, rest) in [
            ("[ABC-12] Fix x", "Fix x"),
            ("#12 fix x", "fix x"),
            ("ABC-12: fix", "fix"),
            ("381-update-lims", "update-lims"),
            ("Fix: 561 - x", "Fix: 561 - x"),
            ("fix-1 thing", "fix-1 thing"),
            ("10x-adapter", "10x-adapter"),
            ("(api) add", "api) add"),
        ] {
            assert_eq!(strip_labels(text), rest, "{text}");
        }
    }
}
