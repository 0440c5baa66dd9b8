//! Defines the facts that records state, as plain values for the rules.

use alloc::string::String;

use crate::{ClassId, Instant, Interval, Meaning, Oid, RecordId, RefName, RuleId};

/// A person lets one landing, policy change or deletion pass a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The rule that requires it.
    pub rule: RuleId,
    /// The person who approves.
    pub by: String,
    /// The ref that it applies to.
    pub on: RefName,
    /// The approved commit, policy tree, or value to delete.
    pub of: Oid,
    /// When it was made.
    pub at: Instant,
}

/// A record that sets a rule aside within bounds
/// (docs/design/model.md, "Records and the ledger").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The record.
    pub id: RecordId,
    /// The rule that it sets aside.
    pub rule: RuleId,
    /// The ref that it applies to.
    pub on: RefName,
    /// The only class that it applies to, if it names one.
    pub class: Option<ClassId>,
    /// The only commit that it applies to, if it names one.
    pub commit: Option<Oid>,
    /// The person who granted it.
    pub by: String,
    /// The reason.
    pub reason: String,
    /// When it is valid.
    pub during: Interval,
    /// The number of landings that it can still let pass.
    pub uses_left: u32,
    /// The follow-up that is due by its end, once it was used.
    pub owes: Option<String>,
}

/// A statement that a tree meets a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOff {
    /// The requirement that it states.
    pub meaning: Meaning,
    /// The person who signs off.
    pub by: String,
    /// The commit that was examined.
    pub commit: Oid,
    /// The tree of the commit. The sign-off binds this tree.
    pub tree: Oid,
    /// When it was made.
    pub at: Instant,
}

/// A signed classification of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassSettlement {
    /// The commit.
    pub commit: Oid,
    /// The class.
    pub class: ClassId,
    /// The person who classified it.
    pub by: String,
    /// When it was made.
    pub at: Instant,
}

/// An event after a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseEvent {
    /// The tag of the release.
    pub release: String,
    /// The person who recorded it.
    pub by: String,
    /// The reason or description in the record.
    pub reason: String,
    /// The id of the production run, if it is one.
    pub run: Option<String>,
    /// When it was recorded.
    pub at: Instant,
}

impl ReleaseEvent {
    /// What it is about: the id of the run, without regard to spaces around it.
    #[must_use]
    pub(crate) fn subject(&self) -> &str {
        self.run.as_deref().map_or("", str::trim)
    }
}

/// A statement that a person is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// The person.
    pub person: String,
    /// The person who recorded it.
    pub by: String,
    /// From the record to its end.
    pub during: Interval,
}

/// A failed user acceptance test of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateFailure {
    /// The record.
    pub id: RecordId,
    /// The person who recorded it.
    pub by: String,
    /// The reason in the record.
    pub reason: String,
    /// When it was recorded.
    pub at: Instant,
    /// The person with a role for the test who withdrew it.
    pub withdrawn_by: Option<String>,
}

/// A commit that is named for a test by users before a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The record.
    pub id: RecordId,
    /// The release that it is a candidate for.
    pub release: String,
    /// Its number; the first candidate of a release is 1.
    pub number: u32,
    /// The commit.
    pub commit: Oid,
    /// Its tree.
    pub tree: Oid,
    /// Its failed user acceptance test, if it failed.
    pub failed: Option<CandidateFailure>,
    /// When it was named.
    pub at: Instant,
}

/// A request to delete a governed branch or a release tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionRequest {
    /// The ref.
    pub name: RefName,
    /// The value of the ref.
    pub value: Oid,
    /// The person who requested it.
    pub by: String,
    /// When it was made. The cooling-off period begins at this moment.
    pub at: Instant,
}

/// A record that a fix does not apply to a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotApplicable {
    /// The fix.
    pub fix: Oid,
    /// The branch.
    pub to: RefName,
}

/// A record that a person passed a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The person.
    pub person: String,
    /// The course.
    pub course: String,
    /// When it is valid.
    pub during: Interval,
}
