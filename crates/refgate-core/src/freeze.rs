//! Computes the state of each freeze window at a moment.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    ClassId, Duration, Instant, Interval, LedgerView, Policy, Release, ReleaseEvent, last_major,
};

/// The evidence that ends a derived freeze (docs/design/model.md, "Freeze").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExitCriteria {
    /// The number of completed production runs since the release.
    pub production_runs: u32,
    /// A notice to the stakeholders is required.
    pub notice: bool,
    /// The role that must sign off the end.
    pub sign_off: Option<String>,
}

/// When a window is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowSpan {
    /// During these intervals, sorted by their start.
    Fixed(Vec<Interval>),
    /// From each major release until the exit criteria are met.
    AfterMajorRelease {
        /// The minimum length. Only an iteration record ends it earlier.
        minimum: Duration,
        /// After this time the freeze is overdue: still active, and reported to everybody.
        maximum: Duration,
        /// The evidence that ends it.
        exit: ExitCriteria,
    },
}

/// A freeze window of a policy.
#[derive(Debug, Clone)]
pub struct Window {
    /// Its name.
    pub name: String,
    /// The reason that the policy gives.
    pub reason: String,
    /// The indexes of the stages that it covers.
    pub stages: Vec<usize>,
    /// Whether it covers release lines.
    pub lines: bool,
    /// The classes that it accepts.
    pub lets_through: Vec<ClassId>,
    /// The classes that it accepts with an approval.
    pub fast_track: Vec<ClassId>,
    /// The role that gives these approvals.
    pub approvers: String,
    /// The number of different people who must approve a landing, or end the freeze before its
    /// time (docs/design/model.md, "Two persons").
    pub persons: u32,
    /// When it is active.
    pub span: WindowSpan,
}

/// The state of a freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FreezeState {
    /// It is not active.
    Open,
    /// It is active, and its minimum or its fixed end is not reached.
    Frozen,
    /// The minimum is over, and evidence is missing. It is active.
    Observing,
    /// The maximum is over, and evidence is missing. It is active.
    Overdue,
    /// It was active after the last major release and has ended.
    Thawed,
}

impl FreezeState {
    /// Whether it is active.
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

/// The state of one window at one moment.
#[derive(Debug, Clone)]
pub struct Freeze<'a> {
    /// The window.
    pub window: &'a Window,
    /// Its state.
    pub state: FreezeState,
    /// When it became active, if it did.
    pub since: Option<Instant>,
    /// The earliest moment at which it can end, if that is in the future.
    pub earliest_end: Option<Instant>,
    /// The release that opened it, if it is derived.
    pub release: Option<&'a Release>,
    /// The exit criteria that are not met, if it is derived.
    pub missing: Vec<MissingEvidence>,
    /// The people who opened the next iteration. Enough of them end the freeze before its time.
    pub ended_by: Vec<String>,
    /// The state without these people.
    pub unended: FreezeState,
}

impl Freeze<'_> {
    /// The freeze as it counts for a change by certain authors: who ends a freeze early does
    /// not do so for a change of their own (docs/design/model.md, "Two persons").
    #[must_use]
    pub(crate) fn for_change(mut self, is_author: impl Fn(&str) -> bool) -> Self {
        let others = self.ended_by.iter().filter(|person| !is_author(person)).count();
        if self.state == FreezeState::Thawed && !is_enough(others, self.window.persons) {
            self.state = self.unended;
        }
        self
    }
}

/// Whether there are as many people as the policy requires; never without anybody.
pub(crate) fn is_enough(people: usize, required: u32) -> bool {
    people > 0 && people >= usize::try_from(required).unwrap_or(usize::MAX)
}

/// One exit criterion that is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingEvidence {
    /// Too few production runs.
    Runs {
        /// The number of recorded runs.
        seen: u32,
        /// The number of required runs.
        wanted: u32,
    },
    /// No notice to the stakeholders is recorded.
    Notice,
    /// A blocker is open.
    Blocker(String),
    /// The sign-off of a role is missing.
    SignOff(String),
}

