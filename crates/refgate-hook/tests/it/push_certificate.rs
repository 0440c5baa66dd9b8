//! Checks the identity by push certificate: what is signed counts, not what is inherited.

use std::fs;

use crate::keys::key;
use crate::server::Server;

const POLICY: &str = r#"format = 1
name = "own"
[[stage]]
branch = "dev"
pushers = ["dev"]
[[stage]]
branch = "main"
production = true
[roles]
dev = ["ada"]
[policy]
approvals = 0
approvers = "dev"
[hotfix]
classes = ["docs", "chore", "bugfix", "feature", "hotfix"]
"#;

#[test]
fn the_certificate_itself_names_the_pusher() {
    let keys = tempfile::tempdir().unwrap();
    let [public, _] = ["ada", "mallory"].map(|name| key(keys.path(), name));
    let server = Server::with_signers(POLICY, &format!("ada namespaces=\"git\" {public}\n"));
    let settings = server.path().join("refgate/server.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace("\"gitolite\"", "\"push-certificate\"")).unwrap();
    server.on_server(&["config", "receive.certNonceSeed", "seed"]);
    server.git(&["switch", "-q", "dev"]);
    server.commit("fix: a", "src/app.rs");
    let push = |who: &str, signed: bool, inherited: &[(&str, &str)]| {
        let mut push = refgate_scenario::git_command(&server.clone());
        let key = keys.path().join(who).display().to_string();
        push.args(["-c", "gpg.format=ssh", "-c", &format!("user.signingKey={key}"), "push"]);
        push.args(if signed { &["--signed"][..] } else { &[] }).args(["origin", "dev"]);
        push.env("GIT_COMMITTER_NAME", who).env("GIT_COMMITTER_EMAIL", "x@x");
        push.envs(inherited.iter().copied());
        let output = push.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let forged = [
        ("GIT_PUSH_CERT_STATUS", "G"),
        ("GIT_PUSH_CERT_NONCE_STATUS", "OK"),
        ("GIT_PUSH_CERT_SIGNER", "ada"),
        ("GIT_PUSH_CERT", "0123456789abcdef0123456789abcdef01234567"),
    ];
    for (who, signed, inherited) in
        [("ada", false, &[][..]), ("ada", false, &forged), ("mallory", true, &forged[..3])]
    {
        let (ok, said) = push(who, signed, inherited);
        assert!(!ok && said.contains("[pusher]"), "{who} {signed}: {said}");
    }
    let (ok, said) = push("ada", true, &[]);
    assert!(ok, "{said}");
}
