//! Tests of the reader of repositories on histories that it has never seen.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod history;
mod landed;
