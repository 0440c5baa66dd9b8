//! Tests the real hook: against the scenario world in memory, and against a raw client.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod attributes;
#[path = "../support/keys.rs"]
mod keys;
mod laundering;
mod pages;
mod policy;
mod push_certificate;
mod raw;
#[path = "../support/raw_client.rs"]
mod raw_client;
mod remedies;
mod server;
mod signed_tags;
