//! Converts files and hook input to values, and reports every error with its position.

mod calendar;
mod complaint;
mod hook_input;
mod ics;
mod instant;
mod ledger;
mod lookalike;
mod policy;
mod settings;
mod table;
mod training;

pub use calendar::{CalendarBudget, CalendarError, expand_recurrence};
pub use complaint::{Complaint, TextPosition};
pub use hook_input::{HookInputError, HookLine, MAX_LINE, parse_hook_input};
pub use ics::import_calendar;
pub use instant::{Zone, parse_duration, parse_instant, parse_local};
pub use ledger::{
    RecordError, SIGNATURE, SignatureError, Signer, Signers, SignersError, decode_slug,
    fingerprint, list_months, namespace, path_of, read_record, record_text, shelf_for, shelf_of,
    slug, split_file, tag_signer, verify,
};
pub use lookalike::{resembles, special_meaning};
pub use policy::{PolicyFile, calendar_names, read_policy};
pub use settings::{Control, Guard, Identity, Limits, PolicySource, Settings, SettingsError};
pub use training::{Training, TrainingError, read_training, write_training};
