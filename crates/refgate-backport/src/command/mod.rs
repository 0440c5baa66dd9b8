//! The subcommands of `git backport`, one file each.

pub(crate) mod apply;
pub(crate) mod debts;
pub(crate) mod finish;
pub(crate) mod hotfix;
pub(crate) mod plan;
pub(crate) mod receipt;
pub(crate) mod resume;
pub(crate) mod shell;
pub(crate) mod status;
