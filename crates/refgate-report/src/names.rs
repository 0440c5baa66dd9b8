//! What do findings about names and tags say?

use refgate_core::What;

use crate::clean::clean;

/// A sentence; `None` for findings of another kind.
pub(crate) fn said(what: &What) -> Option<String> {
    Some(match what {
        What::TagMoved { old } => {
            format!("A release tag never moves; this one stands at {}.", old.short())
        }
        What::TagNotAnnotated => "A release tag must be annotated.".to_string(),
        What::TagNotSigned => "A release tag must be signed.".to_string(),
        What::TagNameDiffers => "The tag object says another name than its reference.".to_string(),
        What::TagNotShipped { production } => {
            format!(
                "The tagged commit was never the tip of `{}` or of a release line.",
                clean(production)
            )
        }
        What::VersionNotGrown { version, existing, .. } => {
            format!("Versions only grow: {version} is not above the release {}.", clean(existing))
        }
        What::NameReserved => "This namespace cannot be pushed to.".to_string(),
        What::NameResembles { name } => {
            format!("The name can be mistaken for {}.", clean(name))
        }
        What::NameBlocks => "Git keeps references like files: beside this name a stage, line or \
             release tag could not exist."
            .to_string(),
        What::NameAlias { target } => format!(
            "On the server this name stands for `{}`; push to that name itself.",
            clean(target)
        ),
        _ => return None,
    })
}
