//! What does the process say about this push? A pure function answers.
//!
//! Nothing here reads a clock, a file, the environment or a repository: the
//! crate has no `std`, so the compiler holds that wall. Policy, push, history
//! and ledger come in as values, a [`Decision`] goes out.
#![no_std]
extern crate alloc;

mod admission;
mod case;
mod class;
mod classify;
mod decide;
mod decision;
mod declare;
mod edit;
mod eligibility;
mod finding;
mod flow;
mod freeze;
mod glob;
mod history;
mod ledger;
mod lowered;
pub mod matrix;
mod message;
mod name;
mod needs;
mod policy;
mod push;
mod receipt;
mod recipe;
mod record;
mod refused;
mod release;
mod rights;
mod route;
pub mod rules;
mod subject;
mod time;
mod when;
mod words;

pub use case::Case;
pub use class::{Bounds, Class, ClassId, Classes};
pub use classify::{
    Because, Classification, Contradiction, classify_commit, classify_landing, contradiction,
};
pub use decide::decide;
pub use decision::{Decision, Seen, Verdict, Waived};
pub use declare::{Declarations, Source};
pub use edit::{Broken, LedgerEdit};
pub use eligibility::{Eligibility, eligibility};
pub use finding::{Finding, Takes, What};
pub use flow::{Flow, LEDGER, LinePattern, MAX_STAGES, RefKind, Stage, Target};
pub use freeze::{Exit, Freeze, FreezeState, Missing, Span, Window, freezes_at};
pub use glob::Glob;
pub use history::{
    Change, Commit, Debt, EntryKind, History, Landing, Mode as ChangeMode, Person, Pick,
    PolicyEdit, Shape, TagFacts, UpdateFacts,
};
pub use ledger::{
    After, Approval, Candidate, Certificate, DeletionRequest, LedgerView, NotApplicable, Settled,
    SignOff, Waiver,
};
pub use matrix::Named;
pub use message::Message;
pub use name::{BadName, Oid, RefName, is_invisible};
pub use needs::{Needs, needs};
pub use policy::{
    BackportRules, DebtRules, DeletionRules, GateRules, HotfixRules, LedgerRules, MergeClass, Mode,
    Policy, PolicyRules, PromotionRules, Roles, WaiverRules, WantedSignOff,
};
pub use push::{Actor, Push, RefChange, RefUpdate};
pub use receipt::Receipt;
pub use recipe::{Keep, Recipe, recipe};
pub use record::{Body, Meaning, Observed, Record, RecordId};
pub use refused::{MissingSignOff, Refused};
pub use release::{Level, Release, ReleaseRules, TagPattern, Version, last_major};
pub use rights::{makers, may_make};
pub use route::{Route, route};
pub use rules::RuleId;
pub use time::{Duration, Instant, Interval};
pub use when::{When, covers, earliest};
pub use words::Words;
