//! Recomputes a verdict of the audit log from the facts that its entry names.

use std::collections::BTreeMap;
use std::path::Path;

use refgate_core::{
    Actor, Debt, Instant, LEDGER, Oid, Push, RecordId, RefChange, RefName, RefUpdate, Release,
};
use refgate_format::PolicySource;
use serde_json::Value;

use crate::judge::{MeasuredTimes, ServerState, judge_measured};
use crate::ledger_reader::LedgerReader;
use crate::log_entry::LogEntry;
use crate::policy_source::{horizon, load_policy};
use crate::push_records::Records;

/// Why a verdict cannot be recomputed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReverifyError {
    /// A fact was not kept. Git does not keep the objects of a rejected push.
    #[error("cannot recompute the verdict: {0} was not kept")]
    NotKept(String),
    /// The entry is malformed or contradicts the policy that it names.
    #[error("{0}")]
    Broken(String),
}

/// Judges the push of an entry again, with the facts of that time. Returns whether the verdict
/// and the rules are the same.
///
/// # Errors
/// Returns an error if the push cannot be judged again.
pub fn reverify_decision(rest: &ServerState<'_>, entry: &LogEntry) -> Result<bool, ReverifyError> {
    let object = &entry.object;
    let broken = |what: &str| ReverifyError::Broken(format!("the entry has no valid `{what}`"));
    if object.get("format").and_then(Value::as_u64) != Some(1) {
        return Err(broken("format"));
    }
    let at = moment(object, "at").ok_or_else(|| broken("at"))?;
    let actor = object.get("actor").and_then(Value::as_str).map(|name| Actor(name.to_string()));
    let options = object.get("options").and_then(Value::as_array);
    let options: Vec<String> =
        options.into_iter().flatten().filter_map(Value::as_str).map(ToString::to_string).collect();
    let mut pinned: BTreeMap<String, Option<Oid>> = BTreeMap::new();
    let mut updates = Vec::new();
    let steps = crate::audit::steps(object);
    let written = object.get("updates").and_then(Value::as_array).map_or(0, Vec::len);
    if steps.len() != written {
        return Err(broken("updates"));
    }
    let all = object.get("updates-in-all").and_then(Value::as_u64);
    if all.is_some_and(|all| all != written as u64) {
        return Err(ReverifyError::NotKept("the updates of all topic refs".to_string()));
    }
    for (name, old, new) in steps {
        let full = RefName::parse(&name).map_err(|_| broken("updates"))?;
        let change = match (old, new) {
            (None, Some(new)) => RefChange::Create { new },
            (Some(old), Some(new)) => RefChange::Move { old, new },
            (Some(old), None) => RefChange::Delete { old },
            (None, None) => return Err(broken("updates")),
        };
        if let Some(new) = new
            && rest.reader.resolve_object(&new.to_string()).is_err()
        {
            return Err(ReverifyError::NotKept(format!("object {new}")));
        }
        pinned.insert(name, old);
        updates.push(RefUpdate { name: full, change });
    }
    for tip in array(object, "tips") {
        let name = tip.get("ref").and_then(Value::as_str).ok_or_else(|| broken("tips"))?;
        pinned.insert(name.to_string(), id(tip, "is"));
    }
    let ledger = id(object, "ledger");
    pinned.insert(LEDGER.to_string(), ledger);
    let push = Push { actor, at, updates, options };
    let measured = measured(object).ok_or_else(|| broken("facts"))?;
    rest.reader.pin(Some(pinned));
    let verdict = state_at_decision(rest, object, ledger, &push, &measured);
    rest.reader.pin(None);
    let (verdict, rules) = verdict?;
    let same = object.get("verdict").and_then(Value::as_str) == Some(&verdict);
    Ok(same && rules == entry.rules().iter().map(|rule| rule.name()).collect::<Vec<_>>())
}

