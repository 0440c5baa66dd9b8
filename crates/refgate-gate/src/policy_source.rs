//! Which policy is in force? The bytes come from the server or from an accepted tip, never from a push.

use std::collections::BTreeMap;
use std::path::Path;

use refgate_core::{Duration, Instant, Interval, Oid, Policy, RefName};
use refgate_format::{
    Complaint, PolicyFile, PolicySource, Signers, SignersError, fingerprint, read_policy,
    wanted_calendars,
};
use refgate_git::{GitError, Reader};

/// Why there is no usable policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file is not there.
    #[error("there is no policy at {0}")]
    Missing(String),
    /// It cannot be read.
    #[error("the policy at {place} cannot be read: {why}")]
    Unreadable {
        /// Where it should be.
        place: String,
        /// Why not.
        why: String,
    },
    /// It is wrong.
    #[error("the policy at {place} has {} complaint(s); the first: {}", .complaints.len(),
        .complaints.first().map_or_else(String::new, ToString::to_string))]
    Wrong {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        complaints: Vec<Complaint>,
    },
    /// The list of signers beside it is wrong.
    #[error("the list of signers at {place}: {why}")]
    Signers {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        why: SignersError,
    },
    /// The repository that should hold it cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl PolicyError {
    /// The error for a person who can mend it: with all its complaints.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Wrong { place, complaints } => {
                let lines: Vec<String> =
                    complaints.iter().map(|complaint| format!("  {complaint}")).collect();
                format!("the policy {place} cannot be used:\n{}", lines.join("\n"))
            }
            other => other.to_string(),
        }
    }
}

/// A policy with the blobs that it came from.
#[derive(Debug)]
pub struct LoadedPolicy {
    /// The policy.
    pub policy: Policy,
    /// Who may sign records.
    pub signers: Signers,
    /// The blobs of the policy file, its calendars and its signers, where it is
    /// tracked.
    pub blobs: Vec<Oid>,
    /// The tree of the folder that holds them, where it is tracked.
    pub folder: Option<Oid>,
    /// What it was read from.
    pub place: String,
    /// The hash of its text and of the lists of signers.
    pub hash: String,
}

/// The time around a moment for which recurring windows are laid out: long
/// enough behind for derived states, and ahead for "when may it land?".
#[must_use]
pub fn horizon(at: Instant) -> Interval {
    let day = |days| at.checked_add_signed(Duration::days(days)).unwrap_or(at);
    let end = day(1_100);
    Interval::new(day(-400), end).unwrap_or(Interval { start: at, end })
}

/// Reads a policy's text, with calendars from beside it.
///
/// # Errors
/// If anything is wrong with it.
pub fn policy_from_text(
    text: &str,
    place: &str,
    horizon: Interval,
    calendar: impl Fn(&str) -> Option<String>,
) -> Result<Policy, PolicyError> {
    let mut calendars = BTreeMap::new();
    for name in wanted_calendars(text) {
        if let Some(content) = calendar(&name) {
            calendars.insert(name, content);
        }
    }
    let file = PolicyFile { text: text.to_string(), calendars };
    read_policy(&file, horizon)
        .map_err(|complaints| PolicyError::Wrong { place: place.to_string(), complaints })
}

/// Reads a policy's text, with calendars and the list of signers from beside it.
///
/// # Errors
/// If anything is wrong with them.
pub fn source_from_text(
    text: &str,
    place: &str,
    horizon: Interval,
    beside: impl Fn(&str) -> Option<String>,
) -> Result<LoadedPolicy, PolicyError> {
    let list = |name: &str| beside(name).unwrap_or_default();
    let (allowed, revoked) = (list(SIGNERS), list(REVOKED));
    let signers = signers(place, &allowed, &revoked)?;
    let hash = fingerprint(&format!("{text}\0{allowed}\0{revoked}"));
    let policy = policy_from_text(text, place, horizon, beside)?;
    Ok(LoadedPolicy {
        policy,
        signers,
        blobs: Vec::new(),
        folder: None,
        place: place.to_string(),
        hash,
    })
}

/// The policy of a server. A file's path is relative to `directory`.
///
/// # Errors
/// If it is missing or wrong.
pub fn load_policy(
    reader: &Reader,
    source: &PolicySource,
    directory: &Path,
    horizon: Interval,
) -> Result<LoadedPolicy, PolicyError> {
    match source {
        PolicySource::File(path) => {
            let path = directory.join(path);
            let place = path.display().to_string();
            let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => PolicyError::Missing(place.clone()),
                _ => PolicyError::Unreadable { place: place.clone(), why: error.to_string() },
            })?;
            let beside = |name: &str| {
                let plain = Path::new(name).components().count() == 1;
                std::fs::read_to_string(path.with_file_name(name)).ok().filter(|_| plain)
            };
            source_from_text(&text, &place, horizon, beside)
        }
        PolicySource::Tracked { branch, path } => {
            let place = format!("{branch}:{path}");
            let name = RefName::branch(branch).map_err(|why| PolicyError::Unreadable {
                place: place.clone(),
                why: why.to_string(),
            })?;
            let Some((tip, _)) = reader.reference(&name)? else {
                return Err(PolicyError::Missing(place));
            };
            tracked(reader, tip, branch, path, horizon)
        }
    }
}

/// The policy in a commit's tree, with what lies beside it. `branch` names the
/// commit to people.
///
/// # Errors
/// If it is missing or wrong.
pub fn tracked(
    reader: &Reader,
    commit: Oid,
    branch: &str,
    path: &str,
    horizon: Interval,
) -> Result<LoadedPolicy, PolicyError> {
    let place = format!("{branch}:{path}");
    let Some(file) = reader.file_in(commit, branch, path)? else {
        return Err(PolicyError::Missing(place));
    };
    let mut blobs = vec![file.blob];
    let mut calendars = BTreeMap::new();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for name in wanted_calendars(&file.text) {
        let beside = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if let Some(content) = reader.file_in(commit, branch, &beside)? {
            blobs.push(content.blob);
            calendars.insert(name, content.text);
        }
    }
    let file = PolicyFile { text: file.text, calendars };
    let policy = read_policy(&file, horizon)
        .map_err(|complaints| PolicyError::Wrong { place: place.clone(), complaints })?;
    let text = file.text;
    let mut list = |name: &str| -> Result<String, PolicyError> {
        let beside = if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
        let Some(file) = reader.file_in(commit, branch, &beside)? else { return Ok(String::new()) };
        blobs.push(file.blob);
        Ok(file.text)
    };
    let (allowed, revoked) = (list(SIGNERS)?, list(REVOKED)?);
    let signers = signers(&place, &allowed, &revoked)?;
    let hash = fingerprint(&format!("{text}\0{allowed}\0{revoked}"));
    let folder = reader.folder_in(commit, folder)?;
    Ok(LoadedPolicy { policy, signers, blobs, folder, place, hash })
}

/// The list of signers that lies beside a policy.
pub const SIGNERS: &str = "allowed_signers";

/// The list of revoked keys that lies beside a policy.
pub const REVOKED: &str = "revoked_keys";

fn signers(place: &str, allowed: &str, revoked: &str) -> Result<Signers, PolicyError> {
    let wrong = |why| PolicyError::Signers { place: format!("{SIGNERS} beside {place}"), why };
    Signers::parse(allowed, revoked).map_err(wrong)
}
