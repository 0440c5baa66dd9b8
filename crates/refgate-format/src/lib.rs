//! How do files and hook input become values? Strictly: every complaint at its place, nothing ignored.

mod calendar;
mod complaint;
mod hook_input;
mod instant;
mod lookalike;
mod policy;
mod record;
mod settings;
mod table;

pub use calendar::{CalendarError, import, recur};
pub use complaint::{Complaint, Place};
pub use hook_input::{BadInput, HookLine, MAX_LINE, parse_hook_input};
pub use instant::{Zone, parse_duration, parse_instant, parse_local};
pub use lookalike::resembles;
pub use policy::{PolicyFile, read_policy, wanted_calendars};
pub use record::{BadRecords, Training, read_training, training_clock, write_training};
pub use settings::{BadSettings, Identity, Limits, PolicySource, Settings};
