//! Why has a change its class? One clause.

use refgate_core::{Because, Classes, Source};

use crate::clean::{clean, shorten};

/// The clause that follows "feature, ": by which sign, or for want of one.
#[must_use]
pub fn because(classes: &Classes, because: &Because) -> String {
    match because {
        Because::Declared { by, text, pattern, guess } => declared(*by, text, pattern, *guess),
        Because::Raised { from, because: why, change } => {
            let (from, why) = (classes.name(*from), self::because(classes, why));
            format!("{from} {why}, but its diff holds more: {}", shorten(&change.path, 60))
        }
        Because::Unknown { by, text } => {
            let text = shorten(text, 40);
            match by {
                Source::Option => format!("since the push option `class={text}` names no class"),
                _ => format!("since its trailer names no class: `{text}`"),
            }
        }
        Because::Side { commit, subject, because: why } => {
            let subject = shorten(subject, 50);
            let id = commit.short();
            if matches!(**why, Because::Nothing) {
                return format!("since its commit {id} \"{subject}\" declares nothing");
            }
            format!("from its commit {id} \"{subject}\", {}", self::because(classes, why))
        }
        Because::Paths => "since only such files changed".to_string(),
        Because::AncestryOnly => "a merge that changes no content".to_string(),
        Because::Nothing => "since nothing in it declares a class".to_string(),
    }
}

fn declared(by: Source, text: &str, pattern: &str, guess: bool) -> String {
    let (shown, pattern) = (shorten(text, 60), clean(pattern));
    match by {
        Source::Trailer => format!("by its trailer `{shown}`"),
        Source::Option => format!("by the push option `class={shown}`"),
        Source::Author => format!("by its author \"{shown}\""),
        Source::Branch if guess => {
            format!("by the words \"{pattern}\" of its branch `{shown}`")
        }
        Source::Branch => format!("by its branch `{shown}` (it begins with \"{pattern}\")"),
        Source::Conventional => format!("by its type `{pattern}:`"),
        Source::Subject => format!("by the words \"{pattern}\" of its subject"),
    }
}
