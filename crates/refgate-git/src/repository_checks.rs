//! Checks whether refgate supports a repository and can trust its history.

use git2::Repository;

use crate::GitError;

/// Turns an error of opening a repository into one that names the unsupported format.
pub(crate) fn explain_open(error: &git2::Error) -> GitError {
    let text = error.message();
    if text.contains("object format") {
        return GitError::Format { what: "object format", name: "sha256".to_string() };
    }
    if text.contains("refstorage") {
        return GitError::Format { what: "ref format", name: "reftable".to_string() };
    }
    GitError::Open(text.to_string())
}

/// Returns an error if Git or libgit2 would see a history that the objects do not contain
/// (docs/design/threats.md, R8).
pub(crate) fn check_trust(repo: &Repository) -> Result<(), GitError> {
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
