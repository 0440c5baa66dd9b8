//! Tests of the simulator, which run it as a learner does.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod learner;
mod page;
mod story;
mod trouble;
