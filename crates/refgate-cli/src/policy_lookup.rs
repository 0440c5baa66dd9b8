//! Finds a policy by the name of a built-in policy, a file or `REV:PATH`.

use std::path::Path;

use refgate_core::{Interval, Policy};
use refgate_gate::{Exit, LoadedPolicy, builtin, source_from_text};
use refgate_git::Reader;

use crate::output::Failure;

/// The text of a policy, and where its calendars and lists of signers are.
pub(crate) struct PolicyText {
    pub(crate) text: String,
    pub(crate) place: String,
    calendar_files: CalendarFiles,
}

enum CalendarFiles {
    Nothing,
    Folder(std::path::PathBuf),
    Tree { revision: String, folder: String },
}

/// Finds a built-in policy, a file, or a file in a commit's tree, in this order.
pub(crate) fn find(name: &str, reader: Option<&Reader>) -> Result<PolicyText, Failure> {
    if let Some(text) = builtin(name) {
        let place = format!("built-in policy {name}");
        return Ok(PolicyText {
            text: text.to_string(),
            place,
            calendar_files: CalendarFiles::Nothing,
        });
    }
    let path = Path::new(name);
    if path.is_file() {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::new(Exit::BadPolicy, format!("{name}: {error}")))?;
        let folder = path.parent().unwrap_or(path).to_path_buf();
        return Ok(PolicyText {
            text,
            place: name.to_string(),
            calendar_files: CalendarFiles::Folder(folder),
        });
    }
    if let (Some(reader), Some((revision, path))) = (reader, name.split_once(':')) {
        let commit = reader.resolve(revision)?;
        let file = reader.file_in(commit, revision, path)?.ok_or_else(|| {
            Failure::new(Exit::BadPolicy, format!("cannot find `{path}` in `{revision}`"))
        })?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
        let calendar_files = CalendarFiles::Tree { revision: revision.to_string(), folder };
        return Ok(PolicyText { text: file.text, place: name.to_string(), calendar_files });
    }
    let known = refgate_gate::BUILTIN.map(|(name, _)| name).join(", ");
    let message =
        format!("cannot find policy `{name}`: not a built-in policy ({known}), file or REV:PATH");
    Err(Failure::new(Exit::BadPolicy, message))
}

impl PolicyText {
    pub(crate) fn calendar(&self, reader: Option<&Reader>, name: &str) -> Option<String> {
        match &self.calendar_files {
            CalendarFiles::Nothing => None,
            CalendarFiles::Folder(folder) => std::fs::read_to_string(folder.join(name)).ok(),
            CalendarFiles::Tree { revision, folder } => {
                let reader = reader?;
                let path =
                    if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
                let commit = reader.resolve(revision).ok()?;
                Some(reader.file_in(commit, revision, &path).ok()??.text)
            }
        }
    }

    /// Parses the policy. Recurring windows are computed for `time`.
    pub(crate) fn read(&self, reader: Option<&Reader>, time: Interval) -> Result<Policy, Failure> {
        Ok(self.source(reader, time)?.policy)
    }

    /// Parses the policy, as [`Self::read`] does, and the lists of signers beside it.
    pub(crate) fn source(
        &self,
        reader: Option<&Reader>,
        time: Interval,
    ) -> Result<LoadedPolicy, Failure> {
        source_from_text(&self.text, &self.place, time, |name| self.calendar(reader, name))
            .map_err(|error| Failure::new(Exit::BadPolicy, error.full_message()))
    }
}
