//! Which acts can a scenario tell? One per line, readable aloud.

use refgate_core::{ChangeMode, Duration, EvidenceKind, Instant, Meaning, RuleId};

/// What a pick says of its original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickTrailer {
    /// What `git cherry-pick -x` writes.
    Whole,
    /// The same by hand: the beginning of the id, with a capital.
    Brief,
    /// Nothing.
    Nothing,
    /// What `-x` writes, under a title that calls it a fix.
    AsFix,
}

impl PickTrailer {
    /// The message of a pick.
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

/// A script: acts in order.
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    /// What people call it: its heading, or its file.
    pub name: String,
    /// The acts.
    pub lines: Vec<Line>,
}

/// An act with its place.
#[derive(Debug, Clone)]
pub struct Line {
    /// The line number in its file, from 1.
    pub number: usize,
    /// The line as written.
    pub text: String,
    /// The act.
    pub act: Step,
}

/// What a commit does to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathChange {
    /// The path.
    pub path: String,
    /// What is done to it.
    pub mode: ChangeMode,
}

/// How a branch is brought into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeMethod {
    /// `git merge --no-ff`.
    Merge,
    /// The other way round: the branch moves to a merge of which it is the
    /// second parent.
    Foxtrot,
    /// `git merge --squash`.
    Squash,
    /// `git merge -s ours`.
    Ours,
    /// `git merge --ff-only`.
    Forward,
}

/// One thing of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushItem {
    /// The local revision; `None` deletes.
    pub from: Option<String>,
    /// The full name on the server.
    pub to: String,
}

/// A record that somebody makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// `approves RULE of BRANCH [onto TARGET]`
    Approval {
        /// The rule.
        rule: RuleId,
        /// The local branch whose tip is approved.
        of: String,
        /// Where it may land; if not said, the branch itself where it is a
        /// governed one, else the first stage.
        onto: Option<String>,
    },
    /// `waives RULE on BRANCH for DURATION because "…"`
    Waiver {
        /// The rule.
        rule: RuleId,
        /// The branch on the server.
        on: String,
        /// How long.
        lasts: Duration,
        /// How many landings.
        uses: u32,
        /// Why.
        reason: String,
    },
    /// `signs off MEANING of BRANCH`
    SignOff {
        /// The meaning.
        meaning: Meaning,
        /// The local branch whose tip's tree it binds.
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
    /// `records KIND`
    Evidence {
        /// What was seen since the last major release.
        what: EvidenceKind,
    },
    /// `opens the next iteration because "…"`
    Iteration {
        /// Why.
        reason: String,
    },
    /// `names BRANCH candidate N of RELEASE`
    Candidate {
        /// The local branch.
        of: String,
        /// The number.
        number: u32,
        /// The release's tag.
        release: String,
    },
    /// `fails candidate N of RELEASE`
    Failed {
        /// The number.
        number: u32,
        /// The release's tag.
        release: String,
    },
    /// `stops BRANCH for DURATION letting CLASS through because "…"`
    Stop {
        /// The branch on the server.
        stage: String,
        /// How long.
        lasts: Duration,
        /// The classes that pass.
        lets_through: Vec<String>,
        /// Why.
        reason: String,
    },
    /// `ends the stop`
    Thaw,
    /// `certifies NAME in COURSE for DURATION`
    Certificate {
        /// Who.
        person: String,
        /// The course.
        course: String,
        /// How long.
        lasts: Duration,
    },
    /// `excuses BRANCH from FIX`
    NotApplicable {
        /// The local revision of the fix.
        fix: String,
        /// The branch on the server.
        to: String,
    },
    /// `withdraws the last record`
    Withdrawal,
    /// `asks to delete REF`, `agreed by NAME`
    Deletion {
        /// The full name.
        name: String,
        /// Who agreed.
        agreed_by: Option<String>,
    },
}

/// What is expected of the last push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// `accept`, `reject`, `undecided`, or `refuse` for what is not judged at all.
    pub verdict: String,
    /// Exactly these rules object; empty: any.
    pub rules: Vec<String>,
    /// Texts that the refusal holds.
    pub says: Vec<String>,
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `policy NAME|FILE`, or a block in braces.
    Policy(String),
    /// The policy's own text, from a block.
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
        /// How long ago.
        ago: Duration,
    },
    /// `NAME branches NEW from OLD`
    Branch {
        /// The new local branch.
        name: String,
        /// From where.
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
        /// What it touches.
        touches: Vec<PathChange>,
        /// A forged date.
        dated: Option<Instant>,
        /// The encoding that its header names.
        encoded: Option<String>,
    },
    /// `NAME merges FROM into INTO`
    Merge {
        /// The author.
        who: String,
        /// The branches.
        from: Vec<String>,
        /// The local branch that receives them.
        into: String,
        /// How.
        how: MergeMethod,
        /// The message, if not Git's own.
        message: Option<String>,
        /// Content that comes from no parent.
        touches: Vec<PathChange>,
    },
    /// `NAME picks FROM onto BRANCH`, with `-x` unless `silently` or `briefly`,
    /// or `as a fix` whatever it was, and perhaps `changing PATH` on the way.
    Pick {
        /// Who.
        who: String,
        /// The revision.
        from: String,
        /// The local branch.
        onto: String,
        /// What it says of its original.
        mark: PickTrailer,
        /// What is changed on the way.
        touches: Vec<PathChange>,
    },
    /// `NAME revises the policy on BRANCH saying "…"`, where it is tracked: a
    /// change, with the next revision unless `keeping its revision`.
    Revise {
        /// Who.
        who: String,
        /// The local branch.
        branch: String,
        /// The message.
        message: String,
        /// With the next revision.
        raised: bool,
    },
    /// `NAME tags TAG on BRANCH`
    Tag {
        /// Who.
        who: String,
        /// The tag.
        name: String,
        /// The local branch.
        on: String,
        /// Not annotated.
        light: bool,
    },
    /// `NAME resets BRANCH to REV`
    Reset {
        /// The local branch.
        branch: String,
        /// Where to.
        to: String,
    },
    /// `NAME pushes …`, `force-pushes`, `deletes …`
    Push {
        /// Who pushes; `somebody` for nobody known.
        who: String,
        /// What.
        specs: Vec<PushItem>,
        /// Push options.
        options: Vec<String>,
    },
    /// A record of the ledger.
    Record {
        /// Who makes it.
        who: String,
        /// Which.
        record: Record,
    },
    /// `expect …`
    Expect(Expected),
    /// `follow remedy N`: run the commands that the last refusal printed.
    /// Only real repositories have a shell to run them in.
    Follow(usize),
}
