//! Signs a record with the key of a person and pushes it to the ledger.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use refgate_core::{Instant, LEDGER, Oid, Record, RecordBody, RecordId, last_major};
use refgate_format::{namespace, path_of, read_record, record_text, shelf_of, verify};
use refgate_gate::{Exit, ID_REF};
use refgate_git::{Writer, create_own_directory, own_directory, releases, replace_file};
use serde_json::json;

use super::signing_key::{expand_home, literal, public_key};
use super::signing_prompts::{ask_for_reason, confirm_signing};
use crate::args::{Question, RecordArgs as Args};
use crate::command::query_context::{QueryContext, ask, finished};
use crate::output::{Failure, VerbResult, say, say_json, tell};

/// The maximum number of pushes of one record, when others push to the ledger first.
const MAX_TRIES: usize = 40;

/// The directory of the records that were signed offline.
const PENDING: &str = "pending";

/// A clone with its policy, and the name and key of the signer.
pub(crate) struct RecordSigner<'a> {
    pub(crate) query: QueryContext,
    args: &'a Args,
    name: String,
    key: String,
}

impl<'a> RecordSigner<'a> {
    pub(crate) fn open(args: &'a Args) -> Result<Self, Failure> {
        fetch(&args.repository, &args.remote, args.offline)?;
        let query = ask(&question(args))?;
        let key = setting(&query, "user.signingkey")?.ok_or_else(|| {
            let message = "cannot sign: no signing key is configured\nhint: set `git config \
                           user.signingKey` to your OpenSSH public key (see docs/ledger.md)";
            Failure::new(Exit::BadSetup, message)
        })?;
        let name = match args.name.clone().or(setting(&query, "refgate.name")?) {
            Some(name) => name,
            None => owner(&query, &key)?,
        };
        Ok(Self { query, args, name, key })
    }

    /// Resolves a revision to a commit.
    pub(crate) fn commit(&self, revision: &str) -> Result<Oid, Failure> {
        self.query.commit(revision)
    }

    /// The tree of a commit.
    pub(crate) fn tree(&self, commit: Oid) -> Result<Oid, Failure> {
        Ok(self.query.reader.commit(commit)?.tree)
    }

    /// The remote-tracking branch of a stage, or on a server the branch itself.
    pub(crate) fn stage(&self, place: usize) -> Result<String, Failure> {
        let stage = self.query.policy.flow.stages.get(place);
        let branch = stage.map(|stage| stage.branch.short().to_string()).unwrap_or_default();
        let fetched = format!("refs/remotes/{}/{branch}", self.args.remote);
        let known = self.query.reader.resolve(&fetched).is_ok();
        Ok(if known { fetched } else { format!("refs/heads/{branch}") })
    }

    /// The tag of the last major release.
    pub(crate) fn major(&self) -> Result<String, Failure> {
        let all = releases(&self.query.reader, &self.query.policy.release)?;
        last_major(&all, self.query.at).map(|release| release.tag.clone()).ok_or_else(|| {
            let message = "cannot find a major release in this repository\nhint: fetch the tags";
            Failure::new(Exit::BadInput, message)
        })
    }

    /// Makes, signs and pushes a record with this body.
    pub(crate) fn make(&self, body: RecordBody) -> VerbResult {
        let reason = match &self.args.reason {
            Some(reason) => reason.clone(),
            None => ask_for_reason("Reason:")?,
        };
        let record = self.record(body, reason, self.args.link.clone(), self.query.at)?;
        let text = record_text(&record);
        let file = self.show_and_sign(&record, &text)?;
        if self.args.offline {
            let folder = create_own_directory(self.query.reader.git_dir(), PENDING)?;
            replace_file(&folder.join(format!("{}.toml", record.id)), file.as_bytes())?;
            return self.told(&record, None);
        }
        let commit = self.push(&record, &file)?;
        self.told(&record, Some(commit))
    }

    /// Shows a record, and signs it if the person agrees.
    fn show_and_sign(&self, record: &Record, text: &str) -> Result<String, Failure> {
        if !self.args.json {
            say(&format!("Record to be signed by {}:\n\n{text}", self.name));
        }
        if !self.args.yes && !confirm_signing()? {
            return Err(Failure::new(
                Exit::Failed,
                "nothing was signed\nhint: use --yes to sign without confirmation",
            ));
        }
        self.sign(record, text)
    }

    fn record(
        &self,
        body: RecordBody,
        reason: String,
        link: Option<String>,
        at: Instant,
    ) -> Result<Record, Failure> {
        let repository = self.query.repositories.first().cloned().unwrap_or_default();
        let (id, by) = (RecordId([0; 32]), self.name.clone());
        let draft = Record { id, by, at, repository, reason, link, body };
        read_record(&record_text(&draft))
            .map_err(|why| Failure::new(Exit::BadInput, format!("cannot make the record: {why}")))
    }

