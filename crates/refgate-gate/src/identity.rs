//! Reads the pusher's identity from the source that is configured for the server.

use std::collections::BTreeMap;

use refgate_core::Actor;
use refgate_format::Identity;

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
        Identity::PushCertificate => certificate_signer(environment),
        Identity::None => None,
    };
    name.map(|name| Actor(name.to_string()))
}

/// The signer of the push certificate, if its signature and its nonce are valid.
fn certificate_signer(environment: &Environment) -> Option<&str> {
    let good = environment.get("GIT_PUSH_CERT_STATUS") == Some("G");
    let fresh = environment.get("GIT_PUSH_CERT_NONCE_STATUS") == Some("OK");
    environment.get("GIT_PUSH_CERT_SIGNER").filter(|_| good && fresh)
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
    fn ignores_a_push_certificate_without_valid_signature_and_nonce() {
        let signer = ("GIT_PUSH_CERT_SIGNER", "ada");
        let good = ("GIT_PUSH_CERT_STATUS", "G");
        let fresh = ("GIT_PUSH_CERT_NONCE_STATUS", "OK");
        let who = |pairs: &[_]| actor(Identity::PushCertificate, &with(pairs));
        assert!(who(&[signer, good, fresh]).is_some());
        assert!(who(&[signer, good]).is_none());
        assert!(who(&[signer, ("GIT_PUSH_CERT_STATUS", "B"), fresh]).is_none());
    }
}
