//! Reads the settings of a clone that describe its server: the repository name in records, and
//! the clock of a training server.

use refgate_core::Instant;
use refgate_format::read_training;
use refgate_git::{GitError, Reader};

use crate::repository_id::{last_component, published_id};

/// The path of the policy file on the production branch.
pub const TRACKED: &str = ".refgate/policy.toml";

/// Why a clone's settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CloneError {
    /// The configuration cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The clock of the training server cannot be read.
    #[error("cannot read the training clock {path}: {why}")]
    Clock {
        /// The file of the clock.
        path: String,
        /// The cause.
        why: String,
    },
}

/// The id of the repository in records: the setting `refgate.repository`, the id that the
/// server published and the clone fetched, or else the last component of the URL of the remote.
///
/// # Errors
/// Returns an error if the configuration cannot be read.
pub fn repository_name(reader: &Reader, remote: &str) -> Result<String, GitError> {
    if let Some(name) = reader.setting("refgate.repository")? {
        return Ok(name);
    }
    if let Some(id) = published_id(reader)? {
        return Ok(id);
    }
    let url = reader.setting(&format!("remote.{remote}.url"))?.unwrap_or_default();
    Ok(last_component(&url))
}

/// The time of a training server, which the simulator sets. The clone of a real server has no
/// training clock.
///
/// # Errors
/// Returns an error if the training clock exists and cannot be read.
pub fn training_clock(reader: &Reader) -> Result<Option<Instant>, CloneError> {
    let Some(path) = reader.setting("refgate.trainingClock")? else { return Ok(None) };
    let wrong = |why: String| CloneError::Clock { path: path.clone(), why };
    let text = std::fs::read_to_string(&path).map_err(|why| wrong(why.to_string()))?;
    Ok(Some(read_training(&text).map_err(|why| wrong(why.to_string()))?.at))
}
