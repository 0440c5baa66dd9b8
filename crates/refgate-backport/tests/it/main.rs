//! Tests of `git backport` on real repositories.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod attacks;
mod carry;
mod hotfix;
mod matrix;
mod policy;
mod resolution;
mod stories;
mod world;
