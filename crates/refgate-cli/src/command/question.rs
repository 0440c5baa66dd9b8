//! What `check` and `when` share: the repository, the policy in force, who asks, and when.

use refgate_core::{Actor, Instant, LedgerView, Policy};
use refgate_format::{Limits, PolicySource, parse_instant};
use refgate_gate::{AtRest, Exit, Setup, bounds, horizon, load_policy};
use refgate_git::{Bounds, Reader};

use crate::args::Question;
use crate::output::{Done, Failure, done};
use crate::policy::{explain, find};

/// Where policies lie in repositories that hold their own.
const TRACKED: &str = ".refgate/policy.toml";

/// A question, answered as far as it was asked.
pub(crate) struct Asked {
    pub(crate) reader: Reader,
    pub(crate) policy: Policy,
    pub(crate) source: PolicySource,
    pub(crate) ledger: LedgerView,
    pub(crate) actor: Option<Actor>,
    pub(crate) at: Instant,
}

impl Asked {
    pub(crate) fn at_rest(&self) -> AtRest<'_> {
        let Self { reader, policy, source, ledger, .. } = self;
        AtRest { reader, policy, source, ledger, baseline: None }
    }

    pub(crate) fn who(&self) -> (Option<Actor>, Instant) {
        (self.actor.clone(), self.at)
    }
}

pub(crate) fn ask(question: &Question) -> Result<Asked, Failure> {
    // Nobody else waits for the answer.
    let bounds = Bounds { max_seconds: u64::MAX, ..bounds(&Limits::default()) };
    let mut reader = Reader::open(&question.repository, bounds)?;
    let at = match &question.at {
        None => chrono::Utc::now(),
        Some(text) => parse_instant(text)
            .ok_or_else(|| Failure::new(Exit::Usage, format!("`{text}` is no time")))?,
    };
    let setup = Setup::read(reader.git_dir()).ok();
    let file = PolicySource::File(String::new());
    let (policy, source) = match (&question.policy, setup) {
        (Some(name), setup) => {
            let policy = find(name, Some(&reader))?.read(Some(&reader), horizon(at))?;
            (policy, setup.map_or(file, |setup| setup.settings.policy))
        }
        // On the server itself: its own settings, and its own branches.
        (None, Some(setup)) => {
            let source = setup.settings.policy.clone();
            let sourced = load_policy(&reader, &source, &setup.directory, horizon(at));
            let sourced =
                sourced.map_err(|error| Failure::new(Exit::BadPolicy, explain(&error)))?;
            let (policy, actor) = (sourced.policy, actor(question));
            let ledger = LedgerView::default();
            return Ok(Asked { reader, policy, source, ledger, actor, at });
        }
        (None, None) => {
            let (name, branch) = tracked(&reader, &question.remote)?;
            let policy = find(&name, Some(&reader))?.read(Some(&reader), horizon(at))?;
            (policy, PolicySource::Tracked { branch, path: TRACKED.to_string() })
        }
    };
    if has_remote(&reader, &question.remote, &policy) {
        reader.see_through(&question.remote);
    } else if !reader.is_bare() {
        let message = format!(
            "no stage of the policy was ever fetched from `{}`; run `git fetch {0}`, or name \
             another --remote",
            question.remote
        );
        return Err(Failure::new(Exit::BadInput, message));
    }
    let (ledger, actor) = (LedgerView::default(), actor(question));
    Ok(Asked { reader, policy, source, ledger, actor, at })
}

fn actor(question: &Question) -> Option<Actor> {
    let name = question.actor.clone().or_else(|| whoami::username().ok());
    name.map(Actor)
}

fn has_remote(reader: &Reader, remote: &str, policy: &Policy) -> bool {
    policy.flow.stages.iter().any(|stage| {
        reader.resolve(&format!("refs/remotes/{remote}/{}", stage.branch.short())).is_ok()
    })
}

/// The policy that the remote's default branch, or one named like production, holds.
fn tracked(reader: &Reader, remote: &str) -> Result<(String, String), Failure> {
    for branch in ["HEAD", "main", "master", "production"] {
        let revision = format!("refs/remotes/{remote}/{branch}");
        let Ok(commit) = reader.resolve(&revision) else { continue };
        if reader.file_in(commit, &revision, TRACKED)?.is_some() {
            return Ok((format!("{revision}:{TRACKED}"), branch.to_string()));
        }
    }
    let message = format!(
        "no policy was found: `{remote}` has no {TRACKED} on its production branch as last \
         fetched; name one with --policy"
    );
    Err(Failure::new(Exit::BadPolicy, message))
}

pub(crate) fn finished(exit: Exit) -> Done {
    Ok(done(exit))
}
