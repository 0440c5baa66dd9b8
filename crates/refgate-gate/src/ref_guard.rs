//! Checks the tickets of ref updates while the refs are locked: for the `reference-transaction`
//! hook with the guard `portable`, and for `proc-receive` with the guard `strict`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use refgate_core::{Instant, LEDGER, Oid, Policy, RefName};
use refgate_format::Limits;
use refgate_git::{GitError, Reader, RefTransaction};

use crate::governance::Governance;
use crate::install::DIRECTORY;
use crate::setup::{Setup, bounds};
use crate::ticket::{GuardRejection, Ticket, needs_ticket};
use crate::{Exit, Outcome};

/// A value of a ref, as Git writes it in an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefTarget {
    /// The ref does not exist. Git writes zeros.
    Absent,
    /// The ref points to an object.
    Object(Oid),
    /// The ref points to another ref.
    Symbolic,
}

impl RefTarget {
    /// Parses a value. A text that is none of the three is `None`, never an absent ref: an id
    /// of another length would otherwise read as a deletion.
    fn parse(text: &str) -> Option<Self> {
        if text.starts_with("ref:") {
            return Some(Self::Symbolic);
        }
        Oid::from_hex(text).map(|id| if id.is_zero() { Self::Absent } else { Self::Object(id) })
    }

    /// The object, if the ref points to one.
    #[must_use]
    pub const fn object(self) -> Option<Oid> {
        match self {
            Self::Object(id) => Some(id),
            Self::Absent | Self::Symbolic => None,
        }
    }
}

/// A ref update that Git announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingMove {
    /// The old value.
    pub old: RefTarget,
    /// The new value.
    pub new: RefTarget,
    /// The full name of the ref.
    pub name: String,
}

/// Parses the lines that Git writes to `reference-transaction` or `proc-receive`.
///
/// # Errors
/// Returns an error that quotes the first line that is not an update.
pub fn parse_moves(text: &str) -> Result<Vec<PendingMove>, String> {
    let line = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let old = RefTarget::parse(words.next()?)?;
        let new = RefTarget::parse(words.next()?)?;
        let name = words.next().filter(|name| !name.is_empty())?;
        Some(PendingMove { old, new, name: name.to_string() })
    };
    let parse = |text: &str| line(text).ok_or_else(|| format!("cannot parse the update `{text}`"));
    text.lines().map(parse).collect()
}

struct GuardContext {
    reader: Reader,
    setup: Setup,
    /// The time for the check. In a training repository, it is the time of the training clock.
    now: Instant,
    /// The time of the system clock.
    clock: Instant,
}

