//! Measures the cost of small and large ledgers, and of `ssh-keygen` and `git log`.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use refgate_scenario::git_command;
use sha2::{Digest as _, Sha256};
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::bench::{bundle_server, hook_command, ms};
use crate::stage::{Outcome, build_programs, git, history, measure_in_turn, run, timed};

const TIMES: usize = 21;

/// The signature namespace of the policy `portal`.
const NAMESPACE: &str = "refgate@portal";

pub(crate) fn ledger() -> Outcome<String> {
    let (refgate, hook) = build_programs()?;
    let mut rows = vec![
        "| case | own | peer | ratio |".to_string(),
        "|---|---|---|---|".to_string(),
        verdicts(&refgate, &hook)?,
    ];
    for (kind, bits, count) in
        [("ed25519", "256", 10_000), ("ecdsa", "256", 300), ("rsa", "3072", 300)]
    {
        rows.push(verify(&refgate, (kind, bits), count)?);
    }
    rows.extend(status(&refgate)?);
    Ok(rows.join("\n"))
}

/// A server with a tracked policy and a ledger. One key signs all records.
pub(crate) struct LedgerServer {
    folder: tempfile::TempDir,
    key: PrivateKey,
    public: String,
}

impl LedgerServer {
    pub(crate) fn new(refgate: &Path, (kind, bits): (&str, &str)) -> Outcome<Self> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let folder = tempfile::tempdir().map_err(|error| said(&error))?;
        let file = folder.path().join("key");
        let mut keygen = Command::new("ssh-keygen");
        run(keygen.args(["-q", "-t", kind, "-b", bits, "-N", "", "-f"]).arg(&file))?;
        let key = PrivateKey::read_openssh_file(&file).map_err(|error| said(&error))?;
        let public =
            fs::read_to_string(file.with_extension("pub")).map_err(|error| said(&error))?;
        let shelf = Self { folder, key, public };
        let seed = shelf.path("seed");
        git(shelf.folder.path(), &["init", "-q", "seed"])?;
        history(&seed, "main", None, 50)?;
        git(&seed, &["switch", "-q", "main"])?;
        let policy = seed.join(".refgate");
        fs::create_dir_all(&policy).map_err(|error| said(&error))?;
        let text = include_str!("../../../policies/portal.toml");
        fs::write(policy.join("policy.toml"), text).map_err(|error| said(&error))?;
        fs::write(policy.join("allowed_signers"), shelf.signers()).map_err(|error| said(&error))?;
        git(&seed, &["add", "-A"])?;
        git(&seed, &["commit", "-q", "-m", "chore: a policy"])?;
        git(&seed, &["branch", "dev"])?;
        git(&seed, &["branch", "stg"])?;
        git(shelf.folder.path(), &["clone", "-q", "--bare", "seed", "portal.git"])?;
        let mut install = Command::new(refgate);
        install.arg("install").arg(shelf.path("portal.git")).args(["--identity", "http"]);
        run(install.args(["--policy", "main:.refgate/policy.toml"]))?;
        Ok(shelf)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn signers(&self) -> String {
        format!("grace namespaces=\"{NAMESPACE}\" {}", self.public)
    }

    /// Signs a text: in this process if the key is ed25519, which is fast, else with `ssh-keygen`.
    fn sign(&self, text: &str) -> Outcome<String> {
        if self.key.algorithm().is_ed25519() {
            return self
                .key
                .sign(NAMESPACE, HashAlg::Sha512, text.as_bytes())
                .and_then(|signature| signature.to_pem(LineEnding::LF))
                .map_err(|error| error.to_string());
        }
        let (file, signature) = (self.path("signed"), self.path("signed.sig"));
        fs::write(&file, text).map_err(|error| error.to_string())?;
        let _ = fs::remove_file(&signature);
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"]).arg(self.path("key"));
        run(sign.arg(&file))?;
        fs::read_to_string(&signature).map_err(|error| error.to_string())
    }

    /// The path and the content of an approval of a commit at a time.
    pub(crate) fn approval(&self, of: &str, at: &str, number: usize) -> Outcome<(String, String)> {
        let text = format!(
            "format = 1\nkind = \"approval\"\nby = \"grace\"\nat = \"{at}\"\n\
             repository = \"portal\"\nreason = \"fast-track {number}\"\nrule = \"freeze\"\n\
             ref = \"refs/heads/dev\"\nof = \"{of}\"\n",
        );
        let (head, tail) = of.split_at(2);
        self.file(&format!("approval/{head}/{tail}"), &text)
    }

    fn file(&self, folder: &str, text: &str) -> Outcome<(String, String)> {
        let id = hex(&Sha256::digest(text.as_bytes()));
        let signature = self.sign(text)?;
        let end = if signature.ends_with('\n') { "" } else { "\n" };
        Ok((format!("{folder}/{id}.toml"), format!("{text}{signature}{end}")))
    }

