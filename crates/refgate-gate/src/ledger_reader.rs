//! Reads the records that a decision can use, from the shelves of the push's subjects only.

use std::collections::BTreeSet;

use refgate_core::{
    Duration, Instant, LedgerView, NotApplicable, Oid, Policy, Record, RecordBody, RefName,
    Release, last_major,
};
use refgate_format::{
    Signers, decode_slug, list_months, namespace, read_record, shelf_for, slug, split_file, verify,
};
use refgate_git::{GitError, Reader, RecordFile};

use crate::log_entry::uses;

/// The maximum length of a freeze by record. The rule `ledger` enforces it.
pub(crate) const MAX_FREEZE_LENGTH: Duration = Duration::days(90);

/// Why records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The repository of the ledger cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file of the ledger is not a record, so a write to the ledger bypassed refgate.
    #[error(
        "cannot read the record {path}: {why}\nhint: `refgate ledger verify` names the first \
         damaged commit; restore its parent with `git update-ref refs/refgate/ledger COMMIT`"
    )]
    Damaged {
        /// The path in the ledger.
        path: String,
        /// The cause.
        why: String,
    },
}

/// A ledger in a repository.
#[derive(Clone, Copy)]
pub struct LedgerReader<'a> {
    /// The repository that contains the ledger.
    pub reader: &'a Reader,
    /// The tip of the ledger; `None` if there are no records yet.
    pub tip: Option<Oid>,
    /// The signers whose records count.
    pub signers: &'a Signers,
    /// The repositories whose records count. Other records are skipped.
    pub repositories: &'a [String],
}

/// Parses the file of a record and verifies its signature with the present signers.
///
/// # Errors
/// Returns an error if the file is not a record.
pub fn read_signed(
    file: &RecordFile,
    policy: &Policy,
    signers: &Signers,
) -> Result<(Record, Result<(), String>), String> {
    let (text, armour) = split_file(&file.text).map_err(|why| why.to_string())?;
    let record = read_record(text).map_err(|why| why.to_string())?;
    let by = (record.by.as_str(), &*namespace(&policy.ledger.name), record.at);
    let holds = verify(signers, text, armour, by).map_err(|why| why.to_string());
    Ok((record, holds))
}

/// Whether records of this shelf can only permit something. A damaged record of such a shelf
/// is skipped; `refgate ledger verify` and `doctor` list it. Any other damaged record could
/// forbid the push, so the push is rejected.
fn only_permits(folder: &str) -> bool {
    let kind = folder.split('/').next().unwrap_or_default();
    ["approval", "certificate", "deletion", "not-applicable", "settlement", "thaw", "waiver"]
        .contains(&kind)
}

impl LedgerReader<'_> {
    pub(crate) fn shelf(&self, policy: &Policy, folder: &str) -> Result<Vec<Record>, LedgerError> {
        let Some(tip) = self.tip else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for file in self.reader.shelf_entries(tip, folder)? {
            let read = file.map_err(|error| (folder.to_string(), error.to_string()));
            let read = read.and_then(|file| {
                read_signed(&file, policy, self.signers).map_err(|why| (file.path, why))
            });
            let (record, holds) = match read {
                Ok(read) => read,
                // Without this record, refgate rejects more and never less.
                Err(_) if only_permits(folder) => continue,
                Err((path, why)) => return Err(LedgerError::Damaged { path, why }),
            };
            let ours = self.repositories.contains(&record.repository);
            if ours && (holds.is_ok() || record.body.forbids()) {
                all.push(record);
            }
        }
        Ok(all)
    }

    pub(crate) fn shelves(
        &self,
        policy: &Policy,
        folders: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Record>, LedgerError> {
        let folders: BTreeSet<String> = folders.into_iter().collect();
        let mut all = Vec::new();
        for folder in folders {
            all.extend(self.shelf(policy, &folder)?);
        }
        // Records that withdraw or thaw one of these records are on other shelves.
        let mut more = Vec::new();
        for record in &all {
            more.extend(self.shelf(policy, &shelf_for("withdrawal", &record.id))?);
            if matches!(record.body, RecordBody::Freeze { .. }) {
                more.extend(self.shelf(policy, &shelf_for("thaw", &record.id))?);
            }
        }
        all.extend(more);
        Ok(all)
    }

    /// The records that state that a fix is not applicable to a branch.
    ///
    /// # Errors
    /// Returns an error if a record cannot be read.
    pub fn excuses(&self, policy: &Policy, fix: Oid) -> Result<Vec<NotApplicable>, LedgerError> {
        let records = self.shelves(policy, [shelf_for("not-applicable", &fix)])?;
        let view = LedgerView::assemble(policy, &records);
        Ok(view.not_applicable.into_iter().filter(|excuse| excuse.fix == fix).collect())
    }

    /// The records that decide about freezes: freezes by record, and events after the last major
    /// release.
    pub(crate) fn calendar(
        &self,
        policy: &Policy,
        releases: &[Release],
        at: Instant,
    ) -> Result<Vec<Record>, LedgerError> {
        let stops = list_months(at, MAX_FREEZE_LENGTH).into_iter().map(|m| format!("freeze/{m}"));
        let major = last_major(releases, at);
        let after = major.map(|release| format!("after/{}", slug(&release.tag)));
        self.shelves(policy, stops.chain(after))
    }

    /// The records for a forecast about some branches: freezes, and waivers for these branches.
    ///
    /// # Errors
    /// Returns an error if a record cannot be read.
    pub fn forecast(
        &self,
        policy: &Policy,
        (releases, at): (&[Release], Instant),
        on: &[RefName],
    ) -> Result<LedgerView, LedgerError> {
        let mut records = self.calendar(policy, releases, at)?;
        let waivers = on.iter().flat_map(|name| waivers(policy, name, at));
        records.extend(self.shelves(policy, waivers)?);
        let mut view = LedgerView::assemble(policy, &records);
        for waiver in &mut view.waivers {
            let used = uses(self.reader, waiver.id)?;
            waiver.uses_left = waiver.uses_left.saturating_sub(used);
        }
        Ok(view)
    }

    /// The shelves of releases whose tag does not exist yet.
    pub(crate) fn open_releases(&self, here: &Reader) -> Result<Vec<String>, LedgerError> {
        let Some(tip) = self.tip else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for name in self.reader.shelves(tip, "release")? {
            let tag = decode_slug(&name)
                .and_then(|tag| refgate_core::RefName::parse(&format!("refs/tags/{tag}")).ok());
            let made = match tag {
                Some(tag) => here.reference(&tag)?.is_some(),
                None => false,
            };
            if !made {
                all.push(format!("release/{name}"));
            }
        }
        Ok(all)
    }
}

/// The shelves of the waivers for a ref that can be in force.
pub(crate) fn waivers(policy: &Policy, on: &RefName, at: Instant) -> impl Iterator<Item = String> {
    let name = slug(on.as_str());
    let ends = list_months(at, policy.waivers.longest);
    ends.into_iter().map(move |month| format!("waiver/{name}/{month}"))
}
