//! Defines the steps of a scenario. Each step is one line of plain English.

use refgate_core::{ChangeMode, Duration, EvidenceKind, Instant, Meaning, RuleId};

/// How the message of a cherry-pick names its original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickTrailer {
    /// What `git cherry-pick -x` writes.
    Whole,
    /// The same line as a person writes it: a short id and a capital letter.
    Brief,
    /// No line.
    Nothing,
    /// What `-x` writes, with a subject of the type `fix:`.
    AsFix,
}

impl PickTrailer {
    /// The message of the cherry-pick.
    pub(crate) fn message(self, message: &str, original: &str) -> String {
        let gap = if message.contains("\n\n") { "\n" } else { "\n\n" };
        match self {
            Self::Whole => format!("{message}{gap}(cherry picked from commit {original})"),
            Self::Brief => {
                let short = original.get(..12).unwrap_or(original).to_ascii_uppercase();
                format!("{message}{gap}(Cherry picked from commit {short})")
            }
            Self::Nothing => message.to_string(),
            Self::AsFix => {
                let rest = message.split_once(": ").map_or(message, |(_, rest)| rest);
                Self::Whole.message(&format!("fix: {rest}"), original)
            }
        }
    }
}

/// A script: steps in order.
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    /// The file, and the heading or the title.
    pub name: String,
    /// The steps.
    pub lines: Vec<Line>,
}

/// A step with its position.
#[derive(Debug, Clone)]
pub struct Line {
    /// The line number in its file, from 1.
    pub number: usize,
    /// The line as written.
    pub text: String,
    /// The step.
    pub step: Step,
}

/// What a commit does to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathChange {
    /// The path.
    pub path: String,
    /// The kind of change.
    pub mode: ChangeMode,
}

/// How a branch is merged into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeMethod {
    /// `git merge --no-ff`.
    Merge,
    /// A foxtrot merge: the branch moves to a merge commit of which its old tip
    /// is the second parent.
    Foxtrot,
    /// `git merge --squash`.
    Squash,
    /// `git merge -s ours`.
    Ours,
    /// `git merge --ff-only`.
    Forward,
}

/// One ref update of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushItem {
    /// The local revision; `None` deletes the ref.
    pub from: Option<String>,
    /// The full ref name on the server.
    pub to: String,
}

/// A record that a person makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// `approves RULE of BRANCH [onto TARGET]`
    Approval {
        /// The rule.
        rule: RuleId,
        /// The local branch whose tip is approved.
        of: String,
        /// The branch on which the commit may land. The default is `of` if it is a
        /// governed branch, else the first stage.
        onto: Option<String>,
    },
    /// `waives RULE on BRANCH for DURATION because "…"`
    Waiver {
        /// The rule.
        rule: RuleId,
        /// The branch on the server.
        on: String,
        /// The duration.
        lasts: Duration,
        /// The number of landings that can use it.
        uses: u32,
        /// The reason.
        reason: String,
    },
    /// `signs off MEANING of BRANCH`
    SignOff {
        /// The meaning.
        meaning: Meaning,
        /// The local branch. The sign-off binds the tree of its tip.
        of: String,
    },
    /// `signs off classification of BRANCH as CLASS`
    Settled {
        /// The local branch.
        of: String,
        /// The class.
        class: String,
    },
    /// `signs off freeze-exit`
    Exit,
    /// `records KIND`, or `records production-run ID`
    Evidence {
        /// The kind. It is recorded for the last major release.
        what: EvidenceKind,
        /// The id of the production run. Without one, each record is a run of its own.
        run: Option<String>,
    },
    /// `records the absence of NAME for DURATION`
    Absence {
        /// The person who is absent.
        person: String,
        /// The duration.
        lasts: Duration,
    },
    /// `opens the next iteration because "…"`
    Iteration {
        /// The reason.
        reason: String,
    },
    /// `names BRANCH candidate N of RELEASE`
    Candidate {
        /// The local branch.
        of: String,
        /// The number.
        number: u32,
        /// The tag of the release.
        release: String,
    },
    /// `fails candidate N of RELEASE`
    Failed {
        /// The number.
        number: u32,
        /// The tag of the release.
        release: String,
    },
    /// `stops BRANCH for DURATION letting CLASS through because "…"`
    Stop {
        /// The branch on the server.
        stage: String,
        /// The duration.
        lasts: Duration,
        /// The classes that the freeze accepts.
        lets_through: Vec<String>,
        /// The reason.
        reason: String,
    },
    /// `ends the stop`
    Thaw,
    /// `certifies NAME in COURSE for DURATION`
    Certificate {
        /// The holder.
        person: String,
        /// The course.
        course: String,
        /// The duration.
        lasts: Duration,
    },
    /// `excuses BRANCH from FIX`
    NotApplicable {
        /// The fix, as a local revision.
        fix: String,
        /// The branch on the server.
        to: String,
    },
    /// `withdraws the last record`
    Withdrawal,
    /// `asks to delete REF`, `agreed by NAME`
    Deletion {
        /// The full ref name.
        name: String,
        /// The person who approves the request.
        agreed_by: Option<String>,
    },
}

