//! What does a clone know of its server: what records call it, and what time it is there?

use refgate_core::Instant;
use refgate_format::read_training;
use refgate_git::{GitError, Reader};

/// Where a repository keeps its policy, on its production branch.
pub const TRACKED: &str = ".refgate/policy.toml";

/// Why a clone's settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CloneError {
    /// The configuration cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The training world's clock cannot be read.
    #[error("the training clock {path}: {why}")]
    Clock {
        /// Its file.
        path: String,
        /// Why not.
        why: String,
    },
}

/// What records call the repository: the setting `refgate.repository`, else
/// the last name of the remote's address.
///
/// # Errors
/// If the configuration cannot be read.
pub fn repository_name(reader: &Reader, remote: &str) -> Result<String, GitError> {
    if let Some(name) = reader.setting("refgate.repository")? {
        return Ok(name);
    }
    let url = reader.setting(&format!("remote.{remote}.url"))?.unwrap_or_default();
    Ok(last_name(&url))
}

/// The last name of a path or an address, without `.git`.
#[must_use]
pub fn last_name(path: &str) -> String {
    let name = path.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or("");
    name.strip_suffix(".git").unwrap_or(name).to_string()
}

/// The clock of a training world, whose server believes that one; a real
/// server's clone has none.
///
/// # Errors
/// If there is one and it cannot be read.
pub fn training_clock(reader: &Reader) -> Result<Option<Instant>, CloneError> {
    let Some(path) = reader.setting("refgate.trainingClock")? else { return Ok(None) };
    let wrong = |why: String| CloneError::Clock { path: path.clone(), why };
    let text = std::fs::read_to_string(&path).map_err(|why| wrong(why.to_string()))?;
    Ok(Some(read_training(&text).map_err(|why| wrong(why.to_string()))?.at))
}
