//! What did somebody put on record, and exactly what does it bind?
//!
//! A record is a signed statement (docs/design/model.md, "Records and the ledger"). Its identity is the hash of
//! what was signed, never of the signature (docs/design/threats.md, S6).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::{Instant, Oid, RefName, RuleId};

/// The SHA-256 of a record's signed text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub [u8; 32]);

impl RecordId {
    /// The id written as sixty-four lower-case hexadecimal digits.
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

    /// The first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
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

/// A record whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The hash of its signed text.
    pub id: RecordId,
    /// Who made and signed it.
    pub by: String,
    /// When. The server refuses moments that are not its own present.
    pub at: Instant,
    /// The repository that it speaks of.
    pub repository: String,
    /// Why.
    pub reason: String,
    /// Where more is to be read: a ticket, a protocol, a message.
    pub link: Option<String>,
    /// What it says.
    pub body: RecordBody,
}

/// What a sign-off means (docs/design/model.md, "Promotion and release").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// Users have tested it and agree.
    Uat,
    /// The validation protocol is done.
    Validation,
    /// The change advisory board approves.
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

    /// The meaning of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|meaning| meaning.name() == name)
    }
}

/// What was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvidenceKind {
    /// A production run has completed.
    ProductionRun,
    /// The stakeholders have been told.
    Notice,
    /// A problem is open, until the record is withdrawn.
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

    /// The observation of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|observed| observed.name() == name)
    }
}

/// What a record says, by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordBody {
    /// A commit (or policy blob, or a value that shall be deleted) may do what
    /// a rule else forbids.
    Approval {
        /// The rule whose question it answers.
        rule: RuleId,
        /// The reference.
        on: RefName,
        /// What is approved.
        of: Oid,
    },
    /// A tree may be shipped, as far as one meaning goes.
    SignOff {
        /// The meaning.
        meaning: Meaning,
        /// The commit that was looked at.
        commit: Oid,
        /// Its tree, which is what counts.
        tree: Oid,
    },
    /// A commit is of a class, whatever its diff suggests.
    Classification {
        /// The commit.
        commit: Oid,
        /// The class.
        class: String,
    },
    /// The freeze that a release opened may end.
    FreezeExit {
        /// The release's tag.
        release: String,
    },
    /// A bounded exception.
    Waiver {
        /// The rule that it sets aside.
        rule: RuleId,
        /// The reference that it holds for.
        on: RefName,
        /// The only class that it holds for.
        class: Option<String>,
        /// The only commit that it holds for.
        commit: Option<Oid>,
        /// When it ends.
        until: Instant,
        /// How many landings it lets through.
        uses: u32,
        /// What is owed for it once it was used, by its end.
        owes: Option<String>,
    },
    /// What a waiver owed is done.
    Settlement {
        /// The waiver.
        of: RecordId,
        /// Its shelf: where it lies.
        shelf: String,
    },
    /// Stop now.
    Freeze {
        /// The stages' branches.
        stages: Vec<String>,
        /// The classes that pass.
        lets_through: Vec<String>,
        /// When it ends at the latest.
        until: Instant,
    },
    /// A freeze record ends early.
    Thaw {
        /// Which.
        of: RecordId,
    },
    /// Something was observed after a release.
    Evidence {
        /// What.
        what: EvidenceKind,
        /// The release's tag.
        release: String,
    },
    /// The next iteration begins: the freeze of a release ends.
    Iteration {
        /// The release's tag.
        release: String,
    },
    /// Work on a release begins.
    ReleaseOpen {
        /// The tag that it will have.
        release: String,
    },
    /// All that a release owes (notes, documentation) is done.
    ReleaseFinish {
        /// The tag.
        release: String,
    },
    /// A commit shall be tested as a candidate.
    Candidate {
        /// The release's tag.
        release: String,
        /// The first is 1.
        number: u32,
        /// The commit.
        commit: Oid,
        /// Its tree.
        tree: Oid,
    },
    /// Users have tested a candidate and disagree.
    UatFailed {
        /// The release's tag.
        release: String,
        /// The candidate's record.
        of: RecordId,
    },
    /// A record counts no longer.
    Withdrawal {
        /// Which.
        of: RecordId,
        /// Its shelf: where it lies.
        shelf: String,
    },
    /// A protected reference shall be deleted.
    DeletionRequest {
        /// The reference.
        on: RefName,
        /// Its value.
        value: Oid,
    },
    /// A fix need not go to a stage or line.
    NotApplicable {
        /// The fix.
        fix: Oid,
        /// The branch.
        to: RefName,
    },
    /// Somebody has passed a course.
    Certificate {
        /// Who.
        person: String,
        /// Which course.
        course: String,
        /// When it expires.
        until: Instant,
    },
}

impl RecordBody {
    /// Whether it forbids something, or takes a permission back. Such a record
    /// stays in force when its maker's key or role is gone: it was valid when it
    /// came, and forgetting one would let something pass.
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

    /// The release that it speaks of, if it speaks of one.
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
            Self::Certificate { .. } => "certificate",
        }
    }
}
