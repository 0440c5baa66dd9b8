//! Gives a repository an id, which binds records to it: a waiver for one `backend` does not
//! count in another `backend` (docs/design/model.md, "Records and the ledger").

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;

use refgate_git::{GitError, Reader};

/// The ref that publishes the id. Its object is a blob. Only `install` writes it: pushes to it
/// are rejected.
pub const ID_REF: &str = "refs/refgate/repository";

/// The maximum length of an id in bytes.
const MAX_ID_BYTES: usize = 100;

/// A new id: the name of the directory and eight random digits.
#[must_use]
pub fn new_repository_id(git_dir: &Path) -> String {
    let path = git_dir.display().to_string();
    let path = path.trim_end_matches('/').trim_end_matches("/.git");
    let allowed = |c: char| if is_id_character(c) { c } else { '-' };
    let name: String = last_component(path).chars().map(allowed).take(60).collect();
    // The standard library seeds each state at random; the digits need not be secret.
    let random = RandomState::new().build_hasher().finish() & 0xffff_ffff;
    format!("{name}-{random:08x}")
}

/// Whether a text can be the id of a repository.
#[must_use]
pub fn is_repository_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID_BYTES && text.chars().all(is_id_character)
}

/// The id that a repository, or its server, publishes. `None` if there is none, or if what is
/// published cannot be an id.
///
/// # Errors
/// Returns an error if the ref cannot be read.
pub fn published_id(reader: &Reader) -> Result<Option<String>, GitError> {
    Ok(reader.blob_of_ref(ID_REF, MAX_ID_BYTES)?.filter(|text| is_repository_id(text)))
}

/// The last component of a path or URL, without `.git`.
#[must_use]
pub fn last_component(path: &str) -> String {
    let name = path.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or("");
    name.strip_suffix(".git").unwrap_or(name).to_string()
}

const fn is_id_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_contain_the_name_and_differ() {
        let [one, other] =
            [1, 2].map(|_| new_repository_id(Path::new("/srv/git/team1/back end.git/")));
        assert!(one.starts_with("back-end-") && is_repository_id(&one), "{one}");
        assert_ne!(one, other);
        assert!(new_repository_id(Path::new("/home/ada/shop/.git/")).starts_with("shop-"));
        for bad in ["", "a b", "a\n", "\u{e9}", &"a".repeat(101)] {
            assert!(!is_repository_id(bad), "{bad:?}");
        }
    }
}