    /// Signs a text with `ssh-keygen -Y sign`, or with `gpg.ssh.program`, and with the
    /// key or agent that signs the person's commits.
    fn sign(&self, record: &Record, text: &str) -> Result<String, Failure> {
        let folder = tempfile::tempdir()?;
        let message = folder.path().join("record");
        std::fs::write(&message, text)?;
        let program = setting(&self.query, "gpg.ssh.program")?;
        let purpose = namespace(&self.query.policy.ledger.name);
        let mut sign = Command::new(program.as_deref().unwrap_or("ssh-keygen"));
        sign.args(["-Y", "sign", "-n", &purpose, "-f"]);
        if let Some(literal) = literal(&self.key) {
            let key = folder.path().join("key.pub");
            std::fs::write(&key, format!("{literal}\n"))?;
            sign.arg(key).arg("-U");
        } else {
            sign.arg(expand_home(&self.key));
        }
        let output = sign.arg(&message).stdin(Stdio::inherit()).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Failure::new(Exit::BadSetup, format!("cannot sign the record: {said}")));
        }
        let armour = std::fs::read_to_string(message.with_extension("sig"))?;
        // An error here is clearer than a rejection by the server.
        let by = (record.by.as_str(), purpose.as_str(), record.at);
        verify(&self.query.signers, text, &armour, by).map_err(|why| {
            let message = format!("the server would reject this signature: {why}");
            Failure::new(Exit::Rejected, message)
        })?;
        Ok(format!("{text}{armour}"))
    }

    /// Pushes the file of a record on top of the ledger. If another push came first,
    /// fetches and tries again.
    fn push(&self, record: &Record, file: &str) -> Result<Oid, Failure> {
        let here = &self.args.repository;
        let message = format!("{} by {}", record.body.kind(), record.by);
        for _ in 0..MAX_TRIES {
            let tip = self.query.reader.ledger_tip()?;
            let shelf = tip.map(|tip| self.query.reader.shelf(tip, &shelf_of(&record.body)));
            let there = shelf.transpose()?.unwrap_or_default();
            if there.iter().any(|file| file.path == path_of(record)) {
                let message = "the ledger already contains this record";
                return Err(Failure::new(Exit::BadInput, message));
            }
            let commit =
                Writer::open(here, false)?.append(tip, &path_of(record), file, &message)?;
            let mut push = Command::new("git");
            push.arg("-C").arg(here).args(["push", "--porcelain", &self.remote()]);
            let output = push.arg(format!("{commit}:{LEDGER}")).output()?;
            if output.status.success() {
                // The messages of the server to the pusher are passed on.
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                let server_messages = said.lines().filter(|line| line.starts_with("remote: "));
                let server_messages = plain(&server_messages.collect::<Vec<_>>().join("\n"));
                if !server_messages.is_empty() {
                    tell(&server_messages);
                }
                fetch(here, &self.args.remote, false)?;
                return Ok(commit);
            }
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            let lost_race =
                ["fetch first", "non-fast-forward", "is at ", "cannot lock ref", "` changed while"];
            let lost_race = lost_race.iter().any(|sign| said.contains(sign));
            let fetched = fetch(here, &self.args.remote, false);
            // Git reports a lost race in several ways. A moved ledger is certain.
            let moved = fetched.is_ok() && self.query.reader.ledger_tip()? != tip;
            if !lost_race && !moved {
                return Err(Failure::new(Exit::Rejected, plain(&said)));
            }
            fetched?;
        }
        Err(Failure::new(Exit::Failed, "cannot push: the ledger is busy\nhint: try again"))
    }

    /// The remote, or on a server the path of the repository itself.
    fn remote(&self) -> String {
        if self.query.served {
            return self.query.reader.git_dir().display().to_string();
        }
        self.args.remote.clone()
    }

    fn told(&self, record: &Record, commit: Option<Oid>) -> VerbResult {
        let id = record.id;
        if self.args.json {
            let object = json!({
                "id": id.to_string(), "kind": record.body.kind(), "by": record.by,
                "path": path_of(record), "text": record_text(record),
                "pushed": commit.is_some(), "commit": commit.map(|id| id.to_string()),
            });
            say_json(&object);
        } else if commit.is_some() {
            say(&format!("Recorded: {} {}", record.body.kind(), id.short()));
        } else {
            say(&format!("Signed and saved: {} (push it with `refgate ledger push`)", id.short()));
        }
        finished(Exit::Accepted)
    }

    /// Pushes the records that were signed offline. Records that are too old are signed again.
    pub(crate) fn push_pending(&self) -> VerbResult {
        let folder = own_directory(self.query.reader.git_dir())?.join(PENDING);
        let mut files: Vec<PathBuf> = match std::fs::read_dir(&folder) {
            Ok(all) => all
                .filter_map(Result::ok)
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|end| end == "toml"))
                .collect(),
            Err(_) => Vec::new(),
        };
        files.sort();
        let mut pushed = 0;
        for path in files {
            let file = std::fs::read_to_string(&path)?;
            let text = refgate_format::split_file(&file).map(|(text, _)| text).unwrap_or(&file);
            let Ok(record) = read_record(text) else {
                tell(&format!("skipped {}: not a record", path.display()));
                continue;
            };
            let now = self.query.at;
            let old = now - record.at > self.query.policy.ledger.tolerance / 2;
            if old {
                let Record { body, reason, link, .. } = record;
                let again = self.record(body, reason, link, now)?;
                // The queue is a folder of files: its records are as foreign as any other.
                let file = self.show_and_sign(&again, &record_text(&again))?;
                self.push(&again, &file)?;
            } else {
                self.push(&record, &file)?;
            }
            std::fs::remove_file(&path)?;
            pushed += 1;
        }
        say(&format!("pushed {pushed} record{}", if pushed == 1 { "" } else { "s" }));
        finished(Exit::Accepted)
    }
}