type ReverifyResult = (String, Vec<&'static str>);

fn state_at_decision(
    rest: &ServerState<'_>,
    object: &Value,
    ledger: Option<Oid>,
    push: &Push,
    measured: &MeasuredTimes,
) -> Result<ReverifyResult, ReverifyError> {
    let gone = |what: String| ReverifyError::NotKept(what);
    // In a clone, the configured source names the branch of the remote, so the logged place is
    // used.
    let place = object.get("policy").and_then(|p| p.get("place")).and_then(Value::as_str);
    let logged = place.and_then(|place| place.split_once(':')).map(|(branch, path)| {
        PolicySource::Tracked { branch: branch.to_string(), path: path.to_string() }
    });
    let source = match rest.source {
        PolicySource::Tracked { .. } => logged.as_ref().unwrap_or(rest.source),
        PolicySource::File(_) => rest.source,
    };
    let directory = rest.reader.git_dir().join(crate::DIRECTORY);
    let hash = object.get("policy").and_then(|p| p.get("hash")).and_then(Value::as_str);
    let directory: &Path = match source {
        PolicySource::File(_) if hash != Some(rest.policy_hash) => {
            return Err(gone("the policy file of that time".to_string()));
        }
        _ => &directory,
    };
    let time = horizon(push.at);
    let sourced = load_policy(rest.reader, source, directory, time)
        .map_err(|error| gone(format!("the policy ({error})")))?;
    if hash != Some(&sourced.hash) {
        return Err(ReverifyError::Broken(
            "the policy at that tip differs from the logged policy".into(),
        ));
    }
    let ledger_reader = LedgerReader {
        reader: rest.reader,
        tip: ledger,
        signers: &sourced.signers,
        repositories: rest.repositories,
    };
    let then = ServerState {
        policy: &sourced.policy,
        policy_hash: &sourced.hash,
        signers: &sourced.signers,
        records: Records::Kept(ledger_reader),
        ..*rest
    };
    let judged =
        judge_measured(&then, push, Some(measured)).map_err(|why| gone(why.to_string()))?;
    let mut rules: Vec<&str> = judged.decision.findings.iter().map(|f| f.rule.name()).collect();
    rules.dedup();
    Ok((judged.decision.verdict.name().to_string(), rules))
}

fn array<'v>(object: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn id(object: &Value, key: &str) -> Option<Oid> {
    object.get(key).and_then(Value::as_str).and_then(Oid::from_hex)
}

pub(crate) fn moment(object: &Value, key: &str) -> Option<Instant> {
    let text = object.get(key).and_then(Value::as_str)?;
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// The measured values of an entry. The clocks and logs have changed since then.
fn measured(object: &Value) -> Option<MeasuredTimes> {
    let mut all = MeasuredTimes::default();
    for release in array(object, "releases") {
        let tag = release.get("tag").and_then(Value::as_str)?.to_string();
        all.releases.push((tag, id(release, "commit")?, moment(release, "at")?));
    }
    for facts in array(object, "facts") {
        let mut debts = Vec::new();
        for debt in array(facts, "debts") {
            let place = |key: &str| {
                debt.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok())
            };
            debts.push(Debt {
                fix: id(debt, "fix")?,
                subject: String::new(),
                from: place("from")?,
                to: place("to")?,
                since: moment(debt, "since"),
            });
        }
        all.updates.push((moment(facts, "created"), moment(facts, "soaking-since"), debts));
    }
    for one in array(object, "uses-left") {
        let waiver = one.get("waiver").and_then(Value::as_str).and_then(RecordId::from_hex)?;
        let left = one.get("left").and_then(Value::as_u64)?;
        all.uses.insert(waiver, u32::try_from(left).ok()?);
    }
    Some(all)
}

impl MeasuredTimes {
    /// The releases of that time, with the versions that this policy reads from their tags.
    pub(crate) fn releases(&self, policy: &refgate_core::Policy) -> Vec<Release> {
        let release = |(tag, commit, at): &(String, Oid, Instant)| {
            let version = policy.release.version(tag)?;
            Some(Release { tag: tag.clone(), version, commit: *commit, at: *at })
        };
        self.releases.iter().filter_map(release).collect()
    }
}
