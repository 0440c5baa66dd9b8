//! What does the server answer to this push? From the hook's raw input to text and exit code.

use std::mem::ManuallyDrop;

use refgate_core::{Actor, Case, Instant, Push, RefChange, RefUpdate, Verdict};
use refgate_format::{HookInputError, HookLine, Limits, parse_hook_input};
use refgate_git::{GitError, Reader};
use refgate_report::{clean_block, render_rejection, warnings, wrap};

use crate::governance::{Governance, GovernanceError};
use crate::judge::{JudgedPush, ServerState, judge};
use crate::ledger_reader::{LedgerError, LedgerReader, Records};
use crate::log_entry::{append_entry, concerns};
use crate::policy_source::{LoadedPolicy, PolicyError};
use crate::setup::{Setup, SetupError, bounds};
use crate::ticket::Ticket;
use crate::{Environment, Exit, actor};

/// Everything impure, read once by the hook's `main`.
#[derive(Debug)]
pub struct Inputs {
    /// Standard input.
    pub stdin: Vec<u8>,
    /// The environment.
    pub environment: Environment,
    /// When the push was received.
    pub now: Instant,
}

/// What the pusher is told.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub exit: Exit,
    /// The text; empty if there is nothing to say.
    pub text: String,
}

/// Why a push could not even be judged.
#[derive(Debug, thiserror::Error)]
enum PushError {
    #[error(transparent)]
    Input(#[from] HookInputError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Book(LedgerError),
    #[error(transparent)]
    Govern(#[from] GovernanceError),
    #[error(
        "GIT_COMMITTER_DATE is set where Git receives this push, so Git would log its moves under \
         a date of the pusher's choice; push without it"
    )]
    Clock,
}

impl From<LedgerError> for PushError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Git(error) => Self::Git(error),
            damaged @ LedgerError::Damaged { .. } => Self::Book(damaged),
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
            Self::Input(_) | Self::Git(GitError::Stale { .. }) | Self::Clock => Exit::BadInput,
            Self::Policy(_) => Exit::BadPolicy,
            Self::Git(_) | Self::Book(_) => Exit::BadRepository,
            Self::Setup(_) | Self::Govern(_) => Exit::BadSetup,
        }
    }

    /// Whether the pusher can mend it; otherwise the administrator must.
    const fn is_pushers(&self) -> bool {
        matches!(self.exit(), Exit::BadInput | Exit::TooMuch)
    }
}

/// Judges a push as `pre-receive` hands it over. Whatever goes wrong refuses.
#[must_use]
pub fn receive(inputs: &Inputs) -> Outcome {
    attempt(inputs).unwrap_or_else(|error| {
        let who = if error.is_pushers() {
            "refgate: refused."
        } else {
            "refgate: refused, since this server cannot judge pushes now. \
             Tell its administrator:"
        };
        let said = clean_block(&error.to_string());
        let text = format!("{}\n{}", wrap("", "", who), wrap("  ", "  ", &said));
        Outcome { exit: error.exit(), text }
    })
}

fn attempt(inputs: &Inputs) -> Result<Outcome, PushError> {
    // The process ends with this push: what a large one has gathered need not be
    // taken apart piece by piece.
    let mut reader = ManuallyDrop::new(Reader::open_from_env(bounds(&Limits::default()))?);
    let setup = Setup::read(reader.git_dir())?;
    let training = setup.training()?;
    if training.is_none() && inputs.environment.get("GIT_COMMITTER_DATE").is_some() {
        return Err(PushError::Clock);
    }
    let limits = &setup.settings.limits;
    reader.set_bounds(bounds(limits));
    let lines = parse_hook_input(&inputs.stdin, limits.max_refs)?;
    let updates = at_rest(&reader, lines)?;
    let at = training.as_ref().map_or(inputs.now, |training| training.at);
    let government = Governance::of(&reader, &setup, inputs.now)?;
    let LoadedPolicy { policy, signers, place, hash, .. } = government.policy(at)?;
    let (source, repositories) = (government.own_source(), &government.repositories);
    let book_reader = government.reader();
    let tip = book_reader.ledger_tip()?;
    let book = LedgerReader { reader: book_reader, tip, signers: &signers, repositories };
    let records = match &training {
        Some(training) if !training.ledger => Records::Given(&training.records),
        _ => Records::Kept(book),
    };
    let actor: Option<Actor> = actor(setup.settings.identity, &inputs.environment);
    let options = push_options(&inputs.environment);
    let push = Push { actor, at, updates, options };
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
    let judged = ManuallyDrop::new(judge(&rest, &push)?);
    let JudgedPush { history, ledger, .. } = &*judged;
    let case = Case { policy: &policy, push: &push, history, ledger };
    let accepted = judged.decision.verdict == Verdict::Accept;
    if concerns(&case, &judged.decision) {
        // First the record, then the move (docs/design/threats.md, R18).
        append_entry(&rest, &case, &judged, &place)?;
    }
    if accepted {
        let ticket = Ticket::new(&reader, &policy, government.state()?, &push, at)?;
        let failed = |why: std::io::Error| SetupError::Unreadable {
            path: setup.directory.join("tickets").display().to_string(),
            why: why.to_string(),
        };
        ticket.leave(&setup.directory, &policy).map_err(failed)?;
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

/// Replaces what the client claims by what the server itself reads; where the
/// two differ, nothing of the push can be trusted (docs/design/threats.md, R2, R3).
fn at_rest(reader: &Reader, lines: Vec<HookLine>) -> Result<Vec<RefUpdate>, GitError> {
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

/// Push options, as claims. More than a few, or with control characters, are
/// dropped: they are never authority, so less of them only refuses more.
fn push_options(environment: &Environment) -> Vec<String> {
    let count: usize =
        environment.get("GIT_PUSH_OPTION_COUNT").and_then(|n| n.parse().ok()).unwrap_or(0);
    let options =
        (0..count.min(64)).filter_map(|place| environment.get(&format!("GIT_PUSH_OPTION_{place}")));
    options.filter(|text| !text.contains(char::is_control)).map(ToString::to_string).collect()
}
