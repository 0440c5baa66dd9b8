//! What does a training repository hold: its clock, and records that nobody needs to sign?

use refgate_core::{Instant, Record};
use serde::{Deserialize, Serialize};

use crate::{RecordError, parse_instant, read_record, record_text};

/// A training repository.
#[derive(Debug, Clone)]
pub struct Training {
    /// Its clock.
    pub at: Instant,
    /// Its records.
    pub records: Vec<Record>,
    /// It keeps a real ledger instead; only its clock is made up.
    pub ledger: bool,
}

/// Why a training file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainingError {
    /// It cannot be read as TOML of this shape.
    #[error("{0}")]
    Toml(String),
    /// Its clock shows no time.
    #[error("`{0}` is no moment")]
    Clock(String),
    /// One of its records is none.
    #[error("record {number}: {why}")]
    Record {
        /// Which, from 1.
        number: usize,
        /// Why not.
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
/// The first thing wrong with it.
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
