//! Renders why a change has its class, as one clause.

use refgate_core::{
    Case, ClassReason, Classes, Classification, Contradiction, DeclarationSource, Score, ScoreFact,
};

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
        ClassReason::Scored(score) => scored(classes, score),
        ClassReason::Signed { by } => format!("by a signed classification of {}", clean(by)),
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

/// The sum and its parts, for example `score +4: +2 the words "add~" of its subject, +2 adds a
/// source file`.
fn scored(classes: &Classes, score: &Score) -> String {
    let words = || match score.words.as_deref() {
        Some(reason) => render_class_reason(classes, reason),
        None => String::new(),
    };
    let diff = &score.diff;
    let phrase = |fact: &ScoreFact| match fact {
        ScoreFact::WordsOfFeature
        | ScoreFact::WordsOfMinorFeature
        | ScoreFact::WordsOfFix
        | ScoreFact::WordsOfChore
        | ScoreFact::WordsOfDocs => words(),
        ScoreFact::AddsSource | ScoreFact::AddsSources => {
            format!("adds {}", count(diff.new_sources, "source file"))
        }
        ScoreFact::Grows | ScoreFact::GrowsMore | ScoreFact::GrowsMuch => match diff.growth {
            Some(bytes) => format!("source files grow by {bytes} bytes"),
            None => "source files grow by an unknown number of bytes".to_string(),
        },
        ScoreFact::Shrinks | ScoreFact::ShrinksMuch => {
            format!("the source loses {} bytes", diff.total.unwrap_or(0).unsigned_abs())
        }
        ScoreFact::NoSource => "no source file changes".to_string(),
        ScoreFact::SeveralSources => count(diff.sources, "source file"),
        ScoreFact::WithDocuments => "documentation changes, too".to_string(),
    };
    let parts: Vec<String> =
        score.points.iter().map(|(fact, weight)| format!("{weight:+} {}", phrase(fact))).collect();
    match parts.is_empty() {
        true => "by its score 0".to_string(),
        false => format!("by its score {:+}: {}", score.sum, parts.join(", ")),
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
