//! Detects ref names that resemble a protected name.

use refgate_core::RefName;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// The protected name that `name` resembles without being equal: the same name after folding
/// case and Unicode form, or a name of look-alike characters (docs/design/threats.md, P9, P15;
/// Unicode TS 39). A branch that only repeats a prefix, such as `refs/heads/refs/heads/dev` or
/// `refs/heads/origin/dev`, counts too.
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

/// What a new branch or tag resembles that is not a protected name: a release (tested by
/// `is_release`), an object id, an option, or a name with a meaning in Git.
#[must_use]
pub fn special_meaning(name: &RefName, is_release: impl Fn(&str) -> bool) -> Option<&'static str> {
    let short = name.branch_name().or_else(|| name.tag_name())?;
    let folded: String = short.nfkc().flat_map(char::to_lowercase).collect();
    let hex = |c: char| c.is_ascii_hexdigit();
    let last = folded.rsplit('/').next().unwrap_or_default();
    let release = is_release(&folded) || is_release(short);
    match () {
        // Release tags themselves are not tested with this function.
        () if release => Some("a release"),
        () if GIT_REFS.contains(&last) => Some("Git's own HEAD"),
        () if short.len() >= 40 && short.chars().all(hex) => Some("an object id"),
        () if short.split('/').any(|part| part.starts_with('-')) => Some("an option"),
        () if ["refs/", "heads/", "tags/", "remotes/"].iter().any(|p| folded.starts_with(p)) => {
            Some("a full ref name")
        }
        () => None,
    }
}

/// The refs that Git itself writes beside the branches, folded. A branch of such a name makes
/// revisions ambiguous.
const GIT_REFS: [&str; 9] = [
    "head",
    "fetch_head",
    "orig_head",
    "merge_head",
    "cherry_pick_head",
    "revert_head",
    "bisect_head",
    "rebase_head",
    "auto_merge",
];

fn fold(text: &str) -> String {
    let visible = text.nfkc().filter(|c| !refgate_core::is_invisible(*c));
    let lower: String = visible.flat_map(char::to_lowercase).collect();
    skeleton(&lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_look_alikes() {
        let name = |text: &str| RefName::parse(text).unwrap();
        let guarded = [name("refs/heads/dev"), name("refs/heads/main"), name("refs/tags/v1.0")];
        let hit = |text: &str| resembles(&name(text), &guarded).map(|n| n.short().to_string());
        for twin in ["DEV", "d\u{435}v", "refs/heads/dev", "origin/dev", "\u{ff44}ev"] {
            assert_eq!(hit(&format!("refs/heads/{twin}")), Some("dev".into()), "{twin}");
        }
        assert_eq!(hit("refs/heads/v1.0"), Some("v1.0".into()));
        assert_eq!(hit("refs/tags/main"), Some("main".into()));
        let release = |text: &str| text.starts_with("v2.");
        for (text, what) in [
            ("heads/v2.0", Some("a release")),
            ("tags/V2.0", Some("a release")),
            ("tags/\u{ff56}2.0", Some("a release")),
            ("heads/HEAD", Some("Git's own HEAD")),
            ("heads/0123456789abcdef0123456789abcdef01234567", Some("an object id")),
            ("heads/-x", Some("an option")),
            ("heads/remotes/origin/main", Some("a full ref name")),
            ("heads/feature/v2.0", None),
        ] {
            assert_eq!(special_meaning(&name(&format!("refs/{text}")), release), what, "{text}");
        }
        for fine in ["dev", "develop", "feature/dev-tools", "devs"] {
            assert_eq!(hit(&format!("refs/heads/{fine}")), None, "{fine}");
        }
    }
}
