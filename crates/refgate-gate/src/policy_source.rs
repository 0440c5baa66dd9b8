//! Reads the policy in force from a server file or from an accepted tip. It never reads the policy
//! from the push that is judged.

use std::collections::BTreeMap;
use std::path::Path;

use refgate_core::{Duration, Instant, Interval, Oid, Policy, RefName};
use refgate_format::{
    Complaint, PolicyFile, PolicySource, Signers, SignersError, calendar_names, fingerprint,
    read_policy,
};
use refgate_git::{GitError, Reader};

/// Why the policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The policy file does not exist.
    #[error("cannot read the policy: there is no policy at {0}")]
    Missing(String),
    /// The policy file cannot be read.
    #[error("cannot read the policy at {place}: {why}")]
    Unreadable {
        /// The place of the policy.
        place: String,
        /// The cause.
        why: String,
    },
    /// The policy has errors.
    #[error("cannot use the policy at {place}: number of errors: {}; first: {}", .complaints.len(),
        .complaints.first().map_or_else(String::new, ToString::to_string))]
    Wrong {
        /// The place of the policy.
        place: String,
        /// The errors.
        complaints: Vec<Complaint>,
    },
    /// The list of signers of the policy has an error.
    #[error("cannot use {place}: {why}")]
    Signers {
        /// The place of the list.
        place: String,
        /// The error.
        why: SignersError,
    },
    /// The repository of the policy cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl PolicyError {
    /// The message for a person who can correct the policy: it lists all errors.
    #[must_use]
    pub fn full_message(&self) -> String {
        match self {
            Self::Wrong { place, complaints } => {
                let lines: Vec<String> =
                    complaints.iter().map(|complaint| format!("  {complaint}")).collect();
                format!("cannot use the policy {place}:\n{}", lines.join("\n"))
            }
            other => other.to_string(),
        }
    }
}

/// A policy with its signers and its origin.
#[derive(Debug)]
pub struct LoadedPolicy {
    /// The policy.
    pub policy: Policy,
    /// The signers that the policy lists.
    pub signers: Signers,
    /// The blobs of the policy file, its calendars and its lists of signers, if the policy is
    /// tracked in Git.
    pub blobs: Vec<Oid>,
    /// The tree of the directory that contains these files, if the policy is tracked in Git.
    pub folder: Option<Oid>,
    /// The place from which the policy was read.
    pub place: String,
    /// The hash of the policy text and of the lists of signers.
    pub hash: String,
}

/// The span of time for which recurring windows are expanded: long enough in the past for derived
/// freezes, and long enough in the future for `refgate when`.
#[must_use]
pub fn horizon(at: Instant) -> Interval {
    let day = |days| at.checked_add_signed(Duration::days(days)).unwrap_or(at);
    let end = day(1_100);
    Interval::new(day(-400), end).unwrap_or(Interval { start: at, end })
}

/// Parses the text of a policy. `calendar` reads a calendar file by its name.
///
/// # Errors
/// Returns an error if the policy is not valid.
pub fn policy_from_text(
    text: &str,
    place: &str,
    horizon: Interval,
    calendar: impl Fn(&str) -> Option<String>,
) -> Result<Policy, PolicyError> {
    let mut calendars = BTreeMap::new();
    for name in calendar_names(text) {
        if let Some(content) = calendar(&name) {
            calendars.insert(name, content);
        }
    }
    let file = PolicyFile { text: text.to_string(), calendars };
    read_policy(&file, horizon)
        .map_err(|complaints| PolicyError::Wrong { place: place.to_string(), complaints })
}

/// Parses the text of a policy. `beside` reads a file of the same directory by its name: a
/// calendar or a list of signers.
///
/// # Errors
/// Returns an error if the policy or a list is not valid.
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

/// Reads the policy of a server. The path of a server file is relative to `directory`.
///
/// # Errors
/// Returns an error if the policy is missing or not valid.
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

/// Reads the policy from the tree of a commit, with the files of the same directory. `branch` is
/// the name of the commit in messages.
///
/// # Errors
/// Returns an error if the policy is missing or not valid.
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
    for name in calendar_names(&file.text) {
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

/// The file name of the list of signers, in the directory of the policy.
pub const SIGNERS: &str = "allowed_signers";

/// The file name of the list of revoked keys, in the directory of the policy.
pub const REVOKED: &str = "revoked_keys";

fn signers(place: &str, allowed: &str, revoked: &str) -> Result<Signers, PolicyError> {
    let wrong = |why| PolicyError::Signers { place: format!("{SIGNERS} of {place}"), why };
    Signers::parse(allowed, revoked).map_err(wrong)
}
