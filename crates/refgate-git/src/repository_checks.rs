//! May what this repository shows be believed?

use git2::Repository;

use crate::GitError;

/// Why a repository cannot be opened, in words that name what is not supported.
pub(crate) fn explain_open(error: &git2::Error) -> GitError {
    let text = error.message();
    if text.contains("object format") {
        return GitError::Format { what: "object format", name: "sha256".to_string() };
    }
    if text.contains("refstorage") {
        return GitError::Format { what: "reference format", name: "reftable".to_string() };
    }
    GitError::Open(text.to_string())
}

/// What makes Git and libgit2 see another history than the objects hold
/// (docs/design/threats.md, R8, section 2): refuse to run.
pub(crate) fn trustworthy(repo: &Repository) -> Result<(), GitError> {
    let dir = repo.commondir();
    let holds = |path: &str| std::fs::metadata(dir.join(path)).is_ok_and(|file| file.len() > 0);
    if holds("shallow") {
        return Err(GitError::Untrusted("a `shallow` file"));
    }
    if holds("info/grafts") {
        return Err(GitError::Untrusted("an `info/grafts` file"));
    }
    let config = repo.config()?.snapshot()?;
    if config.get_str("extensions.partialclone").is_ok() {
        return Err(GitError::Untrusted("a promisor remote"));
    }
    let mut promisors = config.entries(Some(r"remote\..*\.promisor"))?;
    if promisors.next().is_some() {
        return Err(GitError::Untrusted("a promisor remote"));
    }
    Ok(())
}
