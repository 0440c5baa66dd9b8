//! Judges the last landing of each stage again, to find out whether the server can judge at
//! all. It writes nothing and decides nothing about a push.

use std::path::Path;

use refgate_core::{Instant, Push, RefChange, RefName, RefUpdate, Verdict};
use refgate_format::Limits;
use refgate_git::Reader;

use crate::judge::{ServerState, judge};
use crate::ledger_reader::LedgerReader;
use crate::push_records::Records;
use crate::{Failure, Governance, LoadedPolicy, Setup, bounds};

/// The stages on which a landing cannot be judged, each with the cause. A damaged record that
/// can forbid a push, or an object that is missing, appears here.
///
/// # Errors
/// Returns an error if the settings, the policy or the signers cannot be read.
pub fn unjudgeable_stages(
    repository: &Path,
    now: Instant,
) -> Result<Vec<(RefName, String)>, Failure> {
    let reader = Reader::open(repository, bounds(&Limits::default()))?;
    let setup = Setup::read(reader.git_dir())?;
    let governance = Governance::of(&reader, &setup, now).map_err(failure)?;
    let LoadedPolicy { policy, signers, hash, .. } = governance.policy(now).map_err(failure)?;
    let (source, repositories) = (governance.own_source(), &governance.repositories);
    let tip = governance.reader().ledger_tip()?;
    let ledger = LedgerReader { reader: governance.reader(), tip, signers: &signers, repositories };
    let state = ServerState {
        reader: &reader,
        policy: &policy,
        source: &source,
        policy_hash: &hash,
        signers: &signers,
        records: Records::Kept(ledger),
        repositories,
        baseline: setup.settings.baseline,
    };
    let mut found = Vec::new();
    for stage in &policy.flow.stages {
        let Some((new, _)) = reader.reference(&stage.branch)? else { continue };
        let Some(old) = reader.commit(new)?.parents.first().copied() else { continue };
        let update = RefUpdate { name: stage.branch.clone(), change: RefChange::Move { old, new } };
        let push = Push { actor: None, at: now, updates: vec![update], options: Vec::new() };
        match judge(&state, &push) {
            Err(error) => found.push((stage.branch.clone(), error.to_string())),
            Ok(judged) if judged.decision.verdict == Verdict::Undecided => {
                let why = "the last landing is undecided".to_string();
                found.push((stage.branch.clone(), why));
            }
            Ok(_) => {}
        }
    }
    Ok(found)
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(crate::Exit::BadSetup, error.to_string())
}
