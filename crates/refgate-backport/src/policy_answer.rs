//! Answers whether the policy allows a fix on a branch now, with the same rules as the hook.

use std::path::Path;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use refgate_core::{
    Case, ClassId, Eligibility, Freeze, History, Instant, LEDGER, LedgerView, Oid, Policy, Push,
    RefKind, RefName, Release, RuleId, Target, Waiver, When, classify_change, covers, earliest,
    eligibility, freezes_at,
};
use refgate_format::{PolicySource, Signers};
use refgate_gate::{
    Exit, LedgerReader, LoadedPolicy, PolicyError, TRACKED, builtin, horizon, last_component,
    load_policy, repository_name, source_from_text, tracked, training_clock,
};
use refgate_git::{Reader, releases};
use refgate_report::{missing_phrase, show};

use crate::args::RepositoryArgs;
use crate::branches::{listed, uses_remote_branches};
use crate::output::{Failure, tell};

/// A policy, and the facts that it needs.
pub(crate) struct PolicyAnswers {
    pub(crate) policy: Policy,
    signers: Signers,
    releases: Vec<Release>,
    /// The names of this repository in records.
    repositories: Vec<String>,
    remote: String,
    /// The calendar records and waivers, read when they are first needed.
    ledger: OnceCell<LedgerView>,
    pub(crate) at: Instant,
}

/// What the policy says about a fix on a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is allowed.
    Free,
    /// It is allowed with this approval or waiver.
    Needs(String),
    /// It is not allowed, for this reason.
    Denied(String),
}

impl PolicyAnswers {
    /// The policy that the user named, or the policy on the remote's production branch.
    /// `None` if there is no policy. Then everything is allowed.
    pub(crate) fn find(reader: &Reader, place: &RepositoryArgs) -> Result<Option<Self>, Failure> {
        let clock = training_clock(reader);
        let clock = clock.map_err(|why| Failure::new(Exit::BadSetup, why.to_string()))?;
        let at = clock.unwrap_or_else(chrono::Utc::now);
        let sourced = match &place.policy {
            Some(name) => Some(named(reader, name, at)?),
            None => policy_of_production(reader, &place.remote, at)?,
        };
        let Some(LoadedPolicy { policy, signers, .. }) = sourced else { return Ok(None) };
        let releases = releases(reader, &policy.release)?;
        let mut id = repository_name(reader, &place.remote)?;
        if id.is_empty() {
            // On a server without an id, records name the directory.
            id = last_component(&reader.git_dir().display().to_string());
        }
        let repositories = vec![id];
        let (remote, ledger) = (place.remote.clone(), OnceCell::new());
        Ok(Some(Self { policy, signers, releases, repositories, remote, ledger, at }))
    }

    /// The calendar records and waivers, as last fetched.
    fn ledger(&self, reader: &Reader) -> Result<&LedgerView, Failure> {
        if let Some(known) = self.ledger.get() {
            return Ok(known);
        }
        let on = governed(reader, &self.remote, &self.policy)?;
        let view =
            self.ledger_reader(reader).forecast(&self.policy, (&self.releases, self.at), &on);
        let view = view.unwrap_or_else(|why| {
            // A forecast without records is better than none.
            tell(&format!("warning: the forecast ignores all records: {why}"));
            LedgerView::default()
        });
        Ok(self.ledger.get_or_init(|| view))
    }

    /// The ledger, as last fetched.
    fn ledger_reader<'b>(&'b self, reader: &'b Reader) -> LedgerReader<'b> {
        let ledger = RefName::parse(LEDGER).ok();
        let tip = ledger.and_then(|name| reader.reference(&name).ok().flatten());
        let (signers, repositories) = (&self.signers, &*self.repositories);
        LedgerReader { reader, tip: tip.map(|(tip, _)| tip), signers, repositories }
    }

