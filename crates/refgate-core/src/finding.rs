//! What does a rule object to, and what would it take to pass? Facts only; sentences are made elsewhere.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    ClassId, Classification, Debt, Duration, Eligibility, FreezeState, Instant, LedgerFormError,
    Level, MissingEvidence, MissingSignOff, Oid, Receipt, RecordId, RecordRejection, Route, RuleId,
    Version,
};

/// What it would take (docs/design/model.md, "Decision").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// Time alone.
    Until(Instant),
    /// Somebody's agreement.
    Needs {
        /// The role that can give it.
        role: String,
    },
    /// Something else must come first.
    WaitsFor(String),
    /// The push must be made otherwise.
    Never,
}

/// One objection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// The place of the update in the push.
    pub update: usize,
    /// The landing, where it is about one.
    pub landing: Option<Oid>,
    /// What is wrong.
    pub what: Violation,
    /// What it would take.
    pub requirement: Requirement,
}

impl Finding {
    /// The moment before which time alone cannot mend it, if there is one.
    #[must_use]
    pub const fn not_before(&self) -> Option<Instant> {
        match (&self.requirement, &self.what) {
            (Requirement::Until(end), _) => Some(*end),
            (_, Violation::Frozen { earliest, .. }) => *earliest,
            _ => None,
        }
    }
}