fn question(args: &Args) -> Question {
    Question {
        repository: args.repository.clone(),
        policy: args.policy.clone(),
        remote: args.remote.clone(),
        at: None,
        actor: None,
        json: args.json,
    }
}

/// Fetches the ledger of a remote. Does nothing if the remote is not configured, as
/// on a server.
pub(crate) fn fetch(here: &Path, remote: &str, offline: bool) -> Result<(), Failure> {
    let git = |arguments: &[&str]| {
        Command::new("git").arg("-C").arg(here).args(arguments).stdin(Stdio::inherit()).output()
    };
    let known = git(&["config", "--get", &format!("remote.{remote}.url")])?;
    if offline || !known.status.success() {
        return Ok(());
    }
    let listed = git(&["ls-remote", remote, LEDGER, ID_REF])?;
    if !listed.status.success() {
        let said = String::from_utf8_lossy(&listed.stderr).into_owned();
        let message = format!("cannot reach `{remote}`: {}", said.trim());
        return Err(Failure::new(Exit::BadRepository, message));
    }
    if listed.stdout.is_empty() {
        return Ok(());
    }
    let mut fetch = vec!["fetch".to_string(), "-q".to_string(), remote.to_string()];
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for name in [LEDGER, ID_REF].into_iter().filter(|name| listed.contains(name)) {
        fetch.push(format!("+{name}:{name}"));
    }
    let fetched = git(&fetch.iter().map(String::as_str).collect::<Vec<_>>())?;
    if !fetched.status.success() {
        let said = String::from_utf8_lossy(&fetched.stderr).into_owned();
        return Err(Failure::new(Exit::BadRepository, said));
    }
    Ok(())
}

/// A Git setting, from the configuration of the repository or the person, if not empty.
fn setting(query: &QueryContext, key: &str) -> Result<Option<String>, Failure> {
    Ok(query.reader.setting(key)?.filter(|value| !value.is_empty()))
}

/// The name of the signer who has this key, by the list of signers.
fn owner(query: &QueryContext, key: &str) -> Result<String, Failure> {
    let purpose = namespace(&query.policy.ledger.name);
    let text = public_key(key)?;
    query.signers.owner(&text, &purpose).map(ToString::to_string).ok_or_else(|| {
        let message = format!(
            "cannot find your key among the signers for `{purpose}`\nhint: ask for an entry in \
             `allowed_signers` beside the policy, or use --as NAME"
        );
        Failure::new(Exit::BadSetup, message)
    })
}

/// The messages of the server, without the prefixes and status lines of Git.
fn plain(said: &str) -> String {
    let line = |line: &str| match line.strip_prefix('!') {
        // Git prints a message of `proc-receive` in parentheses after the ref.
        Some(status) => {
            let reason = status.split_once('(')?.1.trim_end().trim_end_matches(')');
            (!reason.ends_with("declined")).then(|| reason.to_string())
        }
        None if line.starts_with("To ") || line.starts_with("Done") => None,
        None => Some(line.strip_prefix("remote: ").unwrap_or(line).trim_end().to_string()),
    };
    let lines: Vec<String> = said.lines().filter_map(line).collect();
    refgate_report::clean_block(lines.join("\n").trim().trim_start_matches("refgate: "))
}
