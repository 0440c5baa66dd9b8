//! Whose policy, signers and ledger hold here: this repository's own, or those of a control repository?
//!
//! One control repository can govern several, so that one freeze, one release
//! and one sign-off serve backend, frontend and infrastructure (docs/design/model.md, "Records and the ledger").

use std::path::Path;

use chrono::DateTime;
use refgate_core::{Instant, LEDGER, RefName};
use refgate_format::{Control, PolicySource, fingerprint};
use refgate_git::{GitError, Reader};
use refgate_report::length;

use crate::policy_source::{LoadedPolicy, PolicyError, REVOKED, SIGNERS, horizon, load_policy};
use crate::setup::{Setup, SetupError, bounds};

/// Why a control repository cannot be used. Each of these refuses.
#[derive(Debug, thiserror::Error)]
pub enum GovernanceError {
    /// It cannot be read.
    #[error("the control repository {path}: {why}")]
    Unreadable {
        /// Its path.
        path: String,
        /// Why not.
        why: String,
    },
    /// The copy is too old to be believed.
    #[error(
        "the copy of the control repository {path} was last fetched {age} ago, and may be {most} \
         old; nothing is accepted until it is fetched again"
    )]
    Stale {
        /// Its path.
        path: String,
        /// How old it is.
        age: String,
        /// How old it may be.
        most: String,
    },
}

/// What governs a repository.
pub struct Governance<'a> {
    own: (&'a Reader, &'a Setup),
    control: Option<(Reader, Setup)>,
    /// The repositories of which records may speak here, this one first.
    pub repositories: Vec<String>,
}

impl<'a> Governance<'a> {
    /// Finds out what governs a repository.
    ///
    /// # Errors
    /// If there is a control repository that cannot be used.
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

    /// Where the policy lies, if a push to this repository can change it.
    #[must_use]
    pub fn own_source(&self) -> PolicySource {
        match &self.control {
            None => self.own.1.settings.policy.clone(),
            Some(_) => PolicySource::File(String::new()),
        }
    }

    /// The policy in force.
    ///
    /// # Errors
    /// If it is missing or wrong.
    pub fn policy(&self, at: Instant) -> Result<LoadedPolicy, PolicyError> {
        let setup = self.setup();
        load_policy(self.reader(), &setup.settings.policy, &setup.directory, horizon(at))
    }

    /// A text that changes whenever policy, signers or (elsewhere) the ledger
    /// do. What lies in this repository moves with its branches.
    ///
    /// # Errors
    /// If a reference cannot be read.
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

/// Whether a copy was fetched lately enough. Git touches `FETCH_HEAD` with
/// every fetch, also when nothing came.
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