/// What is wrong, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A class does not pass a closed window.
    Frozen {
        /// The window's name.
        window: String,
        /// Why it exists.
        reason: String,
        /// Where it stands.
        state: FreezeState,
        /// Since when.
        since: Option<Instant>,
        /// The release that opened it.
        release: Option<String>,
        /// What was found.
        class: Classification,
        /// When time alone would let it in, if it would.
        earliest: Option<Instant>,
        /// What the end of the freeze waits for.
        missing: Vec<MissingEvidence>,
        /// The role whose approval lets this class through, if one may.
        fast_track: Option<String>,
        /// The classes that pass.
        lets_through: Vec<String>,
    },
    /// A declared class and the diff disagree.
    Contradicted {
        /// What was declared.
        class: Classification,
    },
    /// Nothing declares a class.
    Unclassified {
        /// What was found.
        class: Classification,
    },
    /// A merge holds content that comes from no parent.
    EvilMerge {
        /// The first paths.
        paths: Vec<String>,
        /// How many.
        total: usize,
    },
    /// The value at rest is off the first-parent chain.
    Foxtrot {
        /// The tip at rest.
        old: Oid,
        /// The tip asked for.
        new: Oid,
    },
    /// More than two parents, or the same one twice.
    Octopus {
        /// How many parents.
        parents: usize,
    },
    /// History would be rewritten.
    Rewritten {
        /// The tip at rest.
        old: Oid,
        /// The tip asked for.
        new: Oid,
    },
    /// A stage, line or tag would be deleted.
    Deleted {
        /// Its value at rest.
        value: Oid,
        /// The request, if there is one: by whom, and when its cooling-off ends.
        request: Option<(String, Instant)>,
        /// Whether it was approved.
        approved: bool,
    },
    /// A squashed promotion.
    Squashed {
        /// The previous stage's branch.
        from: String,
        /// The commit there that has the same tree.
        of: Oid,
    },
    /// A promoting merge with content of its own.
    PromotionDiffers {
        /// The previous stage's branch.
        from: String,
    },
    /// A stage was left out.
    Leapt {
        /// Where it comes from.
        from: String,
        /// The stage that it must pass.
        over: String,
    },
    /// The class may not go there without promotion.
    NotEligible {
        /// What was found.
        class: Classification,
        /// How it came.
        route: Route,
        /// Why not.
        eligibility: Eligibility,
        /// The previous stage's branch, where there is one.
        previous: Option<String>,
    },
    /// A pick is not what Git makes of its original.
    NotExact {
        /// The original.
        of: Oid,
        /// What it is instead.
        receipt: Receipt,
    },
    /// Conflict marks were committed.
    Marked {
        /// The files.
        paths: Vec<String>,
    },
    /// Work comes straight, and was not picked from anywhere.
    OwnWork {
        /// The commit that holds it.
        commit: Oid,
        /// What lands.
        class: Classification,
    },
    /// A pick is called less than its original.
    Lowered {
        /// The original.
        of: Oid,
        /// What the pick is called.
        class: ClassId,
        /// What the original is called.
        was: ClassId,
    },
    /// A release tag would move.
    TagMoved {
        /// The value at rest.
        old: Oid,
    },
    /// A release tag is a bare reference where it must be annotated.
    TagNotAnnotated,
    /// A release tag carries no signature.
    TagNotSigned,
    /// The tag object's own name is another.
    TagNameDiffers,
    /// The tagged commit is in no production stage at rest.
    TagNotShipped {
        /// The production branch.
        production: String,
    },
    /// The version does not grow.
    VersionNotGrown {
        /// The version of the tag.
        version: Version,
        /// The release that is as high or higher.
        existing: String,
        /// How large a release of that kind would be.
        level: Level,
    },
    /// The name is refgate's own, or changes what Git believes.
    NameReserved,
    /// The name could be mistaken for a protected one.
    NameResembles {
        /// The protected name.
        name: String,
    },
    /// Beside the name a protected one could not exist.
    NameBlocks,
    /// The name is a symbolic reference to another.
    NameAlias {
        /// The other.
        target: String,
    },
    /// The update touches a stage without naming a commit.
    NotACommit,
    /// A governed branch would be created out of nothing known.
    StageCreated,
    /// A commit's header is not as Git writes it.
    Malformed {
        /// The commit.
        commit: Oid,
        /// The complaint.
        defect: String,
    },
    /// The pusher has none of the roles that may.
    NotAllowed {
        /// Who pushes, if the transport says.
        actor: Option<String>,
        /// The roles that may.
        roles: Vec<String>,
    },
    /// The policy changes together with other references.
    PolicyNotAlone,
    /// The new policy cannot serve.
    PolicyBroken {
        /// Why.
        problem: String,
    },
    /// The new policy's revision does not grow.
    PolicyRevision {
        /// The revision in force.
        now: u64,
        /// The revision asked for.
        new: u64,
    },
    /// The new policy lacks approvals.
    PolicyNotApproved {
        /// How many it has.
        have: u32,
        /// How many it needs.
        want: u32,
        /// The role that approves.
        role: String,
        /// The tree of the new policy's folder, which approvals bind.
        folder: Oid,
    },
    /// A push to the ledger has not the form of one.
    LedgerBroken {
        /// Why not.
        broken: LedgerFormError,
    },
    /// A record cannot be accepted.
    RecordRefused {
        /// The record.
        record: RecordId,
        /// Its kind.
        kind: &'static str,
        /// Who made it.
        by: String,
        /// Why not.
        why: RecordRejection,
    },
    /// What is promoted was not named a candidate.
    NoCandidate {
        /// The commit.
        commit: Oid,
        /// The candidate of the same tree that failed its test, if there is one.
        failed: Option<RecordId>,
    },
    /// A promotion to production lacks sign-offs.
    NotSignedOff {
        /// The tree that would be shipped.
        tree: Oid,
        /// What is missing.
        missing: Vec<MissingSignOff>,
    },
    /// The stage before has not had the tree for long enough.
    NotSoaked {
        /// Since when it has had it.
        since: Option<Instant>,
        /// How long it must.
        soak: Duration,
    },
    /// The pusher has not passed the course.
    NotTrained {
        /// Who pushes.
        actor: Option<String>,
        /// The course.
        course: String,
        /// When a certificate expired, if there was one.
        expired: Option<Instant>,
    },
    /// Fixes are owed past their time.
    Overdue {
        /// What is owed, earliest first.
        debts: Vec<Debt>,
        /// The branch that owes each.
        owes: Vec<String>,
    },
    /// A fact that the rule rests on was not gathered: our fault.
    FactMissing {
        /// Which.
        fact: &'static str,
    },
}