    /// Whether a record in the fetched ledger states that a branch does not need a fix.
    pub(crate) fn excuses(&self, reader: &Reader, fix: Oid, branch: &str) -> bool {
        let to = RefName::branch(branch).ok();
        let excuses = self.ledger_reader(reader).excuses(&self.policy, fix).unwrap_or_default();
        excuses.into_iter().any(|excuse| Some(excuse.to) == to)
    }

    /// Whether the policy allows a pick of a commit to a branch.
    pub(crate) fn answer(&self, reader: &Reader, id: Oid, branch: &str) -> Result<Answer, Failure> {
        let Ok(name) = RefName::branch(branch) else { return Ok(Answer::Free) };
        let RefKind::Governed(target) = self.policy.kind(&name) else { return Ok(Answer::Free) };
        if self.excuses(reader, id, branch) {
            let text = "a record states that the branch does not need it";
            return Ok(Answer::Denied(text.to_string()));
        }
        let parsed = reader.commit(id)?;
        let changes = reader.landing_changes(id, &parsed)?;
        let found = classify_change(&self.policy, &parsed.commit(id), &changes);
        let class = found.class;
        let shown = self.policy.classes.name(class).clone();
        let ledger = self.ledger(reader)?;
        let frozen = self.frozen(ledger, &name, &target, class);
        if target.is_first() || matches!(frozen, Answer::Denied(_)) {
            return Ok(frozen);
        }
        if found.contradiction.is_some() {
            let text = format!("it is declared {shown}, but its diff contradicts that");
            return Ok(Answer::Denied(text));
        }
        let eligible = eligibility(&self.policy, &self.releases, &target, class, self.at);
        let bars = matches!(eligible, Eligibility::Deferred { .. } | Eligibility::Never);
        if let Some(waived) = self.waived(ledger, &name, RuleId::Backport, class).filter(|_| bars) {
            return Ok(waived);
        }
        Ok(match eligible {
            Eligibility::Yes => frozen,
            Eligibility::Approval { role, until } => Answer::Needs(format!(
                "an approval by {role} before {} (`refgate approve backport COMMIT --onto \
                 {branch}`)",
                show(until)
            )),
            Eligibility::Deferred { since: Some(since) } => Answer::Denied(format!(
                "the backport window for {shown} closed on {}; deferred to the next iteration",
                show(since)
            )),
            Eligibility::Deferred { since: None } => {
                Answer::Denied(format!("no major release has opened a window for {shown} yet"))
            }
            Eligibility::Never => Answer::Denied(format!("{shown} is never backported")),
        })
    }

