//! The verbs, grouped by subject.

pub(crate) mod lesson;
pub(crate) mod receive;
pub(crate) mod time;
