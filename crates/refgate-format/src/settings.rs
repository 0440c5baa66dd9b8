//! Reads and writes the settings of refgate on a server: one file in the git directory.

use std::collections::BTreeMap;

use refgate_core::Oid;
use serde::{Deserialize, Serialize};

/// The source of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// A file on the server, relative to the directory of the settings.
    File(String),
    /// A file in the repository, from the accepted tip of a branch.
    Tracked {
        /// The branch, which should be the production stage.
        branch: String,
        /// The path in the tree of the branch.
        path: String,
    },
}

/// The source of the pusher's identity (docs/design/model.md, "Identity").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// The user of the operating system that runs the hook.
    OsUser,
    /// gitolite: `GL_USER`.
    Gitolite,
    /// GitLab: `GL_USERNAME`.
    Gitlab,
    /// Gitea and Forgejo: `GITEA_PUSHER_NAME`.
    Gitea,
    /// GitHub Enterprise Server: `GITHUB_USER_LOGIN`.
    Github,
    /// A web server that authenticates: `REMOTE_USER`.
    Http,
    /// A forced command of `authorized_keys` that sets `REFGATE_USER`.
    SshKey,
    /// A signed push certificate with a fresh nonce: `GIT_PUSH_CERT_SIGNER`.
    PushCertificate,
    /// The pusher is never identified.
    None,
}

/// How the server makes sure that nothing changes between the decision and the ref update
/// (docs/design/threats.md, R10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// `reference-transaction` checks again while the refs are locked. It works with every
    /// server and takes a moment for each ref of a push.
    #[default]
    Portable,
    /// `proc-receive` updates governed refs itself, in one transaction. If the hook is missing,
    /// Git rejects their updates. It cannot be used with gitolite, because it would bypass the
    /// `update` hook of gitolite.
    Strict,
}

/// The limits on one push (docs/design/threats.md, R16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// The number of refs in one push.
    pub max_refs: usize,
    /// The number of new commits in one push.
    pub max_commits: usize,
    /// The bytes of one commit or tag object.
    pub max_commit_bytes: usize,
    /// The bytes of one tree object.
    pub max_tree_bytes: usize,
    /// The bytes of a policy or calendar file.
    pub max_policy_bytes: usize,
    /// The bytes of a file that both sides of a merge changed. Git merges it in memory.
    pub max_merged_bytes: usize,
    /// The number of changed paths of one landing.
    pub max_changes: usize,
    /// The number of seconds after which the hook rejects the push.
    pub max_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_refs: 10_000,
            max_commits: 200_000,
            max_commit_bytes: 1 << 20,
            max_tree_bytes: 32 << 20,
            max_policy_bytes: 1 << 20,
            max_merged_bytes: 64 << 20,
            max_changes: 200_000,
            max_seconds: 60,
        }
    }
}

/// The settings of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The source of the policy.
    pub policy: PolicySource,
    /// The source of the pusher's identity.
    pub identity: Identity,
    /// The baseline: commits that it reaches are not judged.
    pub baseline: Option<Oid>,
    /// The limits on one push.
    pub limits: Limits,
    /// The guard between decision and ref update.
    pub guard: Guard,
    /// The id of this repository in records; empty: the name of its directory.
    pub name: String,
    /// The git directory in which refgate was installed. Another directory is a copy.
    pub installed_in: String,
    /// The control repository, if there is one.
    pub control: Option<Control>,
    /// The repositories that this one governs: names and git directories.
    pub governs: BTreeMap<String, String>,
}

/// The control repository that governs this one
/// (docs/design/model.md, "Records and the ledger").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Control {
    /// Its git directory on this machine.
    pub path: String,
    /// For a mirror: the largest age of its last fetch, in seconds. If it is older, every push
    /// is rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
}

/// Why the settings are invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// They are not TOML with the expected keys.
    #[error("{0}")]
    Toml(String),
    /// The format is not supported.
    #[error("format {0} is not supported: this version of refgate supports format 1")]
    Format(u64),
    /// A value is invalid.
    #[error("`{key}` {why}")]
    Value {
        /// The key.
        key: &'static str,
        /// The reason.
        why: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SettingsFile {
    format: u64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    installed_in: String,
    #[serde(default)]
    guard: Guard,
    identity: Identity,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<String>,
    policy: PolicySection,
    #[serde(skip_serializing_if = "Option::is_none")]
    control: Option<Control>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    governs: BTreeMap<String, String>,
    #[serde(default)]
    limits: Limits,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PolicySection {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl Settings {
    /// Parses the text of the settings.
    ///
    /// # Errors
    /// The first error in the text.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let file: SettingsFile =
            toml::from_str(text).map_err(|error| SettingsError::Toml(error.to_string()))?;
        if file.format != 1 {
            return Err(SettingsError::Format(file.format));
        }
        let policy = match (
            file.policy.file.clone(),
            file.policy.branch.clone(),
            file.policy.path.clone(),
        ) {
            (Some(file), None, None) => PolicySource::File(file),
            (None, Some(branch), Some(path)) => PolicySource::Tracked { branch, path },
            _ => {
                let why = "must have either `file`, or `branch` and `path`";
                return Err(SettingsError::Value { key: "policy", why });
            }
        };
        let baseline = match &file.baseline {
            None => None,
            Some(hex) => Some(Oid::from_hex(hex).ok_or(SettingsError::Value {
                key: "baseline",
                why: "must be a full commit id of 40 digits",
            })?),
        };
        let SettingsFile { name, installed_in, guard, identity, control, governs, limits, .. } =
            file;
        Ok(Self { policy, identity, baseline, limits, guard, name, installed_in, control, governs })
    }

    /// Writes the text of the settings.
    ///
    /// # Errors
    /// If they cannot be written as TOML.
    pub fn to_text(&self) -> Result<String, SettingsError> {
        let policy = match self.policy.clone() {
            PolicySource::File(file) => {
                PolicySection { file: Some(file), branch: None, path: None }
            }
            PolicySource::Tracked { branch, path } => {
                PolicySection { file: None, branch: Some(branch), path: Some(path) }
            }
        };
        let baseline = self.baseline.map(|id| id.to_string());
        let (identity, limits) = (self.identity, self.limits);
        let (name, control, governs) =
            (self.name.clone(), self.control.clone(), self.governs.clone());
        let guard = self.guard;
        let file = SettingsFile {
            format: 1,
            name,
            installed_in: self.installed_in.clone(),
            guard,
            identity,
            baseline,
            policy,
            control,
            governs,
            limits,
        };
        toml::to_string(&file).map_err(|error| SettingsError::Toml(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_a_round_trip() {
        let settings = Settings {
            policy: PolicySource::Tracked { branch: "main".into(), path: ".refgate/p.toml".into() },
            identity: Identity::Gitolite,
            baseline: Oid::from_hex("0123456789abcdef0123456789abcdef01234567"),
            limits: Limits::default(),
            guard: Guard::Strict,
            name: "backend".into(),
            installed_in: "/srv/git/backend.git".into(),
            control: Some(Control { path: "/srv/git/control.git".into(), max_age: Some(600) }),
            governs: BTreeMap::from([("a".to_string(), "/srv/git/a.git".to_string())]),
        };
        assert_eq!(Settings::parse(&settings.to_text().unwrap()), Ok(settings));
        let wrong = "format = 1\nidentity = \"os-user\"\n[policy]\nfile = \"x\"\n[limit]\n";
        assert!(Settings::parse(wrong).unwrap_err().to_string().contains("unknown field `limit`"));
        assert!(Settings::parse(&wrong.replace("= 1", "= 9").replace("[limit]", "")).is_err());
    }
}
