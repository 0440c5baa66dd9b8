//! The verbs, by what they are about.

pub(crate) mod lesson;
pub(crate) mod receive;
pub(crate) mod time;
