//! How is this server set up? The settings and, in a training repository, its clock and records.

use std::path::{Path, PathBuf};

use refgate_format::{Limits, Settings, SettingsError, Training, TrainingError, read_training};
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
        why: SettingsError,
    },
    /// The training file is wrong.
    #[error("{path}: {why}")]
    Training {
        /// Which file.
        path: String,
        /// What is wrong.
        why: TrainingError,
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

    /// The training file, if this is a training repository.
    ///
    /// # Errors
    /// If it is there and cannot be used.
    pub fn training(&self) -> Result<Option<Training>, SetupError> {
        let path = self.directory.join(TRAINING);
        let Some(text) = read(&path)? else { return Ok(None) };
        let wrong = |why| SetupError::Training { path: path.display().to_string(), why };
        read_training(&text).map(Some).map_err(wrong)
    }

    /// What records call this repository: the name of the settings, or that of
    /// its folder.
    #[must_use]
    pub fn name(&self) -> String {
        if !self.settings.name.is_empty() {
            return self.settings.name.clone();
        }
        let git_dir = self.directory.parent().unwrap_or(&self.directory);
        let folder = match git_dir.file_name() {
            Some(name) if name == ".git" => git_dir.parent().and_then(Path::file_name),
            other => other,
        };
        let name = folder.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.strip_suffix(".git").unwrap_or(&name).to_string()
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
