//! May these references move now? Asked by Git when it has locked them, or by the hook that moves them itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use refgate_core::{Instant, LEDGER, Oid, Policy, RefName};
use refgate_format::Limits;
use refgate_git::{GitError, Reader, RefTransaction};

use crate::governance::Governance;
use crate::install::DIRECTORY;
use crate::setup::{Setup, bounds};
use crate::ticket::{GuardRejection, Ticket, guarded};
use crate::{Exit, Outcome};

/// One reference that is about to move, as Git tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingMove {
    /// What it is.
    pub old: Option<Oid>,
    /// What it shall be.
    pub new: Option<Oid>,
    /// Its full name.
    pub name: String,
}

/// The lines that Git writes to `reference-transaction`, or sends to
/// `proc-receive`. Symbolic targets are no ids and come back as `None`.
#[must_use]
pub fn moves(text: &str) -> Vec<PendingMove> {
    let some = |hex: &str| Oid::from_hex(hex).filter(|id| !id.is_zero());
    let line = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let (old, new) = (some(words.next()?), some(words.next()?));
        Some(PendingMove { old, new, name: words.next()?.to_string() })
    };
    text.lines().filter_map(line).collect()
}

struct GuardContext {
    reader: Reader,
    setup: Setup,
    /// The time by which is judged: in a training world its own.
    now: Instant,
    /// The machine's.
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

