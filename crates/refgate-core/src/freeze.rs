//! Is a stage frozen now, why, and until when? Windows, and the freeze that a major release opens.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    ClassId, Duration, Instant, Interval, LedgerView, Policy, Release, ReleaseEvent, last_major,
};

/// What must be shown before a derived freeze ends (docs/design/model.md, "Freeze").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExitCriteria {
    /// How many completed production runs since the release.
    pub production_runs: u32,
    /// Stakeholders must have been told.
    pub notice: bool,
    /// The role that signs the end off.
    pub sign_off: Option<String>,
}

/// When a window is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowSpan {
    /// In these intervals, sorted by their start.
    Fixed(Vec<Interval>),
    /// From each major release on, until its exit criteria are met.
    AfterMajorRelease {
        /// It cannot end earlier.
        minimum: Duration,
        /// Past this it is overdue: still frozen, and everyone is told.
        maximum: Duration,
        /// What ends it.
        exit: ExitCriteria,
    },
}

/// A freeze window of a policy.
#[derive(Debug, Clone)]
pub struct Window {
    /// What people call it.
    pub name: String,
    /// Why it exists, in the team's words.
    pub reason: String,
    /// The places of the stages that it covers.
    pub stages: Vec<usize>,
    /// Whether it covers release lines.
    pub lines: bool,
    /// The classes that it lets through.
    pub lets_through: Vec<ClassId>,
    /// The classes that it lets through with an approval.
    pub fast_track: Vec<ClassId>,
    /// The role that approves those.
    pub approvers: String,
    /// When.
    pub span: WindowSpan,
}

/// Where a freeze stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FreezeState {
    /// Not in force.
    Open,
    /// In force, the minimum or the fixed end lies ahead.
    Frozen,
    /// The minimum is over, evidence is missing.
    Observing,
    /// Evidence is still missing past the maximum; still frozen.
    Overdue,
    /// It was in force after the last major release and has ended.
    Thawed,
}

impl FreezeState {
    /// Whether it keeps anything out.
    #[must_use]
    pub const fn closed(self) -> bool {
        matches!(self, Self::Frozen | Self::Observing | Self::Overdue)
    }

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frozen => "frozen",
            Self::Observing => "observing",
            Self::Overdue => "overdue",
            Self::Thawed => "thawed",
        }
    }
}

/// One window at one moment.
#[derive(Debug, Clone)]
pub struct Freeze<'a> {
    /// The window.
    pub window: &'a Window,
    /// Its state.
    pub state: FreezeState,
    /// When it came into force, if it is or was.
    pub since: Option<Instant>,
    /// The earliest moment at which it can end, if that lies ahead.
    pub earliest_end: Option<Instant>,
    /// The release that opened it, for derived freezes.
    pub release: Option<&'a Release>,
    /// What is still missing for its end, for derived freezes.
    pub missing: Vec<MissingEvidence>,
}

/// One exit criterion that is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingEvidence {
    /// Production runs: seen and wanted.
    Runs {
        /// How many there have been.
        seen: u32,
        /// How many there must be.
        wanted: u32,
    },
    /// Nobody has told the stakeholders.
    Notice,
    /// A problem is open.
    Blocker(String),
    /// A role has not signed off.
    SignOff(String),
}

/// Every window of the policy at one moment, in its order, and behind them the
/// stops that somebody has ordered and that hold.
#[must_use]
pub fn freezes_at<'a>(
    policy: &'a Policy,
    releases: &'a [Release],
    ledger: &'a LedgerView,
    at: Instant,
) -> Vec<Freeze<'a>> {
    let own = policy.windows.iter().map(|window| state(window, policy, releases, ledger, at));
    let ordered = ledger.stops.iter().map(|window| state(window, policy, releases, ledger, at));
    // A stop that is over is nobody's business any more.
    own.chain(ordered.filter(|freeze| freeze.state.closed())).collect()
}

