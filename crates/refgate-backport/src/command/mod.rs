//! The verbs, one file each.

pub(crate) mod apply;
pub(crate) mod debts;
pub(crate) mod plan;
pub(crate) mod shell;
pub(crate) mod status;
