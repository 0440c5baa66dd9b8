//! May this push land on this server? Reads, gathers, decides, tells.

mod again;
mod audit;
mod book;
mod builtin;
mod check;
mod clone;
mod dossier;
mod exit;
mod failure;
mod govern;
mod identity;
mod install;
mod journal;
mod judge;
mod moving;
mod named;
mod overview;
mod receive;
mod replay;
mod setup;
mod source;
mod ticket;

pub use again::{Gone, judge_again};
pub use audit::{Audit, Doubt, audit};
pub use book::{Book, BookError, Records, read_signed};
pub use builtin::{BUILTIN, builtin};
pub use check::{CheckError, Checked, Wish, check, foretell};
pub use clone::{CloneError, TRACKED, last_name, repository_name, training_clock};
pub use dossier::{Brought, Dossier, DossierError, Kept, ReadAt, decided, dossier};
pub use exit::Exit;
pub use failure::{Done, Failure, done, hook_beside};
pub use govern::{GovernError, Government};
pub use identity::{Environment, actor};
pub use install::{
    DIRECTORY, InstallError, InstallPlan, PROC_REFS, SETTINGS, WANTED, Wanted, canary, chained,
    hooks_folder, hooks_of, install, installed_hook, mark, proc_refs, uninstall,
};
pub use journal::{Entry, concerns, uses, write_down};
pub use judge::{AtRest, Judged, judge};
pub use moving::{Move, carry_out, moves, settle, transaction};
pub use overview::{FollowUp, Overview, StageNow, overview};
pub use receive::{Inputs, Outcome, receive};
pub use replay::{Replay, ReplayError, Row, assume_exits, replay};
pub use setup::{Setup, SetupError, TRAINING, bounds};
pub use source::{
    PolicyError, REVOKED, SIGNERS, Sourced, horizon, load_policy, policy_from_text,
    source_from_text, tracked,
};
pub use ticket::{Stopped, Ticket, guarded};
