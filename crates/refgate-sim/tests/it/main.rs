//! Does the simulator teach what it says? Run as learners run it.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod learner;
mod page;
mod story;
mod trouble;
