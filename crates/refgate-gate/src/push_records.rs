//! Selects the records that one decision can use: by the branches, commits and people of its
//! push. It reads no shelf that the push does not concern.

use refgate_core::{
    History, Instant, LEDGER, LedgerEdit, LedgerFormError, LedgerView, Policy, Push, Record,
    RecordBody, RefChange, RefKind, SignOffCount,
};
use refgate_format::{Signers, path_of, shelf_for, slug};
use refgate_git::{Reader, ServerSurvey};

use crate::ledger_reader::{LedgerError, LedgerReader, read_signed, waivers};
use crate::record_targets::{absent, named};

/// The source of the records for a decision.
#[derive(Clone, Copy)]
pub enum Records<'a> {
    /// The records of a training repository, which are not signed.
    Given(&'a [Record]),
    /// The records of a ledger.
    Kept(LedgerReader<'a>),
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
        let (mut promotes, mut governed) = (false, false);
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
            // A freeze cannot be signed off while a blocker of its release is open.
            let appended = facts.ledger_edit.iter().flat_map(|edit| &edit.appended);
            folders.extend(appended.filter_map(|record| match &record.body {
                RecordBody::FreezeExit { release } => Some(format!("after/{}", slug(release))),
                _ => None,
            }));
            let folder = facts.policy_edit.as_ref().and_then(|edit| edit.folder);
            folders.extend(folder.map(|folder| shelf_for("approval", &folder)));
            folders.extend(facts.debts.iter().map(|debt| shelf_for("not-applicable", &debt.fix)));
            let later = matches!(&kind, RefKind::Governed(target) if !target.is_first());
            promotes |= later && !facts.landings.is_empty();
            governed |= matches!(&kind, RefKind::Governed(_) | RefKind::Release(_));
        }
        if governed {
            folders.extend(push.actor.iter().map(|who| format!("certificate/{}", slug(&who.0))));
        }
        if promotes {
            let everybody = policy.gate.sign_offs.iter();
            let everybody = everybody.filter(|wanted| wanted.people == SignOffCount::All);
            let people = everybody.flat_map(|wanted| policy.roles.people(&wanted.role));
            folders.extend(people.map(|person| format!("absence/{}", slug(person))));
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
