//! Signs the records of training worlds. The keys are derived from names, so they prove nothing.

use std::fs;

use refgate_core::{LEDGER, Record};
use refgate_format::{PolicySource, namespace, path_of, read_record, record_text, split_file};
use refgate_gate::{SIGNERS, TRACKED};
use refgate_git::Reader;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::push_output::report;
use crate::real_world::{RealError, RealWorld};
use crate::runner::Report;

/// The directory of the policy in the repository.
pub(crate) const FOLDER: &str = ".refgate";

/// People who are signers even if the policy gives them no role.
const AUTHORS: [&str; 2] = ["ada", "ben"];

/// The key of a person in a training world: a private and a public key in the
/// format of OpenSSH. Anybody can make it, so it proves nothing.
///
/// # Errors
/// Fails if a key cannot be encoded.
pub fn training_key(name: &str) -> Result<(String, String), RealError> {
    let key = key(name);
    let private = key.to_openssh(LineEnding::LF).map_err(failed)?;
    let public = key.public_key().to_openssh().map_err(failed)?;
    Ok((private.to_string(), public))
}

fn key(name: &str) -> PrivateKey {
    let mut seed = *b"a key of a training world, only!";
    for (place, byte) in name.bytes().enumerate() {
        if let Some(slot) = seed.get_mut(place % 32) {
            *slot = slot.wrapping_mul(31).wrapping_add(byte);
        }
    }
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    key.set_comment(format!("{name} in training"));
    key
}

fn failed(error: impl std::fmt::Display) -> RealError {
    RealError::Other(error.to_string())
}

/// All records of a ledger, oldest first.
pub(crate) fn read_records(reader: &Reader) -> Result<Vec<Record>, RealError> {
    let Some(tip) = reader.ledger_tip().map_err(failed)? else { return Ok(Vec::new()) };
    let files = reader.ledger_delta(None, tip).map_err(failed)?.added;
    let read = |file: &refgate_git::RecordFile| {
        let (text, _) = split_file(&file.text).map_err(failed)?;
        read_record(text).map_err(failed)
    };
    files.iter().map(read).collect()
}

impl RealWorld {
    /// The paths and texts of the policy and of `allowed_signers`, for the repository.
    pub(crate) fn tracked_files(
        &self,
        policy_text: &str,
    ) -> Result<Vec<(String, String)>, RealError> {
        let purpose = namespace(&self.policy.ledger.name);
        let mut people: Vec<&str> = self.policy.roles.0.values().flatten().map(|s| &**s).collect();
        people.extend(AUTHORS);
        people.sort_unstable();
        people.dedup();
        let mut list = String::from("# Keys of a training world. Anybody can make them.\n");
        for name in people {
            let (_, public) = training_key(name)?;
            list.push_str(&format!("{name} namespaces=\"{purpose}\" {public}\n"));
        }
        let beside = format!("{FOLDER}/{SIGNERS}");
        Ok(vec![(TRACKED.to_string(), policy_text.to_string()), (beside, list)])
    }

    /// Changes the policy in the worktree of the clone.
    pub(crate) fn revise(&self, who: &str, raised: bool) -> Result<(), RealError> {
        let path = self.clone_folder().join(TRACKED);
        let text = fs::read_to_string(&path)?;
        let now = self.policy.revision;
        let line = |number: u64| format!("revision = {number}\n");
        let raised = if raised { text.replacen(&line(now), &line(now + 1), 1) } else { text };
        Ok(fs::write(path, format!("{raised}\n# revised by {who}\n"))?)
    }

    /// The source of a policy that is in the repository.
    pub(crate) fn tracked(&self) -> PolicySource {
        let flow = &self.policy.flow;
        let production = flow.production().map(|(_, stage)| stage).or(flow.stages.last());
        let branch = production.map(|stage| stage.branch.short().to_string());
        PolicySource::Tracked { branch: branch.unwrap_or_default(), path: TRACKED.to_string() }
    }

    /// Signs a record and pushes it to the ledger, on top of the clone's ledger.
    pub(crate) fn append(&mut self, record: Record) -> Result<Report, RealError> {
        let text = record_text(&record);
        let purpose = namespace(&self.policy.ledger.name);
        let signature = key(&record.by).sign(&purpose, HashAlg::Sha512, text.as_bytes());
        let armour = signature.and_then(|one| one.to_pem(LineEnding::LF)).map_err(failed)?;
        let file = format!("{text}{armour}");
        let (who, seconds) = (&record.by, self.clock.timestamp());
        let title = format!("{} by {who}", record.body.kind());
        // `git fast-import` writes file, tree, commit and ref in one process.
        let mut stream = format!(
            "commit {LEDGER}\ncommitter {who} <{who}@x> {seconds} +0000\ndata {}\n{title}\n",
            title.len()
        );
        let there = self.clone_folder().join(".git").join(LEDGER).exists();
        if there || self.id(LEDGER).is_some() {
            stream.push_str(&format!("from {LEDGER}^0\n"));
        }
        let path = path_of(&record);
        stream.push_str(&format!("M 100644 inline {path}\ndata {}\n{file}\n", file.len()));
        self.import(&self.clone_folder(), who, &stream)?;
        let args = ["push", "--porcelain", "origin", LEDGER];
        let pushed = self.command(&self.clone_folder(), who).args(args).output()?;
        let said = String::from_utf8_lossy(&pushed.stderr).into_owned();
        if pushed.status.success() {
            self.records.push(record);
        } else {
            // The rejected record must not be below the next one.
            self.catch_up_ledger()?;
        }
        Ok(report(&said, pushed.status.success()))
    }

    fn catch_up_ledger(&self) -> Result<(), RealError> {
        let there = self.on_server(LEDGER).map(|tip| tip.to_string());
        match there {
            Some(tip) => self.git("somebody", &["update-ref", LEDGER, &tip])?,
            None => self.git("somebody", &["update-ref", "-d", LEDGER])?,
        };
        Ok(())
    }
}
