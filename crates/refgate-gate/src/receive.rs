//! Judges a push for the `pre-receive` hook: from the raw input to the text and the exit code.

use std::mem::ManuallyDrop;
use std::path::PathBuf;

use refgate_core::{Actor, Case, Instant, Push, RefChange, RefUpdate, Verdict};
use refgate_format::{HookInputError, HookLine, Identity, Limits, parse_hook_input};
use refgate_git::{GitError, Reader};
use refgate_report::{clean_block, render_rejection, warnings, wrap};

use crate::governance::{Governance, GovernanceError};
use crate::judge::{JudgedPush, ServerState, judge};
use crate::ledger_reader::{LedgerError, LedgerReader};
use crate::log_entry::{append_entry, is_logged};
use crate::policy_source::{LoadedPolicy, PolicyError};
use crate::push_records::Records;
use crate::setup::{Setup, SetupError, bounds};
use crate::ticket::Ticket;
use crate::{Environment, Exit, actor, certificate_actor};

/// The input from outside, which the `main` function of the hook reads once.
#[derive(Debug)]
pub struct Inputs {
    /// The standard input of the hook.
    pub stdin: Vec<u8>,
    /// The environment of the hook.
    pub environment: Environment,
    /// The receipt time of the push.
    pub now: Instant,
}

/// The result of a hook.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub exit: Exit,
    /// The text for the pusher; it can be empty.
    pub text: String,
}

/// Why a push cannot be judged.
#[derive(Debug, thiserror::Error)]
enum PushError {
    #[error(transparent)]
    Input(#[from] HookInputError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Git(#[from] GitError),
    /// The push does not contain an object that it needs, or contains a malformed one.
    #[error("{0}")]
    Pushed(GitError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Ledger(LedgerError),
    #[error(transparent)]
    Govern(#[from] GovernanceError),
    #[error(
        "cannot judge this push: GIT_COMMITTER_DATE is set on the server, so the reflog would show \
         a date that the pusher chose\nhint: unset it and push again"
    )]
    Clock,
}

impl From<LedgerError> for PushError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Git(error) => Self::Git(error),
            damaged @ LedgerError::Damaged { .. } => Self::Ledger(damaged),
        }
    }
}

impl PushError {
    const fn exit(&self) -> Exit {
        match self {
            Self::Input(HookInputError::TooMany { .. })
            | Self::Git(
                GitError::TooMany(_)
                | GitError::TooLarge { .. }
                | GitError::TooManyChanges(_)
                | GitError::TooMuch { .. }
                | GitError::TooLong(_)
                | GitError::TooDeep(_)
                | GitError::Deadline(_),
            ) => Exit::TooMuch,
            Self::Input(_) | Self::Pushed(_) | Self::Git(GitError::Stale { .. }) | Self::Clock => {
                Exit::BadInput
            }
            Self::Policy(_) => Exit::BadPolicy,
            Self::Git(_) | Self::Ledger(_) => Exit::BadRepository,
            Self::Setup(_) | Self::Govern(_) => Exit::BadSetup,
        }
    }

    /// Whether the pusher can resolve the error. Otherwise the administrator must do it.
    const fn pusher_can_resolve(&self) -> bool {
        matches!(self.exit(), Exit::BadInput | Exit::TooMuch)
    }
}

/// Judges a push from the input of `pre-receive`. After any error, the push is rejected.
#[must_use]
pub fn receive(inputs: &Inputs) -> Outcome {
    attempt(inputs).unwrap_or_else(|error| {
        let who = if error.pusher_can_resolve() {
            "refgate: push rejected, because it cannot be judged:"
        } else {
            "refgate: push rejected. This server cannot judge pushes now. \
             Tell its administrator:"
        };
        // The last line can be a hint, which stays on its own line.
        let said = clean_block(&error.to_string());
        let lines = said.lines().map(|line| wrap("  ", "  ", line));
        let text = format!("{}\n{}", wrap("", "", who), lines.collect::<Vec<_>>().join("\n"));
        Outcome { exit: error.exit(), text }
    })
}

/// Opens the repository that Git names, with the objects of the push, and reads its settings.
fn open(inputs: &Inputs) -> Result<(ManuallyDrop<Reader>, Setup), PushError> {
    // The process ends after this push, so the memory of a large push need not be freed piece by
    // piece.
    let mut reader = ManuallyDrop::new(Reader::open_from_env(bounds(&Limits::default()))?);
    let directories = ["GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"];
    let directories = directories.iter().filter_map(|name| inputs.environment.get(name));
    let directories = directories.flat_map(|list| list.split(':')).map(PathBuf::from);
    reader.set_object_directories(directories.collect());
    let setup = Setup::read(reader.git_dir())?;
    reader.set_bounds(bounds(&setup.settings.limits));
    Ok((reader, setup))
}

