//! Reads the settings of a server and, in a training repository, its clock and records.

use std::path::{Path, PathBuf};

use refgate_format::{Limits, Settings, SettingsError, Training, TrainingError, read_training};
use refgate_git::Bounds;

use crate::install::{DIRECTORY, SETTINGS};

/// The file that marks a training repository and contains its clock and records. Only a person
/// with write access to the server can create it.
pub const TRAINING: &str = "training.toml";

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The settings file does not exist.
    #[error("refgate is not installed here: {0} is missing")]
    Missing(String),
    /// A file cannot be read or written.
    #[error("cannot access {path}: {why}")]
    Unreadable {
        /// The path of the file.
        path: String,
        /// The cause.
        why: String,
    },
    /// The settings are not valid.
    #[error("cannot use the settings {path}: {why}")]
    Settings {
        /// The path of the file.
        path: String,
        /// The cause.
        why: SettingsError,
    },
    /// The training file is not valid.
    #[error("cannot use the training file {path}: {why}")]
    Training {
        /// The path of the file.
        path: String,
        /// The cause.
        why: TrainingError,
    },
}

/// The settings of a repository on a server.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The directory of the settings file.
    pub directory: PathBuf,
    /// The settings.
    pub settings: Settings,
}

impl Setup {
    /// Reads the settings of the repository with this git directory.
    ///
    /// # Errors
    /// Returns an error if the settings are missing or not valid.
    pub fn read(git_dir: &Path) -> Result<Self, SetupError> {
        let directory = git_dir.join(DIRECTORY);
        let path = directory.join(SETTINGS);
        let shown = path.display().to_string();
        let text = read(&path)?.ok_or_else(|| SetupError::Missing(shown.clone()))?;
        let settings =
            Settings::parse(&text).map_err(|why| SetupError::Settings { path: shown, why })?;
        Ok(Self { directory, settings })
    }

    /// Reads the training file, if this is a training repository.
    ///
    /// # Errors
    /// Returns an error if the file exists and cannot be used.
    pub fn training(&self) -> Result<Option<Training>, SetupError> {
        let path = self.directory.join(TRAINING);
        let Some(text) = read(&path)? else { return Ok(None) };
        let wrong = |why| SetupError::Training { path: path.display().to_string(), why };
        read_training(&text).map(Some).map_err(wrong)
    }

    /// The git directory of the repository that this one is a copy of.
    #[must_use]
    pub fn copied_from(&self) -> Option<&str> {
        let git_dir = self.directory.parent().unwrap_or(&self.directory);
        let from = self.settings.installed_in.as_str();
        (!from.is_empty() && Path::new(from) != git_dir).then_some(from)
    }

    /// The name of this repository in records: from the settings, or else from the name of its
    /// directory.
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

/// Converts the limits of the settings to the bounds of the reader.
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
