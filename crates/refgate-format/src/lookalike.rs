//! Could a reference name be mistaken for a protected one?

use refgate_core::RefName;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// The protected name that `name` resembles without being it: the same after
/// folding case and Unicode form, or made of look-alike characters
/// (SECURITY.md P9, P15; Unicode TS 39). A branch that only repeats a prefix,
/// such as `refs/heads/refs/heads/dev` or `refs/heads/origin/dev`, counts too.
#[must_use]
pub fn resembles<'p>(
    name: &RefName,
    protected: impl IntoIterator<Item = &'p RefName>,
) -> Option<&'p RefName> {
    let short = name.branch_name().or_else(|| name.tag_name())?;
    let bare = ["refs/heads/", "refs/tags/", "heads/", "tags/", "origin/"]
        .iter()
        .fold(short, |text, prefix| text.strip_prefix(prefix).unwrap_or(text));
    let folded = fold(bare);
    protected.into_iter().find(|guarded| *guarded != name && fold(guarded.short()) == folded)
}

fn fold(text: &str) -> String {
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    skeleton(&lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_and_look_alikes() {
        let name = |text: &str| RefName::parse(text).unwrap();
        let guarded = [name("refs/heads/dev"), name("refs/heads/main"), name("refs/tags/v1.0")];
        let hit = |text: &str| resembles(&name(text), &guarded).map(|n| n.short().to_string());
        for twin in ["DEV", "d\u{435}v", "refs/heads/dev", "origin/dev", "\u{ff44}ev"] {
            assert_eq!(hit(&format!("refs/heads/{twin}")), Some("dev".into()), "{twin}");
        }
        assert_eq!(hit("refs/heads/v1.0"), Some("v1.0".into()));
        assert_eq!(hit("refs/tags/main"), Some("main".into()));
        for fine in ["dev", "develop", "feature/dev-tools", "devs"] {
            assert_eq!(hit(&format!("refs/heads/{fine}")), None, "{fine}");
        }
    }
}
