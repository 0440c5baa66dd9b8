//! What lies in the ledger, and what does a push add to it? Paths and texts; their meaning is read elsewhere.

use git2::ObjectType;
use refgate_core::{ChangeMode, EntryKind, LEDGER, LedgerFormError, Oid, RefName};

use crate::GitError;
use crate::reader::Reader;

/// The largest record, in bytes.
const MOST_BYTES: usize = 64 << 10;

/// The most records that one push may add.
const MOST_RECORDS: usize = 1_000;

/// A record's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFile {
    /// Its path in the ledger's tree.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// What a push adds to the ledger.
#[derive(Debug, Clone, Default)]
pub struct LedgerDelta {
    /// The new files, oldest first.
    pub added: Vec<RecordFile>,
    /// The first thing that it does besides adding files one by one.
    pub broken: Option<LedgerFormError>,
}

impl Reader {
    /// The ledger's tip at rest.
    ///
    /// # Errors
    /// If it exists and cannot be read.
    pub fn ledger_tip(&self) -> Result<Option<Oid>, GitError> {
        let Ok(name) = RefName::parse(LEDGER) else { return Ok(None) };
        Ok(self.reference(&name)?.map(|(tip, _)| tip))
    }

    /// The records of one folder of a ledger; none if there is no such folder.
    ///
    /// # Errors
    /// If something in it cannot be read, or is no file.
    pub fn shelf(&self, tip: Oid, folder: &str) -> Result<Vec<RecordFile>, GitError> {
        let tree = self.commit(tip)?.tree;
        let Some((0o40_000, id)) = self.entry_at(tree, folder)? else { return Ok(Vec::new()) };
        let mut files = Vec::new();
        for entry in self.tree(id)?.entries() {
            let path = format!("{folder}/{}", String::from_utf8_lossy(entry.name));
            if entry.mode != 0o100_644 {
                let why = format!("`{path}` in the ledger is no plain file");
                return Err(GitError::Object { id: entry.id, why });
            }
            let text = self.record_text(entry.id)?;
            files.push(RecordFile { path, text });
        }
        Ok(files)
    }

    /// The names of the folders in a folder of a ledger.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn shelves(&self, tip: Oid, folder: &str) -> Result<Vec<String>, GitError> {
        let tree = self.commit(tip)?.tree;
        let Some((0o40_000, id)) = self.entry_at(tree, folder)? else { return Ok(Vec::new()) };
        let tree = self.tree(id)?;
        let names = tree.entries().filter(crate::Entry::is_tree);
        Ok(names.map(|entry| String::from_utf8_lossy(entry.name).into_owned()).collect())
    }

    /// Every record of a ledger, in the order of their paths.
    ///
    /// # Errors
    /// If something in it cannot be read.
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
                    let text = self.record_text(entry.id)?;
                    each(RecordFile { path, text })?;
                }
            }
        }
        Ok(())
    }

    /// What is wrong with a ledger's history, if anything is: each commit has
    /// one parent, and the tree grows by one file.
    ///
    /// # Errors
    /// If a commit or tree cannot be read.
    pub fn ledger_chain(&self, tip: Oid) -> Result<Option<String>, GitError> {
        let mut at = Some(tip);
        while let Some(id) = at {
            let commit = self.commit(id)?;
            if commit.parents.len() > 1 {
                return Ok(Some(format!("commit {id} is a merge")));
            }
            at = commit.parents.first().copied();
            let before = at.map(|id| self.commit(id).map(|c| c.tree)).transpose()?;
            let changes = self.changes(id, before, Some(commit.tree))?;
            if !matches!(changes.as_slice(), [one] if one.mode == ChangeMode::Added) {
                return Ok(Some(format!("commit {id} does not add exactly one record")));
            }
        }
        Ok(None)
    }

    fn record_text(&self, id: Oid) -> Result<String, GitError> {
        let data = self.object(id, ObjectType::Blob, MOST_BYTES)?;
        let text = String::from_utf8(data);
        text.map_err(|_| GitError::Object { id, why: "it is not UTF-8".to_string() })
    }

    /// What lies between two states of the ledger: a chain of commits with one
    /// parent each, of which each adds one file (docs/design/threats.md, S11).
    ///
    /// # Errors
    /// If a commit or tree cannot be read, or there are too many.
    pub fn ledger_delta(&self, old: Option<Oid>, new: Oid) -> Result<LedgerDelta, GitError> {
        let mut delta = LedgerDelta::default();
        let mut at = new;
        while old != Some(at) {
            self.in_time()?;
            if delta.added.len() >= MOST_RECORDS {
                return Err(GitError::TooMany(MOST_RECORDS));
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
            let changes = self.changes(at, tree, Some(commit.tree))?;
            let [only] = changes.as_slice() else {
                return Ok(broken(LedgerFormError::NotOneFile { commit: at }));
            };
            let plain = only.mode == ChangeMode::Added && only.kind == EntryKind::File;
            let entry = self.entry_at(commit.tree, &only.path)?;
            let Some((0o100_644, blob)) = entry.filter(|_| plain) else {
                return Ok(broken(LedgerFormError::NotOneFile { commit: at }));
            };
            delta.added.push(RecordFile { path: only.path.clone(), text: self.record_text(blob)? });
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
