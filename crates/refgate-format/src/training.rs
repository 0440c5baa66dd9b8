//! Reads and writes the training file: clock and unsigned records of a training repository.

use refgate_core::{Instant, Record};
use serde::{Deserialize, Serialize};

use crate::{RecordError, parse_instant, read_record, record_text};

/// The content of a training file.
#[derive(Debug, Clone)]
pub struct Training {
    /// The training clock.
    pub at: Instant,
    /// The records. They are not signed.
    pub records: Vec<Record>,
    /// The repository has a real ledger instead; only its clock is set by the file.
    pub ledger: bool,
}

/// Why a training file is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainingError {
    /// It is not TOML with the expected keys.
    #[error("{0}")]
    Toml(String),
    /// The training clock is not a time.
    #[error("`{0}` is not a time")]
    Clock(String),
    /// A record is invalid.
    #[error("record {number}: {why}")]
    Record {
        /// Its number, from 1.
        number: usize,
        /// The reason.
        why: RecordError,
    },
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct TrainingFile {
    at: String,
    ledger: bool,
    records: Vec<String>,
}

/// Reads a training file.
///
/// # Errors
/// The first error in the file.
pub fn read_training(text: &str) -> Result<Training, TrainingError> {
    let file: TrainingFile =
        toml::from_str(text).map_err(|error| TrainingError::Toml(error.to_string()))?;
    let at = parse_instant(&file.at).ok_or_else(|| TrainingError::Clock(file.at.clone()))?;
    let mut records = Vec::new();
    for (place, text) in file.records.iter().enumerate() {
        let number = place + 1;
        records.push(read_record(text).map_err(|why| TrainingError::Record { number, why })?);
    }
    Ok(Training { at, records, ledger: file.ledger })
}

/// Writes a training file.
///
/// # Errors
/// If it cannot be written as TOML.
pub fn write_training(training: &Training) -> Result<String, TrainingError> {
    let at = training.at.to_rfc3339();
    let records = training.records.iter().map(record_text).collect();
    let file = TrainingFile { at, ledger: training.ledger, records };
    toml::to_string(&file).map_err(|error| TrainingError::Toml(error.to_string()))
}
