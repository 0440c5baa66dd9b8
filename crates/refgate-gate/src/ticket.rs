//! Has anything that a decision relied on moved before the references do?
//!
//! The decision leaves a ticket: what it read, and what it lets move. Who moves
//! the references asks for the ticket and compares (docs/design/threats.md, R10).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use refgate_core::{
    Instant, LEDGER, Oid, Policy, Push, RefKind, RefName, ReleaseRules, TagPattern,
};
use refgate_format::fingerprint;
use refgate_git::{GitError, Reader, ReflogEntry, orphan_reflog_entry};

use crate::install::DIRECTORY;

/// The folder of the tickets.
const FOLDER: &str = "tickets";

/// A ticket is good for this long, in seconds: the rest of one push.
const GOOD_FOR: i64 = 3_600;

/// What a decision read, and what it lets move.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ticket {
    /// When it was made, in seconds since 1970, by the server's clock.
    pub at: i64,
    /// When the first ticket for the same move was made that was not spent.
    pub first: i64,
    /// What governed then (see [`crate::Governance::state`]).
    pub policy: String,
    /// How release tags are written.
    pub patterns: Vec<TagPattern>,
    /// What the releases were.
    pub releases: String,
    /// References that it read, and their values.
    pub reads: BTreeMap<String, Option<Oid>>,
    /// References that it lets move: from, to.
    pub moves: BTreeMap<String, (Option<Oid>, Option<Oid>)>,
}

/// Why a reference may not move now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardRejection {
    /// Nobody decided about this move.
    #[error(
        "no decision lets `{0}` move so; who administers this server can move it past refgate with \
         `git -c core.hooksPath=/dev/null`, which `refgate audit` will show"
    )]
    Unknown(String),
    /// Something was changed in the meantime.
    #[error("`{0}` moved while this push was being judged; push again")]
    Moved(String),
    /// The policy, the list of signers or the releases changed.
    #[error("the policy or a release changed while this push was being judged; push again")]
    Changed,
    /// The decision is too old.
    #[error("the decision about `{0}` is too old; push again")]
    Old(String),
}

impl Ticket {
    /// The ticket of a decision that lets a push pass.
    ///
    /// # Errors
    /// If a reference cannot be read.
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

    /// The releases at rest, as one text; those of this very push are left out.
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

    /// Leaves the ticket where it will be asked for.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn leave(&self, directory: &Path, policy: &Policy) -> std::io::Result<()> {
        let folder = directory.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let mut newest = None;
        for (name, (old, new)) in &self.moves {
            if guarded(policy, name) {
                let before = Self::find(directory, name, *old, *new);
                let first = before.map_or(self.first, |before| before.first);
                // Git asks for it when this hook has ended; half of one is none.
                let own = path(directory, name, *old, *new);
                fs::write(&own, self.text(first))?;
                newest = Some(own);
            }
        }
        if let Some(newest) = newest {
            sweep(&folder, &newest);
        }
        Ok(())
    }

    fn text(&self, first: i64) -> String {
        let show = |id: Option<Oid>| id.unwrap_or_default().to_string();
        let Self { at, policy, releases, .. } = self;
        let mut text = format!("at {at}\nfirst {first}\npolicy {policy}\nreleases {releases}\n");
        for pattern in &self.patterns {
            text.push_str(&format!("tags {}{{version}}{}\n", pattern.prefix, pattern.suffix));
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

    /// The ticket for one move, if a decision left one.
    #[must_use]
    pub fn find(directory: &Path, name: &str, old: Option<Oid>, new: Option<Oid>) -> Option<Self> {
        let text = fs::read_to_string(path(directory, name, old, new)).ok()?;
        Self::parse(&text).filter(|ticket| ticket.moves.get(name) == Some(&(old, new)))
    }

    /// The move that a reference's log announces and that was never made, if a
    /// ticket for it is still there: whoever was to make it was stopped in
    /// between. A move that was made has spent its ticket, so what somebody
    /// turned back by hand is not taken for one, even if it is pushed once more:
    /// the ticket for that is younger than what the log announced.
    ///
    /// # Errors
    /// If the reference cannot be read.
    pub fn cut_off(reader: &Reader, name: &RefName) -> Result<Option<ReflogEntry>, GitError> {
        let here = reader.reference(name)?.map(|(id, _)| id);
        let directory = reader.git_dir().join(DIRECTORY);
        let pending = |moved: &ReflogEntry| {
            Self::find(&directory, name.as_str(), moved.old, moved.new)
                .is_some_and(|ticket| ticket.first <= moved.at.timestamp())
        };
        Ok(orphan_reflog_entry(reader.git_dir(), name, here).filter(pending))
    }

    /// Takes the ticket of a move that has been made away.
    pub fn spend(directory: &Path, name: &str, old: Option<Oid>, new: Option<Oid>) {
        // One that stays is swept away later.
        let _ = fs::remove_file(path(directory, name, old, new));
    }

    /// Whether all is as it was read. What the same push has moved by now
    /// stands where it was let.
    ///
    /// # Errors
    /// What has changed.
    pub fn check(
        &self,
        reader: &Reader,
        state: &str,
        now: Instant,
    ) -> Result<Result<(), GuardRejection>, GitError> {
        if (now.timestamp() - self.at).abs() > GOOD_FOR {
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

/// Whether a reference moves only with a ticket.
#[must_use]
pub fn guarded(policy: &Policy, name: &str) -> bool {
    let Ok(name) = RefName::parse(name) else { return false };
    matches!(policy.kind(&name), RefKind::Governed(_) | RefKind::Release(_) | RefKind::Ledger)
}

fn path(directory: &Path, name: &str, old: Option<Oid>, new: Option<Oid>) -> PathBuf {
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    directory.join(FOLDER).join(fingerprint(&format!("{old} {new} {name}")))
}

/// Removes tickets of pushes that never came to their end, by the age of the file:
/// what it says may be written by another push at this moment. What was written
/// just now says how late it is.
fn sweep(folder: &Path, newest: &Path) {
    let Ok(now) = fs::metadata(newest).and_then(|about| about.modified()) else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let Ok(at) = entry.metadata().and_then(|about| about.modified()) else { continue };
        let age = now.duration_since(at).unwrap_or_default().as_secs();
        if age > GOOD_FOR.unsigned_abs() {
            let _ = fs::remove_file(entry.path());
        }
    }
}