    /// Fills the ledger with `count` records, each in its own commit. The first one approves `of`.
    fn fill(&self, of: &str, count: usize) -> Outcome<()> {
        let said = |error: std::io::Error| error.to_string();
        let server = self.path("portal.git");
        let mut import = git_command(&server);
        import.args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
        let mut child = import.spawn().map_err(said)?;
        let pipe = child.stdin.take().ok_or("no pipe")?;
        let mut pipe = BufWriter::new(pipe);
        for number in 0..count {
            let other = commit(&number.to_string());
            let at = format!("2026-03-01T09:{:02}:{:02}Z", (number / 60) % 60, number % 60);
            let of = if number == 0 { of } else { &other };
            let (path, file) = self.approval(of, &at, number)?;
            write!(
                pipe,
                "commit refs/refgate/ledger\ncommitter grace <grace@x> {} +0000\ndata 6\nrecord\n\
                 M 100644 inline {path}\ndata {}\n{file}\n",
                1_780_000_000 + number,
                file.len(),
            )
            .map_err(said)?;
        }
        drop(pipe);
        let done = child.wait().map_err(said)?.success();
        if done { Ok(()) } else { Err("git fast-import failed".to_string()) }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A string that looks like a commit id.
pub(crate) fn commit(name: &str) -> String {
    hex(&Sha256::digest(name.as_bytes())).chars().take(40).collect()
}

/// Measures the verdict about the same landing with 10 and with 100,000 records in the ledger.
fn verdicts(refgate: &Path, hook: &Path) -> Outcome<String> {
    let mut shelves = Vec::new();
    for count in [10, 100_000] {
        let shelf = LedgerServer::new(refgate, ("ed25519", "256"))?;
        let server = shelf.path("portal.git");
        history(&server, "topic", Some("refs/heads/dev^{commit}"), 1)?;
        let old = git(&server, &["rev-parse", "dev"])?.trim().to_string();
        let new = git(&server, &["rev-parse", "topic"])?.trim().to_string();
        shelf.fill(&new, count)?;
        shelves.push((shelf, format!("{old} {new} refs/heads/dev\n")));
    }
    let [(few, line_few), (many, line_many)] = shelves.as_slice() else {
        return Err("expected two ledgers".to_string());
    };
    let medians = measure_in_turn(
        TIMES,
        &mut [
            &mut || {
                timed(
                    hook_command(hook, &few.path("portal.git"), line_few)?
                        .env("REMOTE_USER", "ada"),
                )
            },
            &mut || {
                timed(
                    hook_command(hook, &many.path("portal.git"), line_many)?
                        .env("REMOTE_USER", "ada"),
                )
            },
        ],
    )?;
    let [few, many] = medians.as_slice() else { return Err("expected two medians".to_string()) };
    Ok(format!(
        "| one verdict, 100,000 records in the ledger | {} | the same with 10 records {} | {:.2} |",
        ms(*many),
        ms(*few),
        many / few
    ))
}

/// Measures the verification of all records, and of one record with `ssh-keygen`.
fn verify(refgate: &Path, key: (&str, &str), count: usize) -> Outcome<String> {
    let shelf = LedgerServer::new(refgate, key)?;
    shelf.fill(&commit("first"), count)?;
    let (_, file) = shelf.approval(&commit("first"), "2026-03-01T09:00:00Z", 0)?;
    let at = file.find("-----BEGIN").ok_or("cannot find the signature of a record")?;
    let (text, signature) = file.split_at(at);
    for (name, content) in
        [("text", text), ("signature", signature), ("signers", shelf.signers().as_str())]
    {
        fs::write(shelf.path(name), content).map_err(|error| error.to_string())?;
    }
    let server = shelf.path("portal.git");
    let medians = measure_in_turn(
        5,
        &mut [
            &mut || timed(Command::new(refgate).args(["ledger", "verify", "-C"]).arg(&server)),
            &mut || {
                let mut peer = Command::new("ssh-keygen");
                peer.args(["-Y", "verify", "-I", "grace", "-n", NAMESPACE]);
                peer.arg("-f").arg(shelf.path("signers")).arg("-s").arg(shelf.path("signature"));
                let text = fs::File::open(shelf.path("text")).map_err(|error| error.to_string())?;
                timed(peer.stdin(Stdio::from(text)))
            },
        ],
    )?;
    let [all, one] = medians.as_slice() else { return Err("expected two medians".to_string()) };
    #[expect(clippy::cast_precision_loss, reason = "a count of thousands")]
    let each = all / count as f64;
    Ok(format!(
        "| `ledger verify`, {count} records signed with {}: {} | {:.3} ms each | `ssh-keygen -Y verify` {} each | {:.3} |",
        key.0,
        ms(*all),
        each * 1_000.0,
        ms(*one),
        each / one
    ))
}

/// Measures `refgate status` on the real history, if its bundle exists beside the project.
fn status(refgate: &Path) -> Outcome<Option<String>> {
    let Some((_folder, server)) = bundle_server()? else { return Ok(None) };
    let medians = measure_in_turn(
        TIMES,
        &mut [
            &mut || timed(git_command(&server).args(["log", "--oneline", "dev", "stg", "main"])),
            &mut || {
                let mut status = Command::new(refgate);
                timed(status.args(["status", "--policy", "portal", "-C"]).arg(&server))
            },
        ],
    )?;
    let [log, own] = medians.as_slice() else { return Err("expected two medians".to_string()) };
    Ok(Some(format!(
        "| `status` of the real history | {} | `git log --oneline` of the stages {} | {:.2} |",
        ms(*own),
        ms(*log),
        own / log
    )))
}
