//! Reads the pusher's identity from the source that is configured for the server.

use std::collections::BTreeMap;

use refgate_core::{Actor, Oid, Push, RefUpdate};
use refgate_format::{Identity, Signers, tag_signer};
use refgate_git::Reader;

/// The environment of the process, which the binary reads once. `user` is a function, because
/// it reads files and few servers need it.
#[derive(Debug, Clone)]
pub struct Environment {
    /// All variables that are valid UTF-8.
    pub variables: BTreeMap<String, String>,
    /// Looks up the operating system user of the process.
    pub user: fn() -> Option<String>,
}

impl Environment {
    /// The value of a variable, if it is set and not empty.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.variables.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The pusher, from the variable that the configured transport sets (docs/design/model.md,
/// "Identity"). No other variable is read, because the pusher may have set it.
#[must_use]
pub fn actor(identity: Identity, environment: &Environment) -> Option<Actor> {
    let name = match identity {
        Identity::OsUser => return (environment.user)().map(Actor),
        Identity::Gitolite => environment.get("GL_USER"),
        Identity::Gitlab => environment.get("GL_USERNAME"),
        Identity::Gitea => environment.get("GITEA_PUSHER_NAME"),
        Identity::Github => environment.get("GITHUB_USER_LOGIN"),
        Identity::Http => environment.get("REMOTE_USER"),
        Identity::SshKey => environment.get("REFGATE_USER"),
        // A certificate is read and verified with the push: see `certificate_actor`.
        Identity::PushCertificate => None,
        Identity::None => None,
    };
    name.map(|name| Actor(name.to_string()))
}

/// The signer of a push certificate. The variables that Git sets could also be inherited from a
/// pusher, so the certificate itself is read: it must be signed by a key of the list, name
/// exactly the updates of this push, and be fresh.
#[must_use]
pub fn certificate_actor(
    environment: &Environment,
    reader: &Reader,
    signers: &Signers,
    push: &Push,
) -> Option<Actor> {
    let fresh = environment.get("GIT_PUSH_CERT_NONCE_STATUS") == Some("OK");
    let blob = Oid::from_hex(environment.get("GIT_PUSH_CERT").filter(|_| fresh)?)?;
    let certificate = reader.blob_text(blob, MAX_CERTIFICATE_BYTES).ok()?;
    let signer = tag_signer(signers, &certificate, push.at).ok()?;
    let text = String::from_utf8(certificate).ok()?;
    (certified_updates(&text)? == updates(push)).then_some(Actor(signer))
}

/// The largest push certificate, in bytes.
const MAX_CERTIFICATE_BYTES: usize = 4 << 20;

/// The update lines between the header and the signature of a certificate, sorted.
fn certified_updates(text: &str) -> Option<Vec<String>> {
    let (header, body) = text.split_once("\n\n")?;
    if header.lines().next() != Some("certificate version 0.1") {
        return None;
    }
    let lines = body.lines().take_while(|line| !line.starts_with("-----BEGIN "));
    let mut all: Vec<String> = lines.map(ToString::to_string).collect();
    all.sort_unstable();
    Some(all)
}

fn updates(push: &Push) -> Vec<String> {
    let line = |update: &RefUpdate| {
        let old = update.change.old_value().unwrap_or_default();
        let new = update.change.new_value().unwrap_or_default();
        format!("{old} {new} {}", update.name.as_str())
    };
    let mut all: Vec<String> = push.updates.iter().map(line).collect();
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Environment {
        let variables = pairs.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect();
        Environment { variables, user: || Some("git".to_string()) }
    }

    #[test]
    fn reads_only_the_variable_of_the_configured_transport() {
        let forged = with(&[("GL_USER", "grace"), ("REMOTE_USER", "eve"), ("USER", "root")]);
        let who = |identity| actor(identity, &forged).map(|actor| actor.0);
        assert_eq!(who(Identity::OsUser), Some("git".to_string()));
        assert_eq!(who(Identity::Gitolite), Some("grace".to_string()));
        assert_eq!(who(Identity::Gitea), None);
        assert_eq!(who(Identity::None), None);
    }

    #[test]
    fn reads_the_updates_of_a_certificate() {
        let text =
            "certificate version 0.1\npusher key\nnonce 1\n\nb\na\n-----BEGIN SSH SIGNATURE-----\n";
        assert_eq!(certified_updates(text).unwrap(), ["a", "b"]);
        assert_eq!(certified_updates("certificate version 0.2\n\na\n"), None);
    }
}
