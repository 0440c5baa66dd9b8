//! Opens what a query needs: the repository, the policy, the ledger, the pusher and the time.

use refgate_core::{Actor, Instant, Oid, Policy};
use refgate_format::{Limits, PolicySource, Signers, parse_instant};
use refgate_gate::{
    CloneError, Exit, LedgerReader, LoadedPolicy, Records, ServerState, Setup, TRACKED, bounds,
    horizon, load_policy, repository_name, training_clock,
};
use refgate_git::{Bounds, Reader};

use crate::args::Question;
use crate::output::{Failure, VerbResult, done};
use crate::policy_lookup::find;

/// The values that `check`, `when`, `status` and other verbs share.
pub(crate) struct QueryContext {
    pub(crate) reader: Reader,
    pub(crate) policy: Policy,
    pub(crate) source: PolicySource,
    pub(crate) policy_hash: String,
    pub(crate) signers: Signers,
    pub(crate) repositories: Vec<String>,
    pub(crate) tip: Option<Oid>,
    /// Whether refgate is installed in this repository and its own policy is used.
    pub(crate) served: bool,
    pub(crate) actor: Option<Actor>,
    pub(crate) at: Instant,
}

impl QueryContext {
    /// Resolves a revision to a commit.
    pub(crate) fn commit(&self, revision: &str) -> Result<Oid, Failure> {
        self.reader.resolve(revision).map_err(|why| {
            let message = format!(
                "{why}\nhint: fetch the commit first; if it is not on the server, its author can \
                 push it to a topic branch"
            );
            Failure::new(Exit::BadInput, message)
        })
    }

    pub(crate) fn at_rest(&self) -> ServerState<'_> {
        let Self { reader, policy, source, signers, repositories, .. } = self;
        let ledger_reader = LedgerReader { reader, tip: self.tip, signers, repositories };
        let records = Records::Kept(ledger_reader);
        let policy_hash = &self.policy_hash;
        let baseline = None;
        ServerState {
            reader,
            policy,
            source,
            policy_hash,
            signers,
            records,
            repositories,
            baseline,
        }
    }

    /// Removes the limits of the reader. They protect a server, not a query.
    pub(crate) fn remove_limits(&mut self) {
        self.reader.set_bounds(Bounds {
            max_commits: usize::MAX,
            max_changes: usize::MAX,
            max_seconds: u64::MAX,
            ..bounds(&Limits::default())
        });
    }

    pub(crate) fn who(&self) -> (Option<Actor>, Instant) {
        (self.actor.clone(), self.at)
    }
}

pub(crate) fn ask(question: &Question) -> Result<QueryContext, Failure> {
    let wrong = |why: CloneError| Failure::new(Exit::BadSetup, why.to_string());
    // The time limit protects pushes to a server, not a query.
    let bounds = Bounds { max_seconds: u64::MAX, ..bounds(&Limits::default()) };
    let mut reader = Reader::open(&question.repository, bounds)?;
    let at = match &question.at {
        None => training_clock(&reader).map_err(wrong)?.unwrap_or_else(chrono::Utc::now),
        Some(text) => parse_instant(text)
            .ok_or_else(|| Failure::new(Exit::Usage, format!("cannot parse time `{text}`")))?,
    };
    let setup = Setup::read(reader.git_dir()).ok();
    let (source, sourced) = match (&question.policy, &setup) {
        (Some(name), setup) => {
            let found = find(name, Some(&reader))?;
            let source = setup
                .as_ref()
                .map_or(PolicySource::File(String::new()), |setup| setup.settings.policy.clone());
            (source, found.source(Some(&reader), horizon(at))?)
        }
        // On a server, its settings name the policy, and its branches are read directly.
        (None, Some(setup)) => {
            let source = setup.settings.policy.clone();
            let sourced = load_policy(&reader, &source, &setup.directory, horizon(at));
            (source, sourced.map_err(|error| Failure::new(Exit::BadPolicy, error.full_message()))?)
        }
        (None, None) => {
            let (name, branch) = tracked(&reader, &question.remote)?;
            let source = PolicySource::Tracked { branch, path: TRACKED.to_string() };
            (source, find(&name, Some(&reader))?.source(Some(&reader), horizon(at))?)
        }
    };
    let LoadedPolicy { policy, signers, hash: policy_hash, .. } = sourced;
    let served = setup.is_some() && question.policy.is_none();
    if !served && has_remote(&reader, &question.remote, &policy) {
        reader.use_remote(&question.remote);
    } else if !served && !reader.is_bare() {
        let message = format!(
            "cannot find a stage of the policy among the branches of `{}`\nhint: run \
             `git fetch {0}`, or use another --remote",
            question.remote
        );
        return Err(Failure::new(Exit::BadInput, message));
    }
    let repositories = vec![match &setup {
        Some(setup) => setup.name(),
        None => repository_name(&reader, &question.remote)?,
    }];
    let tip = reader.ledger_tip()?;
    let actor = actor(question, &reader)?;
    Ok(QueryContext {
        reader,
        policy,
        source,
        policy_hash,
        signers,
        repositories,
        tip,
        served,
        actor,
        at,
    })
}

/// The pusher: from `--as`, the setting `refgate.name` or the operating system user.
fn actor(question: &Question, reader: &Reader) -> Result<Option<Actor>, Failure> {
    let name = question.actor.clone().or(reader.setting("refgate.name")?);
    Ok(name.or_else(|| whoami::username().ok()).map(Actor))
}

fn has_remote(reader: &Reader, remote: &str, policy: &Policy) -> bool {
    policy.flow.stages.iter().any(|stage| {
        reader.resolve(&format!("refs/remotes/{remote}/{}", stage.branch.short())).is_ok()
    })
}

/// The policy on the default branch of the remote, or on `main`, `master` or `production`.
fn tracked(reader: &Reader, remote: &str) -> Result<(String, String), Failure> {
    for branch in ["HEAD", "main", "master", "production"] {
        let revision = format!("refs/remotes/{remote}/{branch}");
        let Ok(commit) = reader.resolve(&revision) else { continue };
        if reader.file_in(commit, &revision, TRACKED)?.is_some() {
            return Ok((format!("{revision}:{TRACKED}"), branch.to_string()));
        }
    }
    let message = format!(
        "cannot find a policy: the production branch of `{remote}`, as last fetched, has no \
         {TRACKED}\nhint: fetch again, or use --policy"
    );
    Err(Failure::new(Exit::BadPolicy, message))
}

pub(crate) fn finished(exit: Exit) -> VerbResult {
    Ok(done(exit))
}