/// The approvals with which a class passes a freeze.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FastTrack {
    /// The role that approves.
    pub role: String,
    /// The number of different people who must approve.
    pub persons: u32,
    /// The people who have approved.
    pub approved_by: Vec<String>,
}

/// The state of every window of the policy at one moment, in the order of the policy. The
/// active freezes that people ordered by a record follow.
#[must_use]
pub fn freezes_at<'a>(
    policy: &'a Policy,
    releases: &'a [Release],
    ledger: &'a LedgerView,
    at: Instant,
) -> Vec<Freeze<'a>> {
    let own = policy.windows.iter().map(|window| state(window, policy, releases, ledger, at));
    let ordered = ledger.stops.iter().map(|window| state(window, policy, releases, ledger, at));
    // A freeze by a record is reported only while it is active.
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
                    derived_freeze(window, release, (*minimum, *maximum), missing, ledger, at)
                }
                None => freeze_without_span(window, FreezeState::Open),
            }
        }
    }
}

fn freeze_without_span(window: &Window, state: FreezeState) -> Freeze<'_> {
    Freeze {
        window,
        state,
        since: None,
        earliest_end: None,
        release: None,
        missing: Vec::new(),
        ended_by: Vec::new(),
        unended: state,
    }
}

fn fixed<'a>(window: &'a Window, intervals: &[Interval], at: Instant) -> Freeze<'a> {
    let mut open = intervals.iter().filter(|interval| interval.contains(at));
    let Some(first) = open.next() else { return freeze_without_span(window, FreezeState::Open) };
    // Occurrences of one window can overlap or touch. The freeze ends where the last of
    // them ends.
    let mut end = first.end;
    for interval in intervals.iter().filter(|interval| interval.end > at) {
        if interval.start <= end && interval.end > end {
            end = interval.end;
        }
    }
    Freeze {
        since: Some(first.start),
        earliest_end: Some(end),
        ..freeze_without_span(window, FreezeState::Frozen)
    }
}

fn derived_freeze<'a>(
    window: &'a Window,
    release: &'a Release,
    (minimum, maximum): (Duration, Duration),
    missing: Vec<MissingEvidence>,
    ledger: &LedgerView,
    at: Instant,
) -> Freeze<'a> {
    let since = release.at;
    let opened = ledger.iterations.iter().filter(|next| is_event_after(next, release, at));
    let mut ended_by: Vec<String> = opened.map(|next| next.by.clone()).collect();
    ended_by.sort_unstable();
    ended_by.dedup();
    let (first_end, last_end) = (after(since, minimum), after(since, maximum));
    let unended = if at < first_end {
        FreezeState::Frozen
    } else if missing.is_empty() {
        FreezeState::Thawed
    } else if at < last_end {
        FreezeState::Observing
    } else {
        FreezeState::Overdue
    };
    let ended = is_enough(ended_by.len(), window.persons);
    let state = if ended { FreezeState::Thawed } else { unended };
    let earliest_end = (unended == FreezeState::Frozen).then_some(first_end);
    Freeze {
        window,
        state,
        since: Some(since),
        earliest_end,
        release: Some(release),
        missing,
        ended_by,
        unended,
    }
}

/// The moment that is `length` after `start`; at most the end of the calendar.
pub(crate) fn after(start: Instant, length: Duration) -> Instant {
    start.checked_add_signed(length).unwrap_or(Instant::MAX_UTC)
}

/// Whether an event belongs to a release and happened between the release and `at`.
fn is_event_after(one: &ReleaseEvent, release: &Release, at: Instant) -> bool {
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
    let seen = |one: &&ReleaseEvent| is_event_after(one, release, at);
    // Two records of one run are one run.
    let mut ids: Vec<&str> =
        ledger.runs.iter().filter(seen).map(crate::ReleaseEvent::subject).collect();
    ids.sort_unstable();
    ids.dedup();
    let runs = u32::try_from(ids.len()).unwrap_or(u32::MAX);
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
