//! Reads the records that a decision can use, from the shelves of the push's subjects only.

use std::collections::BTreeSet;

use refgate_core::{
    Duration, History, Instant, LEDGER, LedgerEdit, LedgerFormError, LedgerView, NotApplicable,
    Oid, Policy, Push, Record, RecordBody, RefChange, RefKind, RefName, Release, last_major,
};
use refgate_format::{
    Signers, decode_slug, list_months, namespace, path_of, read_record, shelf_for, slug,
    split_file, verify,
};
use refgate_git::{GitError, Reader, RecordFile, ServerSurvey};

use crate::log_entry::uses;
use crate::record_targets::{absent, named};

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

/// The source of the records for a decision.
#[derive(Clone, Copy)]
pub enum Records<'a> {
    /// The records of a training repository, which are not signed.
    Given(&'a [Record]),
    /// The records of a ledger.
    Kept(LedgerReader<'a>),
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
    fn calendar(
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
fn waivers(policy: &Policy, on: &RefName, at: Instant) -> impl Iterator<Item = String> {
    let name = slug(on.as_str());
    let ends = list_months(at, policy.waivers.longest);
    ends.into_iter().map(move |month| format!("waiver/{name}/{month}"))
}

impl Records<'_> {
    /// The records that decide about freezes. They are needed before the commits are read.
    ///
    /// # Errors
    /// Returns an error if a record cannot be read.
    pub fn calendar_records(
        &self,
        policy: &Policy,
        survey: &ServerSurvey,
        at: Instant,
    ) -> Result<Vec<Record>, LedgerError> {
        match self {
            Self::Given(records) => Ok(records.to_vec()),
            Self::Kept(book) => book.calendar(policy, &survey.releases, at),
        }
    }

    /// The records about the push itself. They are needed after its commits were read.
    ///
    /// # Errors
    /// Returns an error if a record cannot be read.
    pub fn late(
        &self,
        here: &Reader,
        policy: &Policy,
        push: &Push,
        history: &History,
    ) -> Result<Vec<Record>, LedgerError> {
        let Self::Kept(book) = self else { return Ok(Vec::new()) };
        if book.tip.is_none() {
            return Ok(Vec::new());
        }
        let mut folders = Vec::new();
        let mut promotes = false;
        for (update, facts) in push.updates.iter().zip(&history.updates) {
            let kind = policy.kind(&update.name);
            if !matches!(kind, RefKind::Topic) {
                folders.extend(waivers(policy, &update.name, push.at));
            }
            if let RefChange::Delete { old } = update.change {
                folders.push(format!("deletion/{}", slug(update.name.as_str())));
                folders.push(shelf_for("approval", &old));
            }
            for landing in &facts.landings {
                folders.push(shelf_for("approval", &landing.commit));
                folders.push(shelf_for("classification", &landing.commit));
            }
            let folder = facts.policy_edit.as_ref().and_then(|edit| edit.folder);
            folders.extend(folder.map(|folder| shelf_for("approval", &folder)));
            folders.extend(facts.debts.iter().map(|debt| shelf_for("not-applicable", &debt.fix)));
            let later = matches!(&kind, RefKind::Governed(target) if !target.is_first());
            promotes |= later && !facts.landings.is_empty();
        }
        if promotes {
            folders.extend(push.actor.iter().map(|who| format!("certificate/{}", slug(&who.0))));
            folders.extend(self.sign_off_shelves(
                book,
                here,
                policy,
                push,
                history,
                &mut Vec::new(),
            )?);
        }
        book.shelves(policy, folders)
    }

    /// The records for an overview, except those of [`Self::calendar_records`]: open releases, the last
    /// release, deletion requests, not-applicable records and waivers.
    ///
    /// # Errors
    /// Returns an error if a record cannot be read.
    pub fn overview(
        &self,
        here: &Reader,
        policy: &Policy,
        (debts, last): (&[refgate_core::Debt], Option<&str>),
    ) -> Result<Vec<Record>, LedgerError> {
        let Self::Kept(book) = self else { return Ok(Vec::new()) };
        let mut folders = book.open_releases(here)?;
        folders.extend(last.map(|tag| format!("release/{}", slug(tag))));
        let Some(tip) = book.tip else { return Ok(Vec::new()) };
        for name in book.reader.shelves(tip, "deletion")? {
            folders.push(format!("deletion/{name}"));
        }
        folders.extend(debts.iter().map(|debt| shelf_for("not-applicable", &debt.fix)));
        let mut all = book.shelves(policy, folders)?;
        // A follow-up can be open long after its waiver ended, so all waivers are read.
        let mut waivers = Vec::new();
        for name in book.reader.shelves(tip, "waiver")? {
            let list_months = book.reader.shelves(tip, &format!("waiver/{name}"))?;
            waivers.extend(list_months.iter().map(|month| format!("waiver/{name}/{month}")));
        }
        let waivers = book.shelves(policy, waivers)?;
        let owes =
            |record: &&Record| matches!(record.body, RecordBody::Waiver { owes: Some(_), .. });
        let done = waivers.iter().filter(owes).map(|record| shelf_for("settlement", &record.id));
        all.extend(book.shelves(policy, done)?);
        all.extend(waivers);
        Ok(all)
    }

    /// The shelves of the sign-offs of the trees that the push would release, and of the
    /// candidates.
    fn sign_off_shelves(
        &self,
        book: &LedgerReader<'_>,
        here: &Reader,
        policy: &Policy,
        push: &Push,
        history: &History,
        folders: &mut Vec<String>,
    ) -> Result<Vec<String>, LedgerError> {
        let releases = book.open_releases(here)?;
        let candidates = book.shelves(policy, releases.clone())?;
        let view = LedgerView::assemble(policy, &candidates);
        let trees = view.candidates.iter().filter(|c| c.at <= push.at).map(|c| c.tree);
        let shipped = history.updates.iter().filter_map(|facts| facts.landings.last());
        let shipped = shipped.filter_map(|landing| Some(history.commit(landing.commit)?.tree));
        folders.extend(trees.chain(shipped).map(|tree| shelf_for("sign-off", &tree)));
        folders.extend(releases);
        Ok(std::mem::take(folders))
    }

    /// The records that a push adds to the ledger, with the first error of their form.
    ///
    /// # Errors
    /// Returns an error if the ledger on the server cannot be read.
    pub fn edit(
        &self,
        here: &Reader,
        policy: &Policy,
        push: &Push,
        signers: &Signers,
    ) -> Result<Option<LedgerEdit>, LedgerError> {
        let update = push.updates.iter().find(|update| update.name.as_str() == LEDGER);
        let Some(update) = update else { return Ok(None) };
        let Some(new) = update.change.new_value() else { return Ok(None) };
        let delta = here.ledger_delta(update.change.old_value(), new)?;
        let mut edit = LedgerEdit { broken: delta.broken, ..LedgerEdit::default() };
        for file in &delta.added {
            let broken = match read_signed(file, policy, signers) {
                Err(why) => Some(LedgerFormError::Unreadable { path: file.path.clone(), why }),
                Ok((_, Err(why))) => {
                    Some(LedgerFormError::Signature { path: file.path.clone(), why })
                }
                Ok((record, Ok(()))) => {
                    let expected = path_of(&record);
                    let misplaced = expected != file.path;
                    edit.appended.push(record);
                    misplaced
                        .then(|| LedgerFormError::Misplaced { path: file.path.clone(), expected })
                }
            };
            edit.broken = edit.broken.or(broken);
        }
        if let Self::Kept(book) = self {
            named(book, here, policy, &mut edit)?;
            // The subjects of other repositories' records cannot be checked here.
            let own = edit
                .appended
                .iter()
                .filter(|record| Some(&record.repository) == book.repositories.first());
            let absent = own.filter_map(|record| Some((record.id, absent(here, record)?)));
            edit.absent = absent.collect();
        }
        Ok(Some(edit))
    }
}
