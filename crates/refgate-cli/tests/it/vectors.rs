//! Compares refgate with `ssh-keygen` on the test signatures of OpenSSH.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use refgate_format::{Signers, verify};
use tempfile::TempDir;

/// The directory of the vectors: `regress/unittests/sshsig/testdata` of OpenSSH.
fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os("OPENSSH_VECTORS").unwrap())
}

/// Checks each vector unchanged and with each single letter changed. refgate accepts
/// nothing that `ssh-keygen` rejects. It accepts the unchanged vectors, except the kinds
/// of key that it does not support.
#[test]
#[ignore = "needs OpenSSH's source: see .ci/run"]
fn openssh_vectors() {
    let read = |name: &str| fs::read_to_string(folder().join(name)).unwrap();
    let (namespace, text) = (read("namespace"), read("signed-data"));
    let scratch = TempDir::new().unwrap();
    let (mut whole, mut changed, mut taken) = (0, 0, 0);
    for (name, accepted) in [
        ("ed25519", true),
        ("ecdsa", true),
        ("rsa", true),
        ("ed25519_sk", true),
        ("ecdsa_sk", true),
        // A browser signs data of the web page around the text, not the text itself.
        ("ecdsa_sk_webauthn", false),
        // DSA is weak.
        ("dsa", false),
    ] {
        let (key, armour) = (read(&format!("{name}.pub")), read(&format!("{name}.sig")));
        let list = format!("ada namespaces=\"{namespace}\" {key}");
        let at = chrono::Utc::now();
        let refgate_accepts = |text: &str, armour: &str| {
            Signers::parse(&list, "").is_ok_and(|signers| {
                verify(&signers, text, armour, ("ada", &namespace, at)).is_ok()
            })
        };
        let path = |file: &str| scratch.path().join(file);
        fs::write(path("signers"), &list).unwrap();
        let keygen_accepts = |text: &str, armour: &str| {
            fs::write(path("sig"), armour).unwrap();
            fs::write(path("text"), text).unwrap();
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-Y", "verify", "-I", "ada", "-n", &namespace, "-f"]).arg(path("signers"));
            keygen.arg("-s").arg(path("sig")).stdin(fs::File::open(path("text")).unwrap());
            keygen.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
        };
        let why =
            Signers::parse(&list, "").map(|s| verify(&s, &text, &armour, ("ada", &namespace, at)));
        assert_eq!(refgate_accepts(&text, &armour), accepted, "{name}: {why:?}");
        assert!(keygen_accepts(&text, &armour), "{name}");
        whole += 1;
        assert!(!refgate_accepts(&text.replace("test", "rest"), &armour), "{name}: another text");
        for place in 0..armour.len() {
            let mut other = armour.clone().into_bytes();
            other[place] = if other[place] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            changed += 1;
            if refgate_accepts(&text, &other) {
                taken += 1;
                assert!(
                    keygen_accepts(&text, &other),
                    "{name}, letter {place}: only refgate accepts it"
                );
            }
        }
    }
    assert_eq!(whole, 7);
    assert!(changed > 2_000 && taken < 20, "{changed}, {taken}");
}
