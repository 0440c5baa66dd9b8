//! Finds the repository whose policy, signers and ledger apply to a push: the repository itself,
//! or its control repository (docs/design/model.md, "Records and the ledger").
//!
//! With one control repository, one freeze, release or sign-off applies to several repositories.

use std::path::Path;

use chrono::DateTime;
use refgate_core::{Instant, LEDGER, RefName};
use refgate_format::{Control, PolicySource, fingerprint};
use refgate_git::{GitError, Reader};
use refgate_report::length;

use crate::policy_source::{LoadedPolicy, PolicyError, REVOKED, SIGNERS, horizon, load_policy};
use crate::setup::{Setup, SetupError, bounds};

/// Why a control repository cannot be used. With each of these errors, the push is rejected.
#[derive(Debug, thiserror::Error)]
pub enum GovernanceError {
    /// The control repository cannot be read.
    #[error("cannot read the control repository {path}: {why}")]
    Unreadable {
        /// The path of the control repository.
        path: String,
        /// The cause.
        why: String,
    },
    /// The local copy is older than the policy allows.
    #[error(
        "cannot use the control repository: the copy {path} is {age} old, more than the maximum \
         of {most}\nhint: run `git fetch` in it"
    )]
    Stale {
        /// The path of the copy.
        path: String,
        /// The age of the copy.
        age: String,
        /// The maximum age.
        most: String,
    },
}

/// The sources of policy, signers and ledger for a repository.
pub struct Governance<'a> {
    own: (&'a Reader, &'a Setup),
    control: Option<(Reader, Setup)>,
    /// The repositories whose records apply, this one first.
    pub repositories: Vec<String>,
}

impl<'a> Governance<'a> {
    /// Opens the repositories that govern a repository.
    ///
    /// # Errors
    /// Returns an error if the repository has a control repository that cannot be used.
    pub fn of(reader: &'a Reader, setup: &'a Setup, now: Instant) -> Result<Self, GovernanceError> {
        let mut repositories = vec![setup.name()];
        repositories.extend(setup.settings.governs.keys().cloned());
        let control = match &setup.settings.control {
            None => None,
            Some(control) => {
                fresh(control, now)?;
                let unreadable = |why: String| {
                    let path = control.path.clone();
                    GovernanceError::Unreadable { path, why }
                };
                let limits = bounds(&setup.settings.limits);
                let reader = Reader::open(Path::new(&control.path), limits)
                    .map_err(|why| unreadable(why.to_string()))?;
                let governing = Setup::read(reader.git_dir())
                    .map_err(|why: SetupError| unreadable(why.to_string()))?;
                repositories.push(governing.name());
                Some((reader, governing))
            }
        };
        Ok(Self { own: (reader, setup), control, repositories })
    }

    /// The repository that holds policy, signers and ledger.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        self.control.as_ref().map_or(self.own.0, |(reader, _)| reader)
    }

    fn setup(&self) -> &Setup {
        self.control.as_ref().map_or(self.own.1, |(_, setup)| setup)
    }

    /// The source of the policy in this repository. With a control repository, this is an empty
    /// path: no push to this repository can change the policy.
    #[must_use]
    pub fn own_source(&self) -> PolicySource {
        match &self.control {
            None => self.own.1.settings.policy.clone(),
            Some(_) => PolicySource::File(String::new()),
        }
    }

    /// The policy in force at this time.
    ///
    /// # Errors
    /// Returns an error if the policy is missing or not valid.
    pub fn policy(&self, at: Instant) -> Result<LoadedPolicy, PolicyError> {
        let setup = self.setup();
        load_policy(self.reader(), &setup.settings.policy, &setup.directory, horizon(at))
    }

    /// A hash that changes with the policy, the signers and the ledger of a control repository.
    /// Files on branches of this repository are left out: a ticket compares these branches.
    ///
    /// # Errors
    /// Returns an error if a ref cannot be read.
    pub fn state(&self) -> Result<String, GitError> {
        let mut text = String::new();
        match &self.setup().settings.policy {
            PolicySource::File(path) => {
                let path = self.setup().directory.join(path);
                let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
                text.push_str(&read(&path));
                for list in [SIGNERS, REVOKED] {
                    text.push('\0');
                    text.push_str(&read(&path.with_file_name(list)));
                }
            }
            PolicySource::Tracked { branch, .. } if self.control.is_some() => {
                text.push_str(&self.tip(&format!("refs/heads/{branch}"))?);
            }
            PolicySource::Tracked { .. } => {}
        }
        if self.control.is_some() {
            text.push_str(&self.tip(LEDGER)?);
        }
        Ok(fingerprint(&text))
    }

    fn tip(&self, name: &str) -> Result<String, GitError> {
        let Ok(name) = RefName::parse(name) else { return Ok(String::new()) };
        let tip = self.reader().reference(&name)?.map(|(id, _)| id.to_string());
        Ok(tip.unwrap_or_default())
    }
}

/// Makes sure that the copy is not older than its maximum age. Each `git fetch` writes
/// `FETCH_HEAD`, even if there is nothing new.
fn fresh(control: &Control, now: Instant) -> Result<(), GovernanceError> {
    let Some(most) = control.max_age else { return Ok(()) };
    let most = chrono::TimeDelta::seconds(i64::try_from(most).unwrap_or(i64::MAX / 1_000));
    let fetched = std::fs::metadata(Path::new(&control.path).join("FETCH_HEAD"));
    let fetched = fetched.and_then(|file| file.modified()).map(DateTime::<chrono::Utc>::from);
    let path = control.path.clone();
    let age = match fetched {
        Err(why) => {
            let why = format!("it was never fetched ({why})");
            return Err(GovernanceError::Unreadable { path, why });
        }
        Ok(fetched) => now.signed_duration_since(fetched),
    };
    if age <= most {
        return Ok(());
    }
    Err(GovernanceError::Stale { path, age: length(age), most: length(most) })
}
