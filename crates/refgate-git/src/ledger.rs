//! Reads the record files of the ledger, and the files that a push adds. It never parses a record.

use std::rc::Rc;

use git2::ObjectType;
use refgate_core::{LEDGER, LedgerFormError, Oid, RefName};

use crate::GitError;
use crate::reader::Reader;
use crate::tree::changed_entries;

/// The largest record, in bytes.
const MAX_RECORD_BYTES: usize = 64 << 10;

/// The most folders above a record.
const MAX_DEPTH: usize = 8;

/// The maximum number of records that one push may add.
const MAX_RECORDS: usize = 1_000;

/// The file of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFile {
    /// The path in the tree of the ledger.
    pub path: String,
    /// The text of the file.
    pub text: String,
}

/// The changes of the ledger by a push.
#[derive(Debug, Clone, Default)]
pub struct LedgerDelta {
    /// The new files, oldest first.
    pub added: Vec<RecordFile>,
    /// The first commit that does anything else than add one file, if there is one.
    pub broken: Option<LedgerFormError>,
}

impl Reader {
    /// The tip of the ledger at rest; `None` if there is no ledger.
    ///
    /// # Errors
    /// Returns an error if the ref exists and cannot be read.
    pub fn ledger_tip(&self) -> Result<Option<Oid>, GitError> {
        let Ok(name) = RefName::parse(LEDGER) else { return Ok(None) };
        Ok(self.reference(&name)?.map(|(tip, _)| tip))
    }

    /// The records of one shelf of a ledger; none if the shelf does not exist.
    ///
    /// # Errors
    /// Returns an error if an entry cannot be read, or is not a regular file.
    pub fn shelf(&self, tip: Oid, folder: &str) -> Result<Vec<RecordFile>, GitError> {
        self.shelf_entries(tip, folder)?.into_iter().collect()
    }

    /// The entries of one shelf of a ledger, each with its own error, so that the caller can
    /// skip a damaged entry.
    ///
    /// # Errors
    /// Returns an error if the shelf itself cannot be read.
    pub fn shelf_entries(
        &self,
        tip: Oid,
        folder: &str,
    ) -> Result<Vec<Result<RecordFile, GitError>>, GitError> {
        let tree = self.commit(tip)?.tree;
        let Some((0o40_000, id)) = self.entry_at(tree, folder)? else { return Ok(Vec::new()) };
        let mut files = Vec::new();
        for entry in self.tree(id)?.entries() {
            let path = format!("{folder}/{}", String::from_utf8_lossy(entry.name));
            let file = match entry.mode {
                0o100_644 => self.record_text(entry.id).map(|text| RecordFile { path, text }),
                _ => {
                    let why = format!("`{path}` in the ledger is not a regular file");
                    Err(GitError::Object { id: entry.id, why })
                }
            };
            files.push(file);
        }
        Ok(files)
    }

    /// The names of the shelves in a directory of a ledger.
    ///
    /// # Errors
    /// Returns an error if the directory cannot be read.
    pub fn shelves(&self, tip: Oid, folder: &str) -> Result<Vec<String>, GitError> {
        let tree = self.commit(tip)?.tree;
        let Some((0o40_000, id)) = self.entry_at(tree, folder)? else { return Ok(Vec::new()) };
        let tree = self.tree(id)?;
        let names = tree.entries().filter(crate::Entry::is_tree);
        Ok(names.map(|entry| String::from_utf8_lossy(entry.name).into_owned()).collect())
    }

    /// Calls `each` with every record of a ledger.
    ///
    /// # Errors
    /// Returns an error if an entry cannot be read, or `each` returns an error.
    pub fn all_records(
        &self,
        tip: Oid,
        each: &mut dyn FnMut(RecordFile) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        let mut folders = vec![(String::new(), self.commit(tip)?.tree)];
        while let Some((path, id)) = folders.pop() {
            for entry in self.tree(id)?.entries() {
                let name = String::from_utf8_lossy(entry.name);
                let path =
                    if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
                if entry.is_tree() {
                    folders.push((path, entry.id));
                } else {
                    // An entry that cannot be read is passed on without a text, so that the
                    // caller lists it as not valid and goes on.
                    let text = self.record_text(entry.id).unwrap_or_default();
                    each(RecordFile { path, text })?;
                }
            }
        }
        Ok(())
    }

