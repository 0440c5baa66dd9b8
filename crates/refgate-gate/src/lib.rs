//! Decides about a push on a server: reads the policy, gathers the facts, decides and reports.

mod audit;
mod builtin;
mod check;
mod clone_settings;
mod debt_dates;
mod dossier;
mod exit;
mod failure;
mod governance;
mod identity;
mod install;
mod judge;
mod ledger_reader;
mod log_entry;
mod message_links;
mod overview;
mod policy_source;
mod push_records;
mod receive;
mod record_targets;
mod ref_guard;
mod replay;
mod repository_id;
mod reverify;
mod self_test;
mod setup;
mod ticket;

pub use audit::{Audit, AuditFinding, audit};
pub use builtin::{BUILTIN, builtin};
pub use check::{CheckError, CheckResult, ProposedUpdate, check, find_earliest};
pub use clone_settings::{CloneError, TRACKED, repository_name, training_clock};
pub use debt_dates::date_debts;
pub use dossier::{
    Dossier, DossierChange, DossierError, DossierRecord, ReadAt, decision_time, dossier,
};
pub use exit::Exit;
pub use failure::{Failure, VerbResult, done, find_hook_program};
pub use governance::{Governance, GovernanceError};
pub use identity::{Environment, actor, certificate_actor};
pub use install::{
    DIRECTORY, InstallError, InstallPlan, PROC_REFS, SERVER_SETTINGS, SETTINGS, ServerSetting,
    canary, former_hook_path, hooks_folder, hooks_for_guard, install, installed_hook, mark,
    proc_refs, uninstall,
};
pub use judge::{JudgedPush, ServerState, judge};
pub use ledger_reader::{LedgerError, LedgerReader, read_signed};
pub use log_entry::{LogEntry, append_entry, is_logged, uses};
pub use overview::{FollowUp, Overview, StageStatus, overview};
pub use policy_source::{
    LoadedPolicy, PolicyError, REVOKED, SIGNERS, horizon, load_policy, policy_from_text,
    source_from_text, tracked,
};
pub use push_records::Records;
pub use receive::{Inputs, Outcome, receive};
pub use ref_guard::{
    PendingMove, RefTarget, parse_moves, transaction, update_refs, wait_for_older_landings,
};
pub use replay::{Replay, ReplayError, Row, assume_exits, replay};
pub use repository_id::{
    ID_REF, is_repository_id, last_component, new_repository_id, published_id,
};
pub use reverify::{ReverifyError, reverify_decision};
pub use self_test::unjudgeable_stages;
pub use setup::{Setup, SetupError, TRAINING, bounds};
pub use ticket::{GuardRejection, Ticket, needs_ticket};