fn state<'a>(
    window: &'a Window,
    policy: &Policy,
    releases: &'a [Release],
    ledger: &LedgerView,
    at: Instant,
) -> Freeze<'a> {
    match &window.span {
        WindowSpan::Fixed(intervals) => fixed(window, intervals, at),
        WindowSpan::AfterMajorRelease { minimum, maximum, exit } => {
            match last_major(releases, at) {
                Some(release) => {
                    let missing = missing(policy, exit, ledger, release, at);
                    derived(window, release, (*minimum, *maximum), missing, ledger, at)
                }
                None => quiet(window, FreezeState::Open),
            }
        }
    }
}

fn quiet(window: &Window, state: FreezeState) -> Freeze<'_> {
    Freeze { window, state, since: None, earliest_end: None, release: None, missing: Vec::new() }
}

fn fixed<'a>(window: &'a Window, intervals: &[Interval], at: Instant) -> Freeze<'a> {
    let mut open = intervals.iter().filter(|interval| interval.contains(at));
    let Some(first) = open.next() else { return quiet(window, FreezeState::Open) };
    // Occurrences of one window may overlap or touch: it ends where the last of
    // the chain does.
    let mut end = first.end;
    for interval in intervals.iter().filter(|interval| interval.end > at) {
        if interval.start <= end && interval.end > end {
            end = interval.end;
        }
    }
    Freeze {
        since: Some(first.start),
        earliest_end: Some(end),
        ..quiet(window, FreezeState::Frozen)
    }
}

fn derived<'a>(
    window: &'a Window,
    release: &'a Release,
    (minimum, maximum): (Duration, Duration),
    missing: Vec<MissingEvidence>,
    ledger: &LedgerView,
    at: Instant,
) -> Freeze<'a> {
    let since = release.at;
    let next_iteration = ledger.iterations.iter().any(|next| follows(next, release, at));
    let (first_end, last_end) = (after(since, minimum), after(since, maximum));
    let state = if next_iteration {
        FreezeState::Thawed
    } else if at < first_end {
        FreezeState::Frozen
    } else if missing.is_empty() {
        FreezeState::Thawed
    } else if at < last_end {
        FreezeState::Observing
    } else {
        FreezeState::Overdue
    };
    let earliest_end = (state == FreezeState::Frozen).then_some(first_end);
    Freeze { window, state, since: Some(since), earliest_end, release: Some(release), missing }
}

/// The moment a length later; past the end of the calendar it stays at its end.
pub(crate) fn after(start: Instant, length: Duration) -> Instant {
    start.checked_add_signed(length).unwrap_or(Instant::MAX_UTC)
}

/// Whether something is said of a release, and happened between it and now.
fn follows(one: &ReleaseEvent, release: &Release, at: Instant) -> bool {
    one.release == release.tag && release.at <= one.at && one.at <= at
}

fn missing(
    policy: &Policy,
    exit: &ExitCriteria,
    ledger: &LedgerView,
    release: &Release,
    at: Instant,
) -> Vec<MissingEvidence> {
    let mut missing = Vec::new();
    let seen = |one: &&ReleaseEvent| follows(one, release, at);
    let runs = u32::try_from(ledger.runs.iter().filter(seen).count()).unwrap_or(u32::MAX);
    if runs < exit.production_runs {
        missing.push(MissingEvidence::Runs { seen: runs, wanted: exit.production_runs });
    }
    if exit.notice && !ledger.notices.iter().any(|one| seen(&one)) {
        missing.push(MissingEvidence::Notice);
    }
    let open = ledger.blockers.iter().filter(seen);
    missing.extend(open.map(|blocker| MissingEvidence::Blocker(blocker.reason.clone())));
    if let Some(role) = &exit.sign_off
        && !ledger.exits.iter().any(|one| seen(&one) && policy.roles.has(&one.by, role))
    {
        missing.push(MissingEvidence::SignOff(role.clone()));
    }
    missing
}
