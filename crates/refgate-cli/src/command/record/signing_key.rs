//! Finds the public key or the key file that `user.signingKey` names.

use std::path::PathBuf;

use refgate_gate::Exit;

use crate::output::Failure;

/// The key, if the setting contains a key and not a path.
pub(super) fn literal(key: &str) -> Option<&str> {
    let literal = key.strip_prefix("key::").unwrap_or(key);
    let known = ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| literal.starts_with(kind));
    known.then_some(literal)
}

pub(super) fn public_key(key: &str) -> Result<String, Failure> {
    if let Some(literal) = literal(key) {
        return Ok(literal.to_string());
    }
    let path = expand_home(key);
    let public = path.with_extension("pub");
    let path = if public.exists() { public } else { path };
    std::fs::read_to_string(&path).map_err(|why| {
        Failure::new(Exit::BadSetup, format!("cannot read the key {}: {why}", path.display()))
    })
}

/// Replaces `~/` at the start of a path with the home directory.
pub(super) fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}
