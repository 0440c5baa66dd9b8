//! How is this server set up? The settings and, in a training repository, its clock and records.

use std::path::{Path, PathBuf};

use refgate_core::{Classes, Instant, LedgerView};
use refgate_format::{BadRecords, BadSettings, Limits, Settings, read_training, training_clock};
use refgate_git::Bounds;

use crate::install::{DIRECTORY, SETTINGS};

/// The file that marks a training repository and holds its clock and records.
/// Only who can write to the server's disk can make one.
pub const TRAINING: &str = "training.toml";

/// Why the setup cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There are no settings.
    #[error("refgate is not installed here: {0} is missing")]
    Missing(String),
    /// A file cannot be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
    /// The settings are wrong.
    #[error("{path}: {why}")]
    Settings {
        /// Which file.
        path: String,
        /// What is wrong.
        why: BadSettings,
    },
    /// The training file is wrong.
    #[error("{path}: {why}")]
    Training {
        /// Which file.
        path: String,
        /// What is wrong.
        why: BadRecords,
    },
}

/// The setup of a repository.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The folder of the settings.
    pub directory: PathBuf,
    /// The settings.
    pub settings: Settings,
}

impl Setup {
    /// Reads the settings of the repository with this git directory.
    ///
    /// # Errors
    /// If they are missing or wrong.
    pub fn read(git_dir: &Path) -> Result<Self, SetupError> {
        let directory = git_dir.join(DIRECTORY);
        let path = directory.join(SETTINGS);
        let shown = path.display().to_string();
        let text = read(&path)?.ok_or_else(|| SetupError::Missing(shown.clone()))?;
        let settings =
            Settings::parse(&text).map_err(|why| SetupError::Settings { path: shown, why })?;
        Ok(Self { directory, settings })
    }

    /// The text of the training file, if this is a training repository.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn training(&self) -> Result<Option<String>, SetupError> {
        read(&self.directory.join(TRAINING))
    }

    /// The clock of a push received at `now`: the server's, or in a training
    /// repository its own.
    ///
    /// # Errors
    /// If the training file is wrong.
    pub fn clock(&self, training: Option<&str>, now: Instant) -> Result<Instant, SetupError> {
        training.map_or(Ok(now), |text| training_clock(text).map_err(|why| self.wrong(why)))
    }

    /// The human facts: none until a ledger is there, or in a training
    /// repository its own.
    ///
    /// # Errors
    /// If the training file is wrong.
    pub fn ledger(
        &self,
        training: Option<&str>,
        classes: &Classes,
    ) -> Result<LedgerView, SetupError> {
        let Some(text) = training else { return Ok(LedgerView::default()) };
        read_training(text, classes).map(|read| read.ledger).map_err(|why| self.wrong(why))
    }

    fn wrong(&self, why: BadRecords) -> SetupError {
        SetupError::Training { path: self.directory.join(TRAINING).display().to_string(), why }
    }
}

fn read(path: &Path) -> Result<Option<String>, SetupError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(SetupError::Unreadable { path: path.display().to_string(), why: error.to_string() })
        }
    }
}

/// The limits as the reader takes them.
#[must_use]
pub const fn bounds(limits: &Limits) -> Bounds {
    Bounds {
        max_commits: limits.max_commits,
        max_commit_bytes: limits.max_commit_bytes,
        max_tree_bytes: limits.max_tree_bytes,
        max_policy_bytes: limits.max_policy_bytes,
        max_merged_bytes: limits.max_merged_bytes,
        max_changes: limits.max_changes,
        max_seconds: limits.max_seconds,
    }
}