/// The expected answer to the last push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// `accept`, `reject`, `undecided`, or `error` if the push fails without a verdict.
    pub verdict: String,
    /// Exactly these rules have violations. An empty list means any rules.
    pub rules: Vec<String>,
    /// Texts that the rejection contains.
    pub texts: Vec<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `policy NAME|FILE`, or a block in braces.
    Policy(String),
    /// The text of a policy, from a block in braces.
    PolicyText(String),
    /// `at TIME`
    At(Instant),
    /// `DURATION later`
    Later(Duration),
    /// `release TAG on BRANCH, DURATION ago`
    Release {
        /// The tag.
        tag: String,
        /// The branch on the server.
        on: String,
        /// The time since the release.
        ago: Duration,
    },
    /// `NAME branches NEW from OLD`
    Branch {
        /// The new local branch.
        name: String,
        /// The revision at which it starts.
        from: String,
    },
    /// `NAME commits "MESSAGE" on BRANCH, adding PATH, changing PATH`
    Commit {
        /// The author.
        who: String,
        /// The message; `\n` stands for a line end.
        message: String,
        /// The local branch.
        branch: String,
        /// The changed paths.
        touches: Vec<PathChange>,
        /// A forged author and committer date.
        forged_date: Option<Instant>,
        /// The encoding in the header of the commit.
        encoding: Option<String>,
    },
    /// `NAME merges FROM into INTO`
    Merge {
        /// The author.
        who: String,
        /// The branches.
        from: Vec<String>,
        /// The local branch that receives them.
        into: String,
        /// The kind of merge.
        how: MergeMethod,
        /// The message, if it is not Git's default.
        message: Option<String>,
        /// Changes that come from none of the parents.
        touches: Vec<PathChange>,
    },
    /// `NAME picks FROM onto BRANCH`: a cherry-pick with `-x`. `PickTrailer` lists
    /// the other forms. `changing PATH` edits the cherry-pick.
    Pick {
        /// The person who picks; the author stays the original's.
        who: String,
        /// The revision.
        from: String,
        /// The local branch.
        onto: String,
        /// How the message names the original.
        mark: PickTrailer,
        /// The edited paths.
        touches: Vec<PathChange>,
    },
    /// `NAME revises the policy on BRANCH saying "…"`, for a policy in the
    /// repository. It raises the revision unless `keeping its revision` follows.
    Revise {
        /// The author.
        who: String,
        /// The local branch.
        branch: String,
        /// The message.
        message: String,
        /// Whether the revision is raised.
        raised: bool,
    },
    /// `NAME tags TAG on BRANCH`
    Tag {
        /// The tagger.
        who: String,
        /// The tag.
        name: String,
        /// The local branch.
        on: String,
        /// Whether the tag is lightweight.
        light: bool,
    },
    /// `NAME resets BRANCH to REV`
    Reset {
        /// The local branch.
        branch: String,
        /// The revision.
        to: String,
    },
    /// `NAME pushes …`, `force-pushes`, `deletes …`
    Push {
        /// The pusher; `somebody` is a pusher who is not identified.
        who: String,
        /// The ref updates.
        specs: Vec<PushItem>,
        /// Push options.
        options: Vec<String>,
    },
    /// A record of the ledger.
    Record {
        /// The maker.
        who: String,
        /// The record.
        record: Record,
    },
    /// `expect …`
    Expect(Expected),
    /// `follow remedy N`: runs the commands of a remedy that the last rejection
    /// printed. Only a real repository can run them.
    Follow(usize),
}
