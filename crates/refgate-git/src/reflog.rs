//! When did a reference move on this server? Git's own log of it, which no push can write.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use chrono::DateTime;
use refgate_core::{Instant, Oid, RefName};

use crate::reader::Reader;

/// No line of a log that this server writes is longer, in bytes.
const LONGEST: u64 = 4_096;

/// One move of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReflogEntry {
    /// What it was; `None` where it came into being.
    pub old: Option<Oid>,
    /// What it became; `None` where it went.
    pub new: Option<Oid>,
    /// When.
    pub at: Instant,
}

/// All moves of a reference that the log still has, oldest first. A line that
/// cannot be read says nothing.
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
    /// All moves that the log still has of what is at rest under a name: in a
    /// clone that looks through a remote, of what was fetched.
    pub(crate) fn moves(&self, name: &RefName) -> Vec<ReflogEntry> {
        log(self.git_dir(), &self.at_rest_name(name))
    }

    /// When the repository was cloned from the remote through which it is seen.
    pub(crate) fn cloned(&self) -> Option<Instant> {
        let head = self.remote()?.to_string();
        log(self.git_dir(), &format!("refs/remotes/{head}/HEAD")).first().map(|moved| moved.at)
    }

    /// Whether what is at rest under a name is what was last fetched.
    pub(crate) fn is_fetched(&self, name: &RefName) -> bool {
        self.at_rest_name(name) != name.as_str()
    }
}

/// The last line of a log that tells of a move which the reference, as it
/// stands `here`, has not made: who moved it was stopped in between.
#[must_use]
pub fn announced(git_dir: &Path, name: &RefName, here: Option<Oid>) -> Option<ReflogEntry> {
    let last = last(git_dir, name)?;
    (last.new != here && last.old == here).then_some(last)
}

/// The last line of a log; every push asks for it, so only the end is read.
fn last(git_dir: &Path, name: &RefName) -> Option<ReflogEntry> {
    let mut file = File::open(git_dir.join("logs").join(name.as_str())).ok()?;
    let start = file.metadata().ok()?.len().saturating_sub(LONGEST);
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
