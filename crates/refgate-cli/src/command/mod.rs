//! The verbs of `refgate`, one module for each.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod dossier;
mod dossier_record;
pub(crate) mod explain;
pub(crate) mod install;
pub(crate) mod ledger;
pub(crate) mod lint;
mod persons;
pub(crate) mod prove;
pub(crate) mod query_context;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod restore;
pub(crate) mod shell;
pub(crate) mod status;
pub(crate) mod test;
pub(crate) mod when;