    fn government(&self) -> Result<Governance<'_>, String> {
        Governance::of(&self.reader, &self.setup, self.clock).map_err(|error| error.to_string())
    }

    fn policy(&self) -> Result<Policy, String> {
        let loaded = self.government()?.policy(self.now);
        loaded.map(|sourced| sourced.policy).map_err(|error| error.to_string())
    }

    /// The policy, if what moves here holds in other repositories too.
    fn governed(&self, moves: &[PendingMove]) -> Result<Option<Policy>, String> {
        let ledger = moves.iter().any(|one| one.name == LEDGER);
        let any = ledger && !self.setup.settings.governs.is_empty();
        if any { self.policy().map(Some) } else { Ok(None) }
    }

    fn ticket(&self, one: &PendingMove) -> Option<Ticket> {
        Ticket::find(&self.setup.directory, &one.name, one.old, one.new)
    }

    /// A ticket says all that is needed. Only for a reference without one it
    /// must be known whether it needs one.
    fn check(&self, one: &PendingMove) -> Result<(), String> {
        let Some(ticket) = self.ticket(one) else {
            if !guarded(&self.policy()?, &one.name) {
                return Ok(());
            }
            return Err(GuardRejection::Unknown(one.name.clone()).to_string());
        };
        let state = self.government()?.state().map_err(|error| error.to_string())?;
        let checked = ticket.check(&self.reader, &state, self.now);
        checked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

fn refuse(why: &str) -> Outcome {
    let text = refgate_report::wrap("refgate: refused. ", "  ", &refgate_report::clean_block(why));
    Outcome { exit: Exit::Rejected, text }
}

const PASS: Outcome = Outcome { exit: Exit::Accepted, text: String::new() };

/// `reference-transaction`: in the state `prepared` the references are locked,
/// and a no leaves them as they are.
#[must_use]
pub fn transaction(state: &str, stdin: &str, now: Instant, quarantined: bool) -> Outcome {
    let moves: Vec<PendingMove> =
        moves(stdin).into_iter().filter(|one| one.name.starts_with("refs/")).collect();
    if moves.is_empty() || !matches!(state, "prepared" | "committed") {
        return PASS;
    }
    let room = match GuardContext::open(now) {
        Ok(room) => room,
        Err(_) if state == "committed" => return PASS,
        Err(why) => return refuse(&why),
    };
    if state == "committed" {
        for one in &moves {
            Ticket::spend(&room.setup.directory, &one.name, one.old, one.new);
        }
        return PASS;
    }
    for one in &moves {
        if let Err(why) = room.check(one) {
            return refuse(&why);
        }
    }
    match keep_deleted(room, &moves, quarantined) {
        Ok(()) => PASS,
        Err(why) => refuse(&format!("what is deleted cannot be kept: {why}")),
    }
}

/// Keeps what Git is about to delete, so that it can be restored whatever happens
/// after. If the deletion is called off, what is kept does no harm.
fn keep_deleted(
    room: GuardContext,
    moves: &[PendingMove],
    quarantined: bool,
) -> Result<(), String> {
    let gone = |one: &&PendingMove| one.new.is_none() && room.ticket(one).is_some();
    let gone: Vec<&PendingMove> = moves.iter().filter(gone).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let said = |error: GitError| error.to_string();
    let mover = RefTransaction::of(room.reader, quarantined).map_err(said)?;
    for one in gone {
        if let Some(old) = one.old {
            mover.keep_deleted(&one.name, old).map_err(said)?;
        }
    }
    Ok(())
}

/// `post-receive`: a freeze that was acknowledged must hold. Landings that were
/// checked before the ledger (or a release) moved may still be moving; they are
/// waited for, so that nothing lands after the answer.
pub fn settle(git_dir: &Path, stdin: &str, now: Instant) {
    let names: Vec<String> = moves(stdin).into_iter().map(|one| one.name).collect();
    let matters = |name: &String| name == LEDGER || name.starts_with("refs/tags/");
    if !names.iter().any(matters) {
        return;
    }
    let Ok(room) = GuardContext::open(now) else { return };
    let Ok(policy) = room.policy() else { return };
    let mut folders = vec![git_dir.to_path_buf()];
    folders.extend(room.setup.settings.governs.values().map(PathBuf::from));
    for folder in folders {
        unlocked(&folder, &policy);
    }
}

/// Waits until no landing that was checked before is still moving.
fn unlocked(git_dir: &Path, policy: &Policy) {
    // In strict mode it holds this while it checks and moves.
    if let Ok(lock) = std::fs::File::open(git_dir.join(DIRECTORY).join(MOVING)) {
        let _ = lock.lock();
    }
    // Who was checked before holds its lock by now; who locks later sees what moved.
    let mut held = Vec::new();
    locks(git_dir, "refs/heads", policy, &mut held);
    // Git holds a lock for milliseconds; one that stays is stale, and harmless here.
    for _ in 0..500 {
        held.retain(|lock| lock.exists());
        if held.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The locks of stages and lines in a folder of references, and below it.
fn locks(git_dir: &Path, folder: &str, policy: &Policy, held: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(git_dir.join(folder)) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            locks(git_dir, &name, policy, held);
        } else if name.strip_suffix(".lock").is_some_and(|name| guarded(policy, name)) {
            held.push(entry.path());
        }
    }
}

/// The file whose lock is held while protected references move.
const MOVING: &str = "moving.lock";

/// libgit2 writes a reference's log before the reference. Where a kill or a full
/// disk came in between, the log's last line is taken away. What cannot be
/// mended now is mended by the next move; until then the audit passes over it.
fn drop_orphan_reflog_entry(reader: &Reader, one: &PendingMove) {
    let Ok(name) = RefName::parse(&one.name) else { return };
    if Ticket::cut_off(reader, &name).is_ok_and(|found| found.is_some()) {
        let _ = RefTransaction::drop_orphan_reflog_entry(reader.git_dir(), &name);
    }
}

/// `proc-receive`: checks the tickets and moves all references of a push in one
/// transaction, while nobody else does. Answers a line for each reference.
#[must_use]
pub fn carry_out(
    moves: &[PendingMove],
    now: Instant,
    quarantined: bool,
) -> Vec<(String, Result<(), String>)> {
    let done = GuardContext::open(now).and_then(|room| {
        // All guarded references of this repository move under this lock, so
        // what is checked stays so until it is done.
        let lock = std::fs::File::create(room.setup.directory.join(MOVING))
            .map_err(|error| error.to_string())?;
        lock.lock().map_err(|error| error.to_string())?;
        // Git hands over by the beginning of a name; free ones are only moved.
        for one in moves {
            room.check(one)?;
            drop_orphan_reflog_entry(&room.reader, one);
        }
        let steps: Vec<_> = moves.iter().map(|m| (m.name.as_str(), m.old, m.new)).collect();
        let governed = room.governed(moves)?;
        let GuardContext { reader, setup, now, .. } = room;
        // Git hands references over when the objects have come to rest.
        let moved =
            RefTransaction::of(reader, quarantined).and_then(|mover| mover.carry_out(&steps, now));
        if let Err(error) = moved {
            if let Ok(room) = GuardContext::open(now) {
                moves.iter().for_each(|one| drop_orphan_reflog_entry(&room.reader, one));
            }
            return Err(error.to_string());
        }
        for one in moves {
            Ticket::spend(&setup.directory, &one.name, one.old, one.new);
        }
        if let Some(policy) = governed {
            setup.settings.governs.values().for_each(|path| unlocked(Path::new(path), &policy));
        }
        Ok(())
    });
    moves.iter().map(|one| (one.name.clone(), done.clone())).collect()
}
