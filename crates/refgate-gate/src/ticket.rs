//! Makes sure that no fact of a decision changes before its ref updates are made.
//!
//! `pre-receive` writes a ticket with the facts that it read and the updates that it accepted.
//! The hook that guards the refs reads the ticket and compares (docs/design/threats.md, R10).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use refgate_core::{
    Instant, LEDGER, Oid, Policy, Push, RefKind, RefName, ReleaseRules, TagPattern,
};
use refgate_format::fingerprint;
use refgate_git::{GitError, Reader, ReflogEntry, orphan_reflog_entry};

use crate::install::DIRECTORY;

/// The directory of the tickets.
const FOLDER: &str = "tickets";

/// The time for which a ticket is valid, in seconds. It covers the rest of one push.
const VALID_SECONDS: i64 = 3_600;

/// The facts that a decision read, and the updates that it accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ticket {
    /// The time of the decision by the server's clock, in seconds since 1970.
    pub at: i64,
    /// The time of the first unused ticket for the same update.
    pub first: i64,
    /// The state of policy, signers and ledger (see [`crate::Governance::state`]).
    pub policy: String,
    /// The patterns of release tags.
    pub patterns: Vec<TagPattern>,
    /// The hash of the release tags and their values.
    pub releases: String,
    /// The refs that the decision read, with their values.
    pub reads: BTreeMap<String, Option<Oid>>,
    /// The accepted updates: the name of the ref, the old value and the new value.
    pub moves: BTreeMap<String, (Option<Oid>, Option<Oid>)>,
}

/// Why a ref must not be updated now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardRejection {
    /// No decision accepted this update.
    #[error(
        "no decision accepted this update of `{0}`; an administrator can bypass refgate with \
         `git -c core.hooksPath=/dev/null`, and `refgate audit` will report the update"
    )]
    Unknown(String),
    /// A ref that the decision read has changed.
    #[error("`{0}` changed while this push was being judged; push again")]
    Moved(String),
    /// The policy, the signers or the releases have changed.
    #[error("the policy or a release changed while this push was being judged; push again")]
    Changed,
    /// The ticket is not valid any more.
    #[error("the decision about `{0}` is too old; push again")]
    Old(String),
}

impl Ticket {
    /// The ticket of a decision that accepts a push.
    ///
    /// # Errors
    /// Returns an error if a ref cannot be read.
    pub fn new(
        reader: &Reader,
        policy: &Policy,
        state: String,
        push: &Push,
        now: Instant,
    ) -> Result<Self, GitError> {
        let mut ticket = Self {
            at: now.timestamp(),
            first: now.timestamp(),
            policy: state,
            patterns: policy.release.tags.clone(),
            ..Self::default()
        };
        for update in &push.updates {
            let values = (update.change.old_value(), update.change.new_value());
            ticket.moves.insert(update.name.as_str().to_string(), values);
        }
        let ledger = RefName::parse(LEDGER).ok();
        let stages = policy.flow.stages.iter().map(|stage| stage.branch.clone());
        for name in stages.chain(ledger) {
            let value = reader.reference(&name)?.map(|(id, _)| id);
            ticket.reads.insert(name.as_str().to_string(), value);
        }
        ticket.releases = ticket.releases_now(reader)?;
        Ok(ticket)
    }

    /// The hash of the release tags on the server, without those that this push updates.
    fn releases_now(&self, reader: &Reader) -> Result<String, GitError> {
        let rules = ReleaseRules { tags: self.patterns.clone(), ..ReleaseRules::default() };
        let mut text = String::new();
        for (name, value) in reader.tags()? {
            let release = name.strip_prefix("refs/tags/").and_then(|tag| rules.version(tag));
            if release.is_some() && !self.moves.contains_key(&name) {
                text.push_str(&format!("{name} {value}\n"));
            }
        }
        Ok(fingerprint(&text))
    }