    /// The first fault in the history of a ledger, or `None`. Each commit must have at most
    /// one parent, and must add exactly one file.
    ///
    /// # Errors
    /// Returns an error if a commit or tree cannot be read.
    pub fn ledger_chain(&self, tip: Oid) -> Result<Option<String>, GitError> {
        let mut at = Some(tip);
        while let Some(id) = at {
            let commit = self.commit(id)?;
            if commit.parents.len() > 1 {
                return Ok(Some(format!("commit {id} is a merge commit")));
            }
            at = commit.parents.first().copied();
            let before = at.map(|id| self.commit(id).map(|c| c.tree)).transpose()?;
            if self.only_addition(before, commit.tree)?.is_none() {
                return Ok(Some(format!("commit {id} does not add exactly one record")));
            }
        }
        Ok(None)
    }

    /// The path and the blob of the only file that a tree has beyond another one, if that
    /// is the only difference. It compares entries and not lists of files, because a list of
    /// files shows no empty folder.
    fn only_addition(
        &self,
        before: Option<Oid>,
        after: Oid,
    ) -> Result<Option<(String, Oid)>, GitError> {
        let (mut before, mut after) = (before, after);
        let mut path = String::new();
        for _ in 0..MAX_DEPTH {
            let old = before.map_or_else(|| Ok(Rc::default()), |id| self.tree(id))?;
            let new = self.tree(after)?;
            let mut changed = changed_entries(&old, &new);
            let (Some((gone, Some(came))), None) = (changed.next(), changed.next()) else {
                return Ok(None);
            };
            let Ok(name) = std::str::from_utf8(came.name) else { return Ok(None) };
            path.push_str(name);
            match (gone, came.mode) {
                (None, 0o100_644) => return Ok(Some((path, came.id))),
                (None, 0o40_000) => before = None,
                (Some(gone), 0o40_000) if gone.is_tree() => before = Some(gone.id),
                _ => return Ok(None),
            }
            path.push('/');
            after = came.id;
        }
        Ok(None)
    }

    fn record_text(&self, id: Oid) -> Result<String, GitError> {
        let data = self.object(id, ObjectType::Blob, MAX_RECORD_BYTES)?;
        let text = String::from_utf8(data);
        text.map_err(|_| GitError::Object { id, why: "it is not valid UTF-8".to_string() })
    }

    /// The records that are added between two tips of the ledger. The commits must be a chain
    /// without merges, and each must add one file (docs/design/threats.md, S11).
    ///
    /// # Errors
    /// Returns an error if a commit or tree cannot be read, or there are too many records.
    pub fn ledger_delta(&self, old: Option<Oid>, new: Oid) -> Result<LedgerDelta, GitError> {
        let mut delta = LedgerDelta::default();
        let mut at = new;
        while old != Some(at) {
            self.check_deadline()?;
            if delta.added.len() >= MAX_RECORDS {
                return Err(GitError::TooMany(MAX_RECORDS));
            }
            let commit = self.commit(at)?;
            let before = match (commit.parents.as_slice(), old) {
                (_, _) if commit.defect.is_some() => {
                    return Ok(broken(LedgerFormError::NotOneFile { commit: at }));
                }
                ([parent], _) => Some(*parent),
                ([], None) => None,
                ([], Some(_)) => return Ok(broken(LedgerFormError::NotForward)),
                _ => return Ok(broken(LedgerFormError::Merge { commit: at })),
            };
            let tree = before.map(|id| self.commit(id).map(|c| c.tree)).transpose()?;
            let Some((path, blob)) = self.only_addition(tree, commit.tree)? else {
                return Ok(broken(LedgerFormError::NotOneFile { commit: at }));
            };
            delta.added.push(RecordFile { path, text: self.record_text(blob)? });
            match before {
                Some(parent) => at = parent,
                None => break,
            }
        }
        delta.added.reverse();
        Ok(delta)
    }
}

fn broken(broken: LedgerFormError) -> LedgerDelta {
    LedgerDelta { added: Vec::new(), broken: Some(broken) }
}
