//! Reads the reflog of a ref: its moves and their receipt times. No push can write a reflog.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use chrono::DateTime;
use refgate_core::{Instant, Oid, RefName};

use crate::reader::Reader;

/// The longest line of a reflog that this server writes, in bytes.
const MAX_LINE_BYTES: u64 = 4_096;

/// One move of a ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReflogEntry {
    /// The old value; `None` if the move created the ref.
    pub old: Option<Oid>,
    /// The new value; `None` if the move deleted the ref.
    pub new: Option<Oid>,
    /// The time of the move.
    pub at: Instant,
}

/// All moves of a ref that its reflog still has, oldest first. Lines that cannot be parsed are
/// ignored.
#[must_use]
pub fn reflog(git_dir: &Path, name: &RefName) -> Vec<ReflogEntry> {
    log(git_dir, name.as_str())
}

fn log(git_dir: &Path, name: &str) -> Vec<ReflogEntry> {
    let path = git_dir.join("logs").join(name);
    let Ok(text) = std::fs::read(path) else { return Vec::new() };
    String::from_utf8_lossy(&text).lines().filter_map(line).collect()
}

impl Reader {
    /// All moves of the ref that holds the value of `name` at rest. In a clone, it can be a
    /// remote-tracking branch.
    pub(crate) fn moves(&self, name: &RefName) -> Vec<ReflogEntry> {
        log(self.git_dir(), &self.at_rest_name(name))
    }

    /// Whether the value of `name` at rest is that of a remote-tracking branch.
    pub(crate) fn is_fetched(&self, name: &RefName) -> bool {
        self.at_rest_name(name) != name.as_str()
    }
}

/// The last line of a reflog, if the ref never made the move in it. `here` is the value of the
/// ref. This happens when a process ends after it wrote the reflog, but before it moved the ref.
#[must_use]
pub fn orphan_reflog_entry(
    git_dir: &Path,
    name: &RefName,
    here: Option<Oid>,
) -> Option<ReflogEntry> {
    let last = last(git_dir, name)?;
    (last.new != here && last.old == here).then_some(last)
}

/// The last line of a reflog. Every push needs it, so only the end of the file is read.
fn last(git_dir: &Path, name: &RefName) -> Option<ReflogEntry> {
    let mut file = File::open(git_dir.join("logs").join(name.as_str())).ok()?;
    let start = file.metadata().ok()?.len().saturating_sub(MAX_LINE_BYTES);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut end = Vec::new();
    file.read_to_end(&mut end).ok()?;
    line(String::from_utf8_lossy(&end).lines().next_back()?)
}

fn line(text: &str) -> Option<ReflogEntry> {
    let (head, _) = text.split_once('\t').unwrap_or((text, ""));
    let mut words = head.splitn(3, ' ');
    let old = Oid::from_hex(words.next()?)?;
    let new = Oid::from_hex(words.next()?)?;
    let mut rest = words.next()?.rsplit(' ');
    rest.next()?;
    let at = DateTime::from_timestamp(rest.next()?.parse().ok()?, 0)?;
    let some = |id: Oid| (!id.is_zero()).then_some(id);
    Some(ReflogEntry { old: some(old), new: some(new), at })
}
