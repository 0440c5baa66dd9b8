//! Why has a change its class? One clause.

use refgate_core::{Because, Source};

use crate::clean::{clean, shorten};

/// The clause that follows "feature, ": by which sign, or for want of one.
#[must_use]
pub fn because(because: &Because) -> String {
    match because {
        Because::Declared { by, text, pattern } => declared(*by, text, pattern),
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
            format!("from its commit {id} \"{subject}\", {}", self::because(why))
        }
        Because::Paths => "since only such files changed".to_string(),
        Because::AncestryOnly => "a merge that changes no content".to_string(),
        Because::Nothing => "since nothing in it declares a class".to_string(),
    }
}

fn declared(by: Source, text: &str, pattern: &str) -> String {
    let (shown, pattern) = (shorten(text, 60), clean(pattern));
    match by {
        Source::Trailer => format!("by its trailer `{shown}`"),
        Source::Option => format!("by the push option `class={shown}`"),
        Source::Author => format!("by its author \"{shown}\""),
        Source::Branch => format!("by its branch `{shown}` (it begins with \"{pattern}\")"),
        Source::Conventional => format!("by its type `{pattern}:`"),
        Source::Subject => format!("by the words \"{pattern}\" of its subject"),
    }
}
