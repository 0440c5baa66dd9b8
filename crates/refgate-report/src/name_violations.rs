//! What do findings about names and tags say?

use refgate_core::Violation;

use crate::escape::clean;

/// A sentence; `None` for findings of another kind.
pub(crate) fn said(what: &Violation) -> Option<String> {
    Some(match what {
        Violation::TagMoved { old } => {
            format!("A release tag never moves; this one stands at {}.", old.short())
        }
        Violation::TagNotAnnotated => "A release tag must be annotated.".to_string(),
        Violation::TagNotSigned => "A release tag must be signed.".to_string(),
        Violation::TagNameDiffers => {
            "The tag object says another name than its reference.".to_string()
        }
        Violation::TagNotShipped { production } => {
            format!(
                "The tagged commit was never the tip of `{}` or of a release line.",
                clean(production)
            )
        }
        Violation::VersionNotGrown { version, existing, .. } => {
            format!("Versions only grow: {version} is not above the release {}.", clean(existing))
        }
        Violation::NameReserved => "This namespace cannot be pushed to.".to_string(),
        Violation::NameResembles { name } => {
            format!("The name can be mistaken for {}.", clean(name))
        }
        Violation::NameBlocks => {
            "Git keeps references like files: beside this name a stage, line or \
             release tag could not exist."
                .to_string()
        }
        Violation::NameAlias { target } => format!(
            "On the server this name stands for `{}`; push to that name itself.",
            clean(target)
        ),
        _ => return None,
    })
}
