//! Fuzz targets for everything that comes over a push, a policy or a ledger: see `targets.rs`.
//! The package holds no other code.

#[cfg(test)]
mod targets;
