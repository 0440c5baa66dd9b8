//! Makes keys for the tests of the hook.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Makes a key of a person in a directory. Returns the public key.
pub(crate) fn key(folder: &Path, who: &str) -> String {
    let path = folder.join(who);
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", who, "-f"]).arg(&path);
    assert!(keygen.status().unwrap().success(), "{keygen:?}");
    fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_string()
}