fn attempt(inputs: &Inputs) -> Result<Outcome, PushError> {
    let (reader, setup) = open(inputs)?;
    let training = setup.training()?;
    if training.is_none() && inputs.environment.get("GIT_COMMITTER_DATE").is_some() {
        return Err(PushError::Clock);
    }
    let lines = parse_hook_input(&inputs.stdin, setup.settings.limits.max_refs)?;
    let updates = verify_old_values(&reader, lines)?;
    let at = training.as_ref().map_or(inputs.now, |training| training.at);
    let governance_sources = Governance::of(&reader, &setup, inputs.now)?;
    let LoadedPolicy { policy, signers, place, hash, .. } = governance_sources.policy(at)?;
    let (source, repositories) =
        (governance_sources.own_source(), &governance_sources.repositories);
    let ledger_repository = governance_sources.reader();
    let tip = ledger_repository.ledger_tip()?;
    let ledger_reader =
        LedgerReader { reader: ledger_repository, tip, signers: &signers, repositories };
    let records = match &training {
        Some(training) if !training.ledger => Records::Given(&training.records),
        _ => Records::Kept(ledger_reader),
    };
    let actor: Option<Actor> = actor(setup.settings.identity, &inputs.environment);
    let options = push_options(&inputs.environment);
    let mut push = Push { actor, at, updates, options };
    if setup.settings.identity == Identity::PushCertificate {
        push.actor = certificate_actor(&inputs.environment, &reader, &signers, &push);
    }
    let baseline = setup.settings.baseline;
    let rest = ServerState {
        reader: &reader,
        policy: &policy,
        source: &source,
        policy_hash: &hash,
        signers: &signers,
        records,
        repositories,
        baseline,
    };
    let judged = judge(&rest, &push);
    reader.discard_merges();
    let judged = judged.map_err(|error| attribute_error(&reader, &push, error.into()))?;
    let judged = ManuallyDrop::new(judged);
    let JudgedPush { history, ledger, .. } = &*judged;
    let case = Case { policy: &policy, push: &push, history, ledger };
    let accepted = judged.decision.verdict == Verdict::Accept;
    if accepted {
        let ticket = Ticket::new(&reader, &policy, governance_sources.state()?, &push, at)?;
        let failed = |why: std::io::Error| SetupError::Unreadable {
            path: setup.directory.join("tickets").display().to_string(),
            why: why.to_string(),
        };
        ticket.write_files(&setup.directory, &policy).map_err(failed)?;
    }
    if is_logged(&case, &judged.decision) {
        // The log entry is written before any ref is updated (docs/design/threats.md, R18), and
        // after the tickets, so that it never says `accept` about a push without a ticket.
        append_entry(&rest, &case, &judged, &place)
            .inspect_err(|_| delete_tickets(&setup, &push))?;
    }
    Ok(match judged.decision.verdict {
        Verdict::Accept => {
            Outcome { exit: Exit::Accepted, text: warnings(&case, &judged.decision) }
        }
        Verdict::Reject => {
            Outcome { exit: Exit::Rejected, text: render_rejection(&case, &judged.decision) }
        }
        Verdict::Undecided => {
            Outcome { exit: Exit::Undecided, text: render_rejection(&case, &judged.decision) }
        }
    })
}

/// Deletes the tickets of a push that is rejected after all.
fn delete_tickets(setup: &Setup, push: &Push) {
    for update in &push.updates {
        let (old, new) = (update.change.old_value(), update.change.new_value());
        Ticket::delete_file(&setup.directory, update.name.as_str(), old, new);
    }
}

/// Decides whose fault an unreadable object is. It is the pusher's if the server never had
/// the object and the values that the push replaces are readable.
fn attribute_error(reader: &Reader, push: &Push, error: PushError) -> PushError {
    let PushError::Git(GitError::Object { id, .. }) = &error else { return error };
    let readable = |old| reader.commit(old).is_ok_and(|commit| reader.has_at_rest(commit.tree));
    let whole = push.updates.iter().filter_map(|update| update.change.old_value()).all(readable);
    match (whole && !reader.has_at_rest(*id), error) {
        (true, PushError::Git(error)) => PushError::Pushed(error),
        (_, error) => error,
    }
}

/// Compares the old values that the client claims with the refs on the server. If one differs,
/// the push is rejected (docs/design/threats.md, R2, R3).
fn verify_old_values(reader: &Reader, lines: Vec<HookLine>) -> Result<Vec<RefUpdate>, GitError> {
    let mut updates = Vec::with_capacity(lines.len());
    for HookLine { claimed_old, new, name } in lines {
        let actual = reader.reference(&name)?.map(|(id, _)| id);
        if actual.unwrap_or_default() != claimed_old {
            let show = |id: refgate_core::Oid| {
                if id.is_zero() { "nothing".to_string() } else { id.short() }
            };
            return Err(GitError::Stale {
                name: name.as_str().to_string(),
                actual: actual.map_or_else(|| "nothing".to_string(), show),
                claimed: show(claimed_old),
            });
        }
        let change = match actual {
            None => RefChange::Create { new },
            Some(old) if new.is_zero() => RefChange::Delete { old },
            Some(old) => RefChange::Move { old, new },
        };
        updates.push(RefUpdate { name, change });
    }
    Ok(updates)
}

/// The first 64 push options without control characters. Push options are only claims: if some
/// are left out, refgate rejects more, never less.
fn push_options(environment: &Environment) -> Vec<String> {
    let count: usize =
        environment.get("GIT_PUSH_OPTION_COUNT").and_then(|n| n.parse().ok()).unwrap_or(0);
    let options =
        (0..count.min(64)).filter_map(|place| environment.get(&format!("GIT_PUSH_OPTION_{place}")));
    options.filter(|text| !text.contains(char::is_control)).map(ToString::to_string).collect()
}