    /// Whether a freeze blocks a class on a stage or line now.
    fn frozen(
        &self,
        ledger: &LedgerView,
        name: &RefName,
        target: &Target<'_>,
        class: ClassId,
    ) -> Answer {
        let (policy, at) = (&self.policy, self.at);
        let history = History { releases: self.releases.clone(), ..History::default() };
        let push = Push { actor: None, at, updates: Vec::new(), options: Vec::new() };
        let case = Case { policy, push: &push, history: &history, ledger };
        let all = freezes_at(policy, &self.releases, ledger, at);
        let bars = |freeze: &&Freeze<'_>| {
            let window = freeze.window;
            freeze.state.closed() && covers(window, target) && !window.lets_through.contains(&class)
        };
        let closed: Vec<&Freeze<'_>> = all.iter().filter(bars).collect();
        let Some(first) = closed.first() else { return Answer::Free };
        if let Some(waived) = self.waived(ledger, name, RuleId::Freeze, class) {
            return waived;
        }
        let branch = name.short();
        if closed.iter().all(|freeze| freeze.window.fast_track.contains(&class)) {
            let roles: BTreeSet<&str> = closed.iter().map(|f| &*f.window.approvers).collect();
            let roles: Vec<&str> = roles.into_iter().collect();
            let persons = closed.iter().map(|freeze| freeze.window.persons).max().unwrap_or(1);
            let approvals = match persons {
                1 => "an approval".to_string(),
                persons => format!("{persons} approvals"),
            };
            return Answer::Needs(format!(
                "{approvals} by {} while {branch} is frozen (`refgate approve freeze COMMIT \
                 --onto {branch}`)",
                roles.join(" and ")
            ));
        }
        let until = match earliest(&case, target, class) {
            When::Now => String::new(),
            When::At(end) => format!(" until {}", show(end)),
            When::Needs { missing, .. } => {
                let missing: Vec<String> = missing.iter().map(missing_phrase).collect();
                format!("; required to end it: {}", missing.join(", "))
            }
        };
        let (shown, window) = (policy.classes.name(class), &first.window.name);
        Answer::Denied(format!("the freeze \"{window}\" blocks {shown}{until}"))
    }

    /// The answer if a waiver sets a rule aside for a class on a branch.
    fn waived(
        &self,
        ledger: &LedgerView,
        on: &RefName,
        rule: RuleId,
        class: ClassId,
    ) -> Option<Answer> {
        let fits = |waiver: &&Waiver| {
            let all = waiver.class.is_none_or(|only| only == class) && waiver.commit.is_none();
            let holds = waiver.during.contains(self.at) && waiver.uses_left > 0;
            waiver.rule == rule && waiver.on == *on && all && holds
        };
        let mut people: Vec<&str> = Vec::new();
        let mut found = Vec::new();
        for waiver in ledger.waivers.iter().filter(fits) {
            if !people.contains(&waiver.by.as_str()) {
                people.push(&waiver.by);
                found.push(format!("{} by {}", waiver.id.short(), waiver.by));
            }
        }
        let persons = usize::try_from(self.policy.waivers.persons).unwrap_or(usize::MAX);
        let found = found.get(..persons)?.join(" and ");
        Some(Answer::Needs(format!("the waiver {found} (already recorded)")))
    }
}

/// The branches of this repository that the policy governs.
fn governed(reader: &Reader, remote: &str, policy: &Policy) -> Result<Vec<RefName>, Failure> {
    let (_, every) = listed(reader, remote)?;
    let names = every.iter().filter_map(|branch| RefName::branch(&branch.name).ok());
    Ok(names.filter(|name| matches!(policy.kind(name), RefKind::Governed(_))).collect())
}

fn policy_failure(error: &PolicyError) -> Failure {
    Failure::new(Exit::BadPolicy, error.full_message())
}

fn named(reader: &Reader, name: &str, at: Instant) -> Result<LoadedPolicy, Failure> {
    if let Some(text) = builtin(name) {
        let place = format!("built-in policy {name}");
        return source_from_text(text, &place, horizon(at), |_| None)
            .map_err(|error| policy_failure(&error));
    }
    if Path::new(name).is_file() {
        let source = PolicySource::File(name.to_string());
        return load_policy(reader, &source, Path::new("."), horizon(at))
            .map_err(|e| policy_failure(&e));
    }
    if let Some((revision, path)) = name.split_once(':') {
        let commit = reader.resolve(revision)?;
        return tracked(reader, commit, revision, path, horizon(at))
            .map_err(|error| policy_failure(&error));
    }
    let message = format!("cannot find policy `{name}`: not built in, no file, and no REV:PATH");
    Err(Failure::new(Exit::BadPolicy, message))
}

fn policy_of_production(
    reader: &Reader,
    remote: &str,
    at: Instant,
) -> Result<Option<LoadedPolicy>, Failure> {
    let fetched = uses_remote_branches(reader, remote)?;
    let prefix = if fetched { format!("refs/remotes/{remote}") } else { "refs/heads".to_string() };
    for branch in ["main", "master", "production"] {
        let revision = format!("{prefix}/{branch}");
        let Ok(commit) = reader.resolve(&revision) else { continue };
        match tracked(reader, commit, &revision, TRACKED, horizon(at)) {
            Err(PolicyError::Missing(_)) => {}
            found => return found.map(Some).map_err(|error| policy_failure(&error)),
        }
    }
    Ok(None)
}
