//! Checks that `[release] signed` verifies the signature of a tag, with real keys.

use crate::keys::key;
use crate::server::Server;

const POLICY: &str = r#"format = 1
name = "own"
[[stage]]
branch = "dev"
[[stage]]
branch = "main"
production = true
[roles]
manager = ["grace"]
other = ["ada"]
[policy]
approvals = 0
approvers = "manager"
[hotfix]
classes = ["docs", "chore", "bugfix", "feature", "hotfix"]
[release]
signed = true
signers = "manager"
"#;

/// A server whose list of signers has grace and ada for `git`, and eve for no tags.
fn server(keys: &std::path::Path) -> Server {
    key(keys, "mallory");
    let line = |name: &str, namespaces: &str| {
        format!("{name} namespaces=\"{namespaces}\" {}\n", key(keys, name))
    };
    let signers =
        [line("grace", "git,refgate@own"), line("ada", "git"), line("eve", "refgate@own")].concat();
    Server::with_signers(POLICY, &signers)
}

/// Tags main with `git tag -s` and the key of a person.
fn sign(server: &Server, keys: &std::path::Path, who: &str, tag: &str) {
    let key = keys.join(who).display().to_string();
    server.git(&[
        "-c",
        "gpg.format=ssh",
        "-c",
        &format!("user.signingKey={key}"),
        "tag",
        "-s",
        "-f",
        "-m",
        "Release",
        tag,
        "main",
    ]);
}

#[test]
fn a_signed_tag_is_verified_with_the_signers_of_the_policy() {
    let keys = tempfile::tempdir().unwrap();
    let keys = keys.path();
    let server = server(keys);
    let rejects = |tag: &str, why: &str| {
        let (ok, said) = server.push("grace", &[&format!("refs/tags/{tag}")]);
        assert!(!ok && said.contains(why), "{why}: {said}");
    };
    // The words of a signature are no signature.
    for marker in ["SSH", "PGP"] {
        let text = format!(
            "Release\n\n-----BEGIN {marker} SIGNATURE-----\nabc\n-----END {marker} SIGNATURE-----"
        );
        server.git(&["tag", "-f", "-a", "-m", &text, "v1.0.0", "main"]);
        rejects("v1.0.0", if marker == "SSH" { "not valid" } else { "OpenPGP" });
    }
    server.git(&["tag", "-f", "-a", "-m", "Release", "v1.0.0", "main"]);
    rejects("v1.0.0", "must be signed");
    sign(&server, keys, "mallory", "v1.0.0");
    rejects("v1.0.0", "not valid");
    // A key that is listed for records only, and a signer without the role.
    sign(&server, keys, "eve", "v1.0.0");
    rejects("v1.0.0", "not valid");
    sign(&server, keys, "ada", "v1.0.0");
    rejects("v1.0.0", "signed by `ada`");
    // A signature of another tag.
    sign(&server, keys, "grace", "v1.0.0");
    let data = server.git(&["cat-file", "tag", "v1.0.0"]).replace("tag v1.0.0", "tag v1.1.0");
    let copied = server.object("tag", format!("{data}\n").as_bytes());
    server.git(&["update-ref", "refs/tags/v1.1.0", &copied]);
    rejects("v1.1.0", "not valid");
    let (ok, said) = server.push("grace", &["refs/tags/v1.0.0"]);
    assert!(ok, "{said}");
}
