//! Defines records: signed statements, and exactly what each of them binds.
//!
//! The id of a record is the hash of its signed text, never of the signature
//! (docs/design/model.md, "Records and the ledger"; docs/design/threats.md, S6).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::{Instant, Oid, RefName, RuleId};

/// The SHA-256 of the signed text of a record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub [u8; 32]);

impl RecordId {
    /// Parses sixty-four lower-case hexadecimal digits.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        let lower = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
        if digits.len() != 64 || !digits.iter().all(lower) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, place) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(hex.get(place..place + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The first twelve digits, for messages.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A record with a valid signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The hash of its signed text.
    pub id: RecordId,
    /// The person who made and signed it.
    pub by: String,
    /// When it was made. The server rejects a time that differs from its own clock.
    pub at: Instant,
    /// The repository that it applies to.
    pub repository: String,
    /// The reason.
    pub reason: String,
    /// A link to more information: a ticket, a protocol or a message.
    pub link: Option<String>,
    /// The statement.
    pub body: RecordBody,
}

/// The requirement that a sign-off states (docs/design/model.md, "Promotion and release").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// Users have tested the tree and accept it.
    Uat,
    /// The validation protocol is complete.
    Validation,
    /// The change advisory board approves the change.
    ChangeApproval,
}

impl Meaning {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Uat, Self::Validation, Self::ChangeApproval];

    /// Its name in records and policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uat => "uat",
            Self::Validation => "validation",
            Self::ChangeApproval => "change-approval",
        }
    }

    /// The meaning with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|meaning| meaning.name() == name)
    }
}

/// A kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvidenceKind {
    /// A production run has completed.
    ProductionRun,
    /// The stakeholders have a notice.
    Notice,
    /// A problem is open until the record is withdrawn.
    Blocker,
}

impl EvidenceKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ProductionRun, Self::Notice, Self::Blocker];

    /// Its name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProductionRun => "production-run",
            Self::Notice => "notice",
            Self::Blocker => "blocker",
        }
    }

    /// The kind of evidence with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|observed| observed.name() == name)
    }
}

/// The statement of a record, by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordBody {
    /// A commit, a policy or a deletion may pass a rule that requires consent.
    Approval {
        /// The rule that requires it.
        rule: RuleId,
        /// The ref.
        on: RefName,
        /// The approved object.
        of: Oid,
    },
    /// A tree meets one requirement for its release.
    SignOff {
        /// The meaning.
        meaning: Meaning,
        /// The commit that was examined.
        commit: Oid,
        /// The tree of the commit. The sign-off binds this tree.
        tree: Oid,
    },
    /// A commit has a class, whatever its diff suggests.
    Classification {
        /// The commit.
        commit: Oid,
        /// The class.
        class: String,
    },
    /// The freeze after a release may end.
    FreezeExit {
        /// The tag of the release.
        release: String,
    },
    /// A rule is set aside within bounds.
    Waiver {
        /// The rule that it sets aside.
        rule: RuleId,
        /// The ref that it applies to.
        on: RefName,
        /// The only class that it applies to.
        class: Option<String>,
        /// The only commit that it applies to.
        commit: Option<Oid>,
        /// When it ends.
        until: Instant,
        /// The number of landings that it lets pass.
        uses: u32,
        /// The follow-up that is due by its end, once it was used.
        owes: Option<String>,
    },
    /// The follow-up of a waiver is done.
    Settlement {
        /// The waiver.
        of: RecordId,
        /// The shelf of the waiver.
        shelf: String,
    },
    /// A freeze begins now.
    Freeze {
        /// The branches of the stages.
        stages: Vec<String>,
        /// The classes that it accepts.
        lets_through: Vec<String>,
        /// Its latest end.
        until: Instant,
    },
    /// A freeze record ends early.
    Thaw {
        /// The freeze record.
        of: RecordId,
    },
    /// Something happened after a release.
    Evidence {
        /// The kind of evidence.
        what: EvidenceKind,
        /// The tag of the release.
        release: String,
        /// The id of the production run. Other kinds have none.
        run: Option<String>,
    },
    /// The next iteration is open: the freeze after a release ends.
    Iteration {
        /// The tag of the release.
        release: String,
    },
    /// Work on a release begins.
    ReleaseOpen {
        /// The future tag of the release.
        release: String,
    },
    /// The notes and the documentation of a release are done.
    ReleaseFinish {
        /// The tag of the release.
        release: String,
    },
    /// A commit is a release candidate.
    Candidate {
        /// The tag of the release.
        release: String,
        /// Its number; the first candidate of a release is 1.
        number: u32,
        /// The commit.
        commit: Oid,
        /// Its tree.
        tree: Oid,
    },
    /// Users have tested a candidate and reject it.
    UatFailed {
        /// The tag of the release.
        release: String,
        /// The record of the candidate.
        of: RecordId,
    },
    /// A record is no longer valid.
    Withdrawal {
        /// The record.
        of: RecordId,
        /// The shelf of the record.
        shelf: String,
    },
    /// Somebody requests the deletion of a governed branch or a release tag.
    DeletionRequest {
        /// The ref.
        on: RefName,
        /// The value of the ref.
        value: Oid,
    },
    /// A fix does not apply to a stage or line.
    NotApplicable {
        /// The fix.
        fix: Oid,
        /// The branch.
        to: RefName,
    },
    /// A person is absent and signs nothing off.
    Absence {
        /// The person.
        person: String,
        /// When the absence ends.
        until: Instant,
    },
    /// A person has passed a course.
    Certificate {
        /// The person.
        person: String,
        /// The course.
        course: String,
        /// When it expires.
        until: Instant,
    },
}

impl RecordBody {
    /// Whether it forbids something, or withdraws a permission. Such a record stays valid
    /// without the key or the role of its maker: it was valid when it was accepted, and a push
    /// could pass if it were dropped.
    #[must_use]
    pub const fn forbids(&self) -> bool {
        matches!(
            self,
            Self::Freeze { .. }
                | Self::Withdrawal { .. }
                | Self::UatFailed { .. }
                | Self::Evidence { what: EvidenceKind::Blocker, .. }
        )
    }

    /// The release that it names, if it names one.
    #[must_use]
    pub const fn release(&self) -> Option<&String> {
        match self {
            Self::FreezeExit { release }
            | Self::Evidence { release, .. }
            | Self::Iteration { release }
            | Self::ReleaseOpen { release }
            | Self::ReleaseFinish { release }
            | Self::Candidate { release, .. }
            | Self::UatFailed { release, .. } => Some(release),
            _ => None,
        }
    }

    /// The name of its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Approval { .. } => "approval",
            Self::SignOff { .. } => "sign-off",
            Self::Classification { .. } => "classification",
            Self::FreezeExit { .. } => "freeze-exit",
            Self::Waiver { .. } => "waiver",
            Self::Settlement { .. } => "settlement",
            Self::Freeze { .. } => "freeze",
            Self::Thaw { .. } => "thaw",
            Self::Evidence { .. } => "evidence",
            Self::Iteration { .. } => "iteration",
            Self::ReleaseOpen { .. } => "release-open",
            Self::ReleaseFinish { .. } => "release-finish",
            Self::Candidate { .. } => "candidate",
            Self::UatFailed { .. } => "uat-failed",
            Self::Withdrawal { .. } => "withdrawal",
            Self::DeletionRequest { .. } => "deletion-request",
            Self::NotApplicable { .. } => "not-applicable",
            Self::Absence { .. } => "absence",
            Self::Certificate { .. } => "certificate",
        }
    }
}