    /// Writes one file for each accepted update of a governed ref.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn write_files(&self, directory: &Path, policy: &Policy) -> std::io::Result<()> {
        let folder = directory.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let mut newest = None;
        for (name, (old, new)) in &self.moves {
            if needs_ticket(policy, name) {
                let before = Self::find(directory, name, *old, *new);
                let first = before.map_or(self.first, |before| before.first);
                // The file is read after this hook has ended. A partial file does not parse.
                let own = path(directory, name, *old, *new);
                fs::write(&own, self.text(first))?;
                newest = Some(own);
            }
        }
        if let Some(newest) = newest {
            remove_old_tickets(&folder, &newest);
        }
        Ok(())
    }

    fn text(&self, first: i64) -> String {
        let show = |id: Option<Oid>| id.unwrap_or_default().to_string();
        let Self { at, policy, releases, .. } = self;
        let mut text = format!("at {at}\nfirst {first}\npolicy {policy}\nreleases {releases}\n");
        for pattern in &self.patterns {
            text.push_str(&format!("tags {pattern}\n"));
        }
        for (name, value) in &self.reads {
            text.push_str(&format!("read {} {name}\n", show(*value)));
        }
        for (name, (old, new)) in &self.moves {
            text.push_str(&format!("move {} {} {name}\n", show(*old), show(*new)));
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let some = |hex: &str| Oid::from_hex(hex).map(|id| (!id.is_zero()).then_some(id));
        let mut ticket = Self::default();
        for line in text.lines() {
            let (kind, rest) = line.split_once(' ')?;
            match kind {
                "at" => ticket.at = rest.parse().ok()?,
                "first" => ticket.first = rest.parse().ok()?,
                "policy" => ticket.policy = rest.to_string(),
                "releases" => ticket.releases = rest.to_string(),
                "tags" => ticket.patterns.push(TagPattern::new(rest)?),
                "read" => {
                    let (value, name) = rest.split_once(' ')?;
                    ticket.reads.insert(name.to_string(), some(value)?);
                }
                "move" => {
                    let mut words = rest.splitn(3, ' ');
                    let values = (some(words.next()?)?, some(words.next()?)?);
                    ticket.moves.insert(words.next()?.to_string(), values);
                }
                _ => return None,
            }
        }
        Some(ticket)
    }

    /// The ticket for an update, if a decision wrote one.
    #[must_use]
    pub fn find(directory: &Path, name: &str, old: Option<Oid>, new: Option<Oid>) -> Option<Self> {
        let text = fs::read_to_string(path(directory, name, old, new)).ok()?;
        Self::parse(&text).filter(|ticket| ticket.moves.get(name) == Some(&(old, new)))
    }

    /// The last reflog entry of a ref, if its update was interrupted before the ref was written:
    /// the ref has the old value, and the ticket of the update still exists. An update that was
    /// made has no ticket any more. If somebody reverted an update manually and pushes it again,
    /// the new ticket is younger than the reflog entry, so the entry is kept.
    ///
    /// # Errors
    /// Returns an error if the ref cannot be read.
    pub fn interrupted_update(
        reader: &Reader,
        name: &RefName,
    ) -> Result<Option<ReflogEntry>, GitError> {
        let here = reader.reference(name)?.map(|(id, _)| id);
        let directory = reader.git_dir().join(DIRECTORY);
        let pending = |moved: &ReflogEntry| {
            Self::find(&directory, name.as_str(), moved.old, moved.new)
                .is_some_and(|ticket| ticket.first <= moved.at.timestamp())
        };
        Ok(orphan_reflog_entry(reader.git_dir(), name, here).filter(pending))
    }

    /// Deletes the ticket of an update that was made.
    pub fn delete_file(directory: &Path, name: &str, old: Option<Oid>, new: Option<Oid>) {
        // If this fails, `remove_old_tickets` deletes the ticket later.
        let _ = fs::remove_file(path(directory, name, old, new));
    }

    /// Compares the facts of the ticket with the present ones. A ref that the same push has already
    /// updated may have its new value.
    ///
    /// # Errors
    /// Returns an error if a ref cannot be read. The inner error states what has changed.
    pub fn check(
        &self,
        reader: &Reader,
        state: &str,
        now: Instant,
    ) -> Result<Result<(), GuardRejection>, GitError> {
        if (now.timestamp() - self.at).abs() > VALID_SECONDS {
            let name = self.moves.keys().next().cloned().unwrap_or_default();
            return Ok(Err(GuardRejection::Old(name)));
        }
        for (name, read) in &self.reads {
            let Ok(full) = RefName::parse(name) else { continue };
            let value = reader.reference(&full)?.map(|(id, _)| id);
            let own = self.moves.get(name).is_some_and(|(_, new)| *new == value);
            if value != *read && !own {
                return Ok(Err(GuardRejection::Moved(name.clone())));
            }
        }
        let same = self.releases_now(reader)? == self.releases && state == self.policy;
        Ok(if same { Ok(()) } else { Err(GuardRejection::Changed) })
    }
}

/// Whether an update of a ref needs a ticket.
#[must_use]
pub fn needs_ticket(policy: &Policy, name: &str) -> bool {
    let Ok(name) = RefName::parse(name) else { return false };
    matches!(policy.kind(&name), RefKind::Governed(_) | RefKind::Release(_) | RefKind::Ledger)
}

fn path(directory: &Path, name: &str, old: Option<Oid>, new: Option<Oid>) -> PathBuf {
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    directory.join(FOLDER).join(fingerprint(&format!("{old} {new} {name}")))
}

/// Deletes the tickets of pushes that were interrupted. The age of the file decides, because
/// another push may be writing its content. The time of the `newest` file is the present time.
fn remove_old_tickets(folder: &Path, newest: &Path) {
    let Ok(now) = fs::metadata(newest).and_then(|about| about.modified()) else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let Ok(at) = entry.metadata().and_then(|about| about.modified()) else { continue };
        let age = now.duration_since(at).unwrap_or_default().as_secs();
        if age > VALID_SECONDS.unsigned_abs() {
            let _ = fs::remove_file(entry.path());
        }
    }
}
