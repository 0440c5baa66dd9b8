//! Decides whether the rules of a policy accept a push.
//!
//! The crate never reads a clock, a file, the environment or a repository. It has no `std`,
//! so the compiler enforces this. It receives policy, push, history and ledger as values and
//! returns a [`Decision`].
#![no_std]
extern crate alloc;

mod case;
mod class;
mod class_downgrade;
mod classify;
mod commit_class;
mod decide;
mod decision;
mod declaration;
mod earliest;
mod eligibility;
mod finding;
mod flow;
mod freeze;
mod gitmoji;
mod glob;
mod history;
mod ledger_edit;
mod ledger_facts;
mod ledger_view;
pub mod matrix;
mod message;
mod moved_file;
mod name;
mod needs;
mod path_class;
mod path_kind;
mod policy;
mod push;
mod receipt;
mod recipe;
mod record;
mod record_admission;
mod record_rejection;
mod record_rights;
mod release;
mod route;
pub mod rules;
mod score;
mod subject_guess;
mod time;
mod word_pattern;

pub use case::Case;
pub use class::{Bounds, Class, ClassId, Classes};
pub use classify::{
    ClassReason, Classification, Contradiction, classify_change, classify_commit, classify_landing,
    contradiction,
};
pub use decide::decide;
pub use decision::{DecidedLanding, Decision, Verdict, WaivedFinding};
pub use declaration::{DeclarationSource, Declarations};
pub use earliest::{When, covers, earliest};
pub use eligibility::{Eligibility, eligibility};
pub use finding::{Finding, Requirement};
pub use flow::{Flow, LEDGER, LinePattern, MAX_STAGES, RefKind, Stage, Target};
pub use freeze::{
    ExitCriteria, FastTrack, Freeze, FreezeState, MissingEvidence, Window, WindowSpan, freezes_at,
};
pub use glob::Glob;
pub use history::{
    Change, ChangeMode, Commit, Debt, EntryKind, History, Landing, Person, Pick, PolicyEdit,
    TagFacts, TagSignature, TipRelation, UpdateFacts,
};
pub use ledger_edit::{LedgerEdit, LedgerFormError};
pub use ledger_facts::{
    Absence, Approval, Candidate, CandidateFailure, Certificate, ClassSettlement, DeletionRequest,
    NotApplicable, ReleaseEvent, SignOff, Waiver,
};
pub use ledger_view::LedgerView;
pub use matrix::NamedCommits;
pub use message::Message;
pub use name::{Oid, RefName, RefNameError, is_invisible};
pub use needs::{Needs, needs};
pub use path_kind::PathKind;
pub use policy::{
    BackportRules, DebtRules, DeletionRules, GateRules, HotfixRules, LedgerRules, MergeClass,
    Policy, PolicyRules, PromotionRules, RequiredSignOff, Roles, RuleMode, SignOffCount,
    WaiverRules,
};
pub use push::{Actor, Push, RefChange, RefUpdate};
pub use receipt::Receipt;
pub use recipe::{KeptSide, Recipe, recipe};
pub use record::{EvidenceKind, Meaning, Record, RecordBody, RecordId};
pub use record_rejection::{MissingSignOff, RecordRejection};
pub use record_rights::{may_make, roles_that_may_make};
pub use release::{Level, Release, ReleaseRules, TagPattern, Version, last_major};
pub use route::{Route, route};
pub use rules::{RuleId, Violation};
pub use score::{DiffFacts, FACTS, Score, ScoreFact, ScoreWeights};
pub use time::{Duration, Instant, Interval};
pub use word_pattern::WordPattern;
