//! How is refgate set up on this server? One file in the git directory.

use std::collections::BTreeMap;

use refgate_core::Oid;
use serde::{Deserialize, Serialize};

/// Where the policy comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// A file on the server, relative to the folder of the settings.
    File(String),
    /// A file in the repository, from a branch's accepted tip.
    Tracked {
        /// The branch: the production stage.
        branch: String,
        /// The path in its tree.
        path: String,
    },
}

/// Who says who pushes (docs/design/model.md, "Identity").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// The operating system's user that runs the hook.
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
    /// Nobody is known.
    None,
}

/// How the gap between decision and move is closed (docs/design/threats.md, R10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// `reference-transaction` asks again when the references are locked. Works
    /// with every server; costs a moment for each reference of a push.
    #[default]
    Portable,
    /// `proc-receive` moves protected references itself, in one transaction.
    /// Git refuses them when the hook is missing. Not with gitolite, whose
    /// update hook it would go past.
    Strict,
}

/// Bounds on what one push may bring (docs/design/threats.md, R16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// References in one push.
    pub max_refs: usize,
    /// New commits in one push.
    pub max_commits: usize,
    /// Bytes of one commit or tag object.
    pub max_commit_bytes: usize,
    /// Bytes of one tree object.
    pub max_tree_bytes: usize,
    /// Bytes of a policy or calendar file.
    pub max_policy_bytes: usize,
    /// Bytes of a file that both sides of a merge changed; Git merges it in memory.
    pub max_merged_bytes: usize,
    /// Changed paths of one landing.
    pub max_changes: usize,
    /// Seconds after which the hook gives up and refuses.
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

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the policy comes from.
    pub policy: PolicySource,
    /// Who says who pushes.
    pub identity: Identity,
    /// What this commit reaches is older than the policy, and not judged.
    pub baseline: Option<Oid>,
    /// Bounds.
    pub limits: Limits,
    /// How the gap between decision and move is closed.
    pub guard: Guard,
    /// What records call this repository; empty: as its folder.
    pub name: String,
    /// The repository that holds policy, signers and ledger for this one.
    pub control: Option<Control>,
    /// The repositories that this one governs: name and git directory.
    pub governs: BTreeMap<String, String>,
}

/// Another repository that governs this one (docs/design/model.md, "Records and the ledger").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Control {
    /// Its git directory, on this machine.
    pub path: String,
    /// If it is a mirror of one elsewhere: how many seconds old its last fetch
    /// may be. Older, everything is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
}

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// They cannot be read as TOML of this shape.
    #[error("{0}")]
    Toml(String),
    /// A format of another refgate.
    #[error("format {0} is not known to this refgate, which knows format 1")]
    Format(u64),
    /// A value is of no use.
    #[error("`{key}` {why}")]
    Value {
        /// Which.
        key: &'static str,
        /// Why.
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
    /// Reads the settings' text.
    ///
    /// # Errors
    /// The first thing wrong with it.
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
                let why = "needs either `file`, or `branch` and `path`";
                return Err(SettingsError::Value { key: "policy", why });
            }
        };
        let baseline = match &file.baseline {
            None => None,
            Some(hex) => Some(Oid::from_hex(hex).ok_or(SettingsError::Value {
                key: "baseline",
                why: "must be a full commit id of forty digits",
            })?),
        };
        let SettingsFile { name, guard, identity, control, governs, limits, .. } = file;
        Ok(Self { policy, identity, baseline, limits, guard, name, control, governs })
    }

    /// The settings' text.
    ///
    /// # Errors
    /// If it cannot be written as TOML.
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
    fn they_come_back_as_they_went() {
        let settings = Settings {
            policy: PolicySource::Tracked { branch: "main".into(), path: ".refgate/p.toml".into() },
            identity: Identity::Gitolite,
            baseline: Oid::from_hex("0123456789abcdef0123456789abcdef01234567"),
            limits: Limits::default(),
            guard: Guard::Strict,
            name: "backend".into(),
            control: Some(Control { path: "/srv/git/control.git".into(), max_age: Some(600) }),
            governs: BTreeMap::from([("a".to_string(), "/srv/git/a.git".to_string())]),
        };
        assert_eq!(Settings::parse(&settings.to_text().unwrap()), Ok(settings));
        let wrong = "format = 1\nidentity = \"os-user\"\n[policy]\nfile = \"x\"\n[limit]\n";
        assert!(Settings::parse(wrong).unwrap_err().to_string().contains("unknown field `limit`"));
        assert!(Settings::parse(&wrong.replace("= 1", "= 9").replace("[limit]", "")).is_err());
    }
}
