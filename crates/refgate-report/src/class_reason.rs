//! Renders why a change has its class, as one clause.

use refgate_core::{Case, ClassReason, Classes, Classification, Contradiction, DeclarationSource};

use crate::escape::{clean, shorten};
use crate::phrases::verb;
use crate::units::count;

/// `feature, by its branch …`.
pub(crate) fn class_phrase(case: &Case<'_>, class: &Classification) -> String {
    let reason = render_class_reason(&case.policy.classes, &class.reason);
    format!("{}, {reason}", case.policy.classes.name(class.class))
}

/// The clause that follows `feature, `: which declaration gave the class, or that none did.
#[must_use]
pub fn render_class_reason(classes: &Classes, reason: &ClassReason) -> String {
    match reason {
        ClassReason::Declared { by, text, pattern, guess } => declared(*by, text, pattern, *guess),
        ClassReason::Raised { from, reason: why, change } => {
            let (from, why) = (classes.name(*from), render_class_reason(classes, why));
            format!("{from} {why}, but its diff contains more: {}", shorten(&change.path, 60))
        }
        ClassReason::Unknown { by, text } => {
            let text = shorten(text, 40);
            match by {
                DeclarationSource::Option => {
                    format!("because the push option `class={text}` names no class")
                }
                _ => format!("because its trailer names no class: `{text}`"),
            }
        }
        ClassReason::Side { commit, subject, reason: why } => {
            let subject = shorten(subject, 50);
            let id = commit.short();
            if matches!(**why, ClassReason::Nothing) {
                return format!("because its commit {id} \"{subject}\" declares nothing");
            }
            format!("from its commit {id} \"{subject}\", {}", render_class_reason(classes, why))
        }
        ClassReason::Paths => "because it changes only such files".to_string(),
        ClassReason::AncestryOnly => "because the merge changes no content".to_string(),
        ClassReason::Nothing => "because nothing declares a class".to_string(),
    }
}

fn declared(by: DeclarationSource, text: &str, pattern: &str, guess: bool) -> String {
    let (shown, pattern) = (shorten(text, 60), clean(pattern));
    match by {
        DeclarationSource::Trailer => format!("by its trailer `{shown}`"),
        DeclarationSource::Option => format!("by the push option `class={shown}`"),
        DeclarationSource::Author => format!("by its author \"{shown}\""),
        DeclarationSource::Branch if guess => {
            format!("by the words \"{pattern}\" of its branch `{shown}`")
        }
        DeclarationSource::Branch => {
            format!("by its branch `{shown}` (it begins with \"{pattern}\")")
        }
        DeclarationSource::Conventional => format!("by its type `{pattern}:`"),
        DeclarationSource::Subject => format!("by the words \"{pattern}\" of its subject"),
    }
}

/// The clause of a contradiction: the declared class, and the first change that it does not allow.
pub(crate) fn contradiction_clause(
    case: &Case<'_>,
    class: &Classification,
    contradiction: &Contradiction,
) -> String {
    let name = case.policy.classes.name(class.class);
    let Some(first) = contradiction.shown.first() else {
        return format!("{name}, but the diff contains more");
    };
    let path = shorten(&first.path, 60);
    let more = match contradiction.total.saturating_sub(1) {
        0 => String::new(),
        more => format!(" and {}", count(more, "more file")),
    };
    format!("{name}, but it {} `{path}`{more}", verb(first.mode))
}