impl GuardContext {
    fn open(now: Instant) -> Result<Self, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let mut reader =
            Reader::open_from_env(bounds(&Limits::default())).map_err(|error| said(&error))?;
        let setup = Setup::read(reader.git_dir()).map_err(|error| said(&error))?;
        reader.set_bounds(bounds(&setup.settings.limits));
        let training = setup.training().map_err(|error| said(&error))?;
        let clock = now;
        let now = training.map_or(now, |training| training.at);
        Ok(Self { reader, setup, now, clock })
    }

    fn open_governance(&self) -> Result<Governance<'_>, String> {
        Governance::of(&self.reader, &self.setup, self.clock).map_err(|error| error.to_string())
    }

    fn policy(&self) -> Result<Policy, String> {
        let loaded = self.open_governance()?.policy(self.now);
        loaded.map(|sourced| sourced.policy).map_err(|error| error.to_string())
    }

    /// The policy, if these updates change the ledger of a control repository.
    fn governed(&self, moves: &[PendingMove]) -> Result<Option<Policy>, String> {
        let ledger = moves.iter().any(|one| one.name == LEDGER);
        let any = ledger && !self.setup.settings.governs.is_empty();
        if any { self.policy().map(Some) } else { Ok(None) }
    }

    fn ticket(&self, one: &PendingMove) -> Option<Ticket> {
        Ticket::find(&self.setup.directory, &one.name, one.old.object(), one.new.object())
    }

    /// Checks the ticket of an update. Only if there is no ticket, the policy is read, to see
    /// whether the ref needs one.
    fn check(&self, one: &PendingMove) -> Result<(), String> {
        let symbolic = [one.old, one.new].contains(&RefTarget::Symbolic);
        let Some(ticket) = self.ticket(one).filter(|_| !symbolic) else {
            if !needs_ticket(&self.policy()?, &one.name) {
                return Ok(());
            }
            return Err(GuardRejection::Unknown(one.name.clone()).to_string());
        };
        let state = self.open_governance()?.state().map_err(|error| error.to_string())?;
        let checked = ticket.check(&self.reader, &state, self.now);
        checked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

fn reject_update(why: &str) -> Outcome {
    let why = refgate_report::clean_block(&format!("refgate: rejected. {why}"));
    let lines = why.lines().map(|line| refgate_report::wrap("", "  ", line));
    let text = lines.collect::<Vec<_>>().join("\n");
    Outcome { exit: Exit::Rejected, text }
}

const ACCEPT: Outcome = Outcome { exit: Exit::Accepted, text: String::new() };

/// Handles `reference-transaction`. In the state `prepared`, the refs are locked, and a rejection
/// leaves them unchanged.
#[must_use]
pub fn transaction(
    git_dir: &Path,
    state: &str,
    stdin: &str,
    now: Instant,
    quarantined: bool,
) -> Outcome {
    if !matches!(state, "prepared" | "committed") {
        return ACCEPT;
    }
    let mut moves = match parse_moves(stdin) {
        Ok(moves) => moves,
        Err(_) if state == "committed" => return ACCEPT,
        Err(why) => return reject_update(&why),
    };
    moves.retain(|one| one.name.starts_with("refs/"));
    if moves.is_empty() {
        return ACCEPT;
    }
    if state == "committed" {
        // The repository is not opened: a push of many topic refs runs this for each of them.
        let directory = git_dir.join(DIRECTORY);
        for one in &moves {
            Ticket::delete_file(&directory, &one.name, one.old.object(), one.new.object());
        }
        return ACCEPT;
    }
    let context = match GuardContext::open(now) {
        Ok(context) => context,
        Err(why) => return reject_update(&why),
    };
    for one in &moves {
        if let Err(why) = context.check(one) {
            return reject_update(&why);
        }
    }
    match keep_deleted(context, &moves, quarantined) {
        Ok(()) => ACCEPT,
        Err(why) => reject_update(&format!("cannot keep the commits of the deleted ref: {why}")),
    }
}

/// Keeps the old value of each ref that Git is about to delete, so that it can be restored. If
/// the deletion fails, the kept value does no harm.
fn keep_deleted(
    context: GuardContext,
    moves: &[PendingMove],
    quarantined: bool,
) -> Result<(), String> {
    let gone = |one: &&PendingMove| one.new == RefTarget::Absent && context.ticket(one).is_some();
    let gone: Vec<&PendingMove> = moves.iter().filter(gone).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let said = |error: GitError| error.to_string();
    let transaction_writer = RefTransaction::of(context.reader, quarantined).map_err(said)?;
    for one in gone {
        if let Some(old) = one.old.object() {
            transaction_writer.keep_deleted(&one.name, old).map_err(said)?;
        }
    }
    Ok(())
}

/// Handles `post-receive`: after the server acknowledged a freeze or a release, no landing that
/// was checked before it may follow. This function waits until such landings are finished.
pub fn wait_for_older_landings(git_dir: &Path, stdin: &str, now: Instant) {
    let matters = |name: &str| name == LEDGER || name.starts_with("refs/tags/");
    // A line that cannot be parsed may name such a ref, so it waits, too.
    if parse_moves(stdin).is_ok_and(|moves| !moves.iter().any(|one| matters(&one.name))) {
        return;
    }
    let Ok(context) = GuardContext::open(now) else { return };
    let Ok(policy) = context.policy() else { return };
    let mut folders = vec![git_dir.to_path_buf()];
    folders.extend(context.setup.settings.governs.values().map(PathBuf::from));
    for folder in folders {
        wait_for_landings(&folder, &policy);
    }
}

/// Waits until no landing in this repository is in progress that was checked before.
fn wait_for_landings(git_dir: &Path, policy: &Policy) {
    // With the guard `strict`, `proc-receive` holds this lock while it checks and updates refs.
    if let Ok(lock) = std::fs::File::open(git_dir.join(DIRECTORY).join(UPDATE_LOCK)) {
        let _ = lock.lock();
    }
    // A landing that was checked before has already locked its ref. A landing that locks its ref
    // later reads the new ledger.
    let mut held = Vec::new();
    find_locks(git_dir, "refs/heads", policy, &mut held);
    // Git holds a lock for milliseconds. A lock that stays is stale, and harmless here.
    for _ in 0..500 {
        held.retain(|lock| lock.exists());
        if held.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Finds the lock files of stages and lines in a directory of refs, recursively.
fn find_locks(git_dir: &Path, folder: &str, policy: &Policy, held: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(git_dir.join(folder)) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find_locks(git_dir, &name, policy, held);
        } else if name.strip_suffix(".lock").is_some_and(|name| needs_ticket(policy, name)) {
            held.push(entry.path());
        }
    }
}

/// The file that is locked while `proc-receive` updates governed refs.
const UPDATE_LOCK: &str = "moving.lock";

/// libgit2 writes the reflog entry before the ref. If a kill or a full disk stopped it in between,
/// this function removes the last reflog entry. If that fails, the next update repeats it, and
/// the audit skips the entry until then.
fn drop_orphan_reflog_entry(reader: &Reader, one: &PendingMove) {
    let Ok(name) = RefName::parse(&one.name) else { return };
    if Ticket::interrupted_update(reader, &name).is_ok_and(|found| found.is_some()) {
        let _ = RefTransaction::drop_orphan_reflog_entry(reader.git_dir(), &name);
    }
}

/// Handles `proc-receive`: checks the tickets and updates all refs of a push in one transaction,
/// under one lock. The result has one answer for each ref.
#[must_use]
pub fn update_refs(
    moves: &[PendingMove],
    now: Instant,
    quarantined: bool,
) -> Vec<(String, Result<(), String>)> {
    let done = GuardContext::open(now).and_then(|context| {
        // All governed refs of this repository are updated under this lock, so no checked value
        // changes before the transaction is done.
        let lock = std::fs::File::create(context.setup.directory.join(UPDATE_LOCK))
            .map_err(|error| error.to_string())?;
        lock.lock().map_err(|error| error.to_string())?;
        // Git selects the refs by the beginning of their names. Topic refs among them need no
        // ticket.
        for one in moves {
            context.check(one)?;
            drop_orphan_reflog_entry(&context.reader, one);
        }
        let steps: Vec<_> = moves
            .iter()
            .map(|one| (one.name.as_str(), one.old.object(), one.new.object()))
            .collect();
        let governed = context.governed(moves)?;
        let GuardContext { reader, setup, now, .. } = context;
        // Git calls `proc-receive` after it moved the objects out of the quarantine.
        let moved = RefTransaction::of(reader, quarantined)
            .and_then(|transaction_writer| transaction_writer.update_refs(&steps, now));
        if let Err(error) = moved {
            if let Ok(context) = GuardContext::open(now) {
                moves.iter().for_each(|one| drop_orphan_reflog_entry(&context.reader, one));
            }
            return Err(error.to_string());
        }
        for one in moves {
            Ticket::delete_file(&setup.directory, &one.name, one.old.object(), one.new.object());
        }
        if let Some(policy) = governed {
            setup
                .settings
                .governs
                .values()
                .for_each(|path| wait_for_landings(Path::new(path), &policy));
        }
        Ok(())
    });
    moves.iter().map(|one| (one.name.clone(), done.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn reads_zeros_ids_and_symbolic_values_and_nothing_else() {
        let zeros = "0".repeat(40);
        let parsed = parse_moves(&format!("{zeros} {ID} refs/heads/dev\n")).unwrap();
        assert_eq!(parsed[0].old, RefTarget::Absent);
        assert_eq!(parsed[0].new, RefTarget::Object(Oid::from_hex(ID).unwrap()));
        let parsed = parse_moves(&format!("{ID} ref:refs/heads/x refs/heads/dev\n")).unwrap();
        assert_eq!(parsed[0].new, RefTarget::Symbolic);
        // An id of SHA-256 must not read as a deletion.
        let long = ID.repeat(2)[..64].to_string();
        for bad in [
            format!("{ID} {long} refs/heads/dev"),
            format!("{ID} {} refs/heads/dev", "0".repeat(64)),
            format!("{ID} {} refs/heads/dev", ID.to_uppercase()),
            format!("{ID} {ID}"),
            format!("{ID} {ID} "),
            "x".to_string(),
        ] {
            assert!(parse_moves(&bad).is_err(), "{bad}");
        }
    }
}
