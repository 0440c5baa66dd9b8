//! Tests attacks on the ledger, and compares signature checks with `ssh-keygen`.

use std::fs;
use std::process::{Command, Stdio};

use ed25519_dalek::Signer as _;
use refgate_core::{EvidenceKind, Record, RecordBody, RecordId, RefName, RuleId};
use refgate_format::{Signers, path_of, read_record, record_text, split_file, verify};
use sha2::{Digest as _, Sha256, Sha512};

use crate::test_world::World;

const NOW: &str = "2026-03-02T10:00:00Z";

fn at(text: &str) -> refgate_core::Instant {
    refgate_format::parse_instant(text).unwrap()
}

/// A record, written and read back so that it has its id.
fn record(by: &str, when: &str, repository: &str, body: RecordBody) -> Record {
    let (id, by, at) = (RecordId([0; 32]), by.to_string(), at(when));
    let (repository, reason, link) = (repository.to_string(), "so".to_string(), None);
    let draft = Record { id, by, at, repository, reason, link, body };
    read_record(&record_text(&draft)).unwrap()
}

fn blocker() -> RecordBody {
    RecordBody::Evidence { what: EvidenceKind::Blocker, release: "v1.0.0".to_string(), run: None }
}

/// Signs a text with `ssh-keygen -Y sign`. Returns the armoured signature.
fn sign(world: &World, key: &str, namespace: &str, text: &str) -> String {
    let path = world.path("to-sign");
    fs::write(&path, text).unwrap();
    let signature = path.with_extension("sig");
    let _ = fs::remove_file(&signature);
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(world.path("keys").join(key));
    assert!(keygen.arg(&path).stderr(Stdio::null()).status().unwrap().success());
    fs::read_to_string(signature).unwrap()
}

fn signed(world: &World, record: &Record) -> String {
    let text = record_text(record);
    format!("{text}{}", sign(world, &record.by, "refgate@portal", &text))
}

/// Makes a commit with these parents that adds files to the tree of the first parent.
fn commit(world: &World, parents: &[&str], files: &[(&str, &str)]) -> String {
    let clone = world.path("eve");
    let index = world.path("index");
    let _ = fs::remove_file(&index);
    let git = |arguments: &[&str]| {
        let mut git = refgate_scenario::git_command(&clone);
        git.env("GIT_INDEX_FILE", &index);
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "eve").env(format!("GIT_{role}_EMAIL"), "x@x");
            git.env(format!("GIT_{role}_DATE"), NOW);
        }
        let output = git.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    };
    if let Some(parent) = parents.first() {
        git(&["read-tree", parent]);
    }
    for (path, text) in files {
        let file = world.path("blob");
        fs::write(&file, text).unwrap();
        let blob = git(&["hash-object", "-w", file.to_str().unwrap()]);
        git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
    }
    let tree = git(&["write-tree"]);
    let mut arguments = vec!["commit-tree", &tree, "-m", "record"];
    parents.iter().for_each(|parent| arguments.extend(["-p", parent]));
    git(&arguments)
}

/// Repeats a commit with an empty folder in one folder of its tree.
fn with_empty_folder(world: &World, commit: &str, folder: &str) -> String {
    let clone = world.path("eve");
    let git = |arguments: &[&str], input: &str| {
        let mut git = refgate_scenario::git_command(&clone);
        let mut child =
            git.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    };
    let empty = git(&["mktree"], "");
    let list = |at: &str| git(&["ls-tree", &format!("{commit}:{at}")], "");
    let text = format!("{}\n040000 tree {empty}\tempty\n", list(folder));
    let mut tree = git(&["mktree"], text.trim_start());
    let mut at = folder;
    while !at.is_empty() {
        let (above, name) = at.rsplit_once('/').unwrap_or(("", at));
        let others = list(above);
        let others = others.lines().filter(|line| !line.ends_with(&format!("\t{name}")));
        let lines: Vec<String> = others.map(ToString::to_string).collect();
        let text = format!("{}\n040000 tree {tree}\t{name}\n", lines.join("\n"));
        tree = git(&["mktree"], text.trim_start());
        at = above;
    }
    let parent = git(&["rev-parse", &format!("{commit}^")], "");
    let mut make = refgate_scenario::git_command(&clone);
    for role in ["AUTHOR", "COMMITTER"] {
        make.env(format!("GIT_{role}_NAME"), "eve").env(format!("GIT_{role}_EMAIL"), "x@x");
    }
    let output = make.args(["commit-tree", &tree, "-p", &parent, "-m", "record"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

/// Pushes a commit to the ledger. Returns whether it was accepted, and the output.
fn push(world: &World, commit: &str) -> (bool, String) {
    world.push("eve", &[&format!("+{commit}:refs/refgate/ledger")])
}

#[track_caller]
fn rejected(world: &World, commit: &str, why: &str) {
    let (ok, said) = push(world, commit);
    assert!(!ok && said.contains(why), "should say {why:?}: {said}");
}

#[test]
fn the_ledger_accepts_no_empty_folder() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    let good = record("ada", NOW, "portal", blocker());
    let first = commit(&world, &[], &[(&path_of(&good), &signed(&world, &good))]);
    assert!(push(&world, &first).0);
    let other = record("ben", NOW, "portal", blocker());
    let ours = commit(&world, &[&first], &[(&path_of(&other), &signed(&world, &other))]);
    // No list of files shows an empty folder beside a record, in its folder, or above it.
    for folder in ["", "freeze", "after", "after/v1.0.0"] {
        let hidden = with_empty_folder(&world, &ours, folder);
        rejected(&world, &hidden, "change nothing else");
    }
    assert!(push(&world, &ours).0);
}

#[test]
fn the_ledger_accepts_only_new_signed_current_records() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    let good = record("ada", NOW, "portal", blocker());
    let (path, file) = (path_of(&good), signed(&world, &good));
    let first = commit(&world, &[], &[(&path, &file)]);
    assert!(push(&world, &first).0);
    let other = record("ben", NOW, "portal", blocker());
    let (other_path, other_file) = (path_of(&other), signed(&world, &other));

    // History: a rewind, a fork, a merge, an edit, two files at once and a copy.
    let fork = commit(&world, &[], &[(&other_path, &other_file)]);
    rejected(&world, &fork, "append-only");
    let ours = commit(&world, &[&first], &[(&other_path, &other_file)]);
    let merge = commit(&world, &[&first, &fork], &[(&other_path, &other_file)]);
    rejected(&world, &merge, "must have exactly one parent");
    let edited = commit(&world, &[&first], &[(&path, &other_file)]);
    rejected(&world, &edited, "change nothing else");
    let two = commit(&world, &[&first], &[(&other_path, &other_file), ("x/y", "z")]);
    rejected(&world, &two, "change nothing else");
    let copied = commit(&world, &[&first], &[("after/v9.0.0/copy.toml", &file)]);
    rejected(&world, &copied, "stored at the wrong path");
    let again = format!(
        "{}{}",
        record_text(&good),
        sign(&world, "ada", "refgate@portal", &record_text(&good))
    );
    let again = commit(&world, &[&first], &[(&path, &format!("{again}\n"))]);
    rejected(&world, &again, "change nothing else");
    let (ok, said) = world.push("eve", &[":refs/refgate/ledger"]);
    assert!(!ok && said.contains("append-only"), "{said}");
    let blob = world.git("eve", &["rev-parse", &format!("{first}:{path}")]);
    rejected(&world, &blob, "must be a commit");

    // Files that are not records, and wrong signatures.
    let place = |text: &str| commit(&world, &[&first], &[(&other_path, text)]);
    rejected(&world, &place("format = 1\n"), "no signature");
    rejected(
        &world,
        &place(&other_file.replace("\"so\"", "\"no\"")),
        "not the one that was signed",
    );
    let text = record_text(&other);
    for (key, namespace, why) in [
        ("ben", "file", "made for `file`"),
        ("ben", "refgate@other", "made for `refgate@other`"),
        ("ada", "refgate@portal", "not one of ben's"),
        ("eve", "refgate@portal", "not one of ben's"),
    ] {
        let armour = sign(&world, key, namespace, &text);
        rejected(&world, &place(&format!("{text}{armour}")), why);
    }

    // Valid signatures with a wrong time, a wrong repository or a wrong role.
    let make = |by: &str, when: &str, repository: &str, body: RecordBody| {
        let record = record(by, when, repository, body);
        commit(&world, &[&first], &[(&path_of(&record), &signed(&world, &record))])
    };
    rejected(&world, &make("ben", "2026-03-02T09:00:00Z", "portal", blocker()), "server's time");
    rejected(&world, &make("ben", "2026-03-02T11:00:00Z", "portal", blocker()), "server's time");
    rejected(&world, &make("ben", NOW, "backend", blocker()), "another repository");
    let on = RefName::branch("dev").unwrap();
    let of = refgate_core::Oid::default();
    let approval = RecordBody::Approval { rule: RuleId::Freeze, on: on.clone(), of };
    rejected(&world, &make("ben", NOW, "portal", approval.clone()), "no role");
    let odd = RecordBody::Approval { rule: RuleId::RefName, on, of };
    rejected(&world, &make("grace", NOW, "portal", odd), "no role");
    let withdrawal =
        RecordBody::Withdrawal { of: good.id, shelf: refgate_format::shelf_of(&good.body) };
    rejected(&world, &make("ben", NOW, "portal", withdrawal.clone()), "Only its signer");
    let nothing =
        RecordBody::Withdrawal { of: other.id, shelf: refgate_format::shelf_of(&good.body) };
    rejected(&world, &make("grace", NOW, "portal", nothing), "not in the ledger");

    // Correct records are accepted.
    assert!(push(&world, &ours).0);
    let record = record("ada", NOW, "portal", withdrawal);
    let withdrawn = commit(&world, &[&ours], &[(&path_of(&record), &signed(&world, &record))]);
    assert!(push(&world, &withdrawn).0);
}

/// Runs `ssh-keygen -Y verify`, as docs/ledger.md shows it.
fn keygen_accepts(world: &World, file: &str, lists: (&str, &str), by: &str, when: &str) -> bool {
    let (text, armour) = split_file(file).unwrap();
    let (allowed, revoked, signature) =
        (world.path("allowed"), world.path("revoked"), world.path("text.sig"));
    fs::write(&allowed, lists.0).unwrap();
    fs::write(&revoked, lists.1).unwrap();
    fs::write(&signature, armour).unwrap();
    fs::write(world.path("text"), text).unwrap();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-Y", "verify", "-I", by, "-n", "refgate@portal", "-f"]).arg(&allowed);
    keygen.arg("-s").arg(&signature).arg(format!("-Overify-time={when}"));
    if !lists.1.is_empty() {
        keygen.arg("-r").arg(&revoked);
    }
    keygen.stdin(fs::File::open(world.path("text")).unwrap());
    keygen.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

fn refgate_accepts(file: &str, lists: (&str, &str), by: &str) -> bool {
    let (text, armour) = split_file(file).unwrap();
    let Ok(signers) = Signers::parse(lists.0, lists.1) else { return false };
    verify(&signers, text, armour, (by, "refgate@portal", at(NOW))).is_ok()
}

#[test]
fn agrees_with_ssh_keygen() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    let good = record("ada", NOW, "portal", blocker());
    let file = signed(&world, &good);
    let key = world.key("ada");
    let line = |options: &str| format!("ada {options} {key}");
    let ours = "namespaces=\"refgate@portal\"";
    let altered = file.replace("\"so\"", "\"no\"");
    let foreign = format!("{}{}", record_text(&good), sign(&world, "ada", "file", "x"));
    for (what, file, allowed, revoked, good) in [
        ("good", &file, line(ours), "", true),
        ("several names", &file, format!("x,ada,y {ours} {key}"), "", true),
        ("several namespaces", &file, line("namespaces=\"git,refgate@portal\""), "", true),
        ("in time", &file, line(&format!("{ours},valid-after=\"20260301Z\"")), "", true),
        ("too early", &file, line(&format!("{ours},valid-after=\"20260303Z\"")), "", false),
        ("expired", &file, line(&format!("{ours},valid-before=\"202603020959Z\"")), "", false),
        (
            "not yet expired",
            &file,
            line(&format!("{ours},valid-before=\"20260302100001Z\"")),
            "",
            true,
        ),
        ("revoked", &file, line(ours), key.as_str(), false),
        ("another namespace", &file, line("namespaces=\"git\""), "", false),
        ("another name", &file, format!("ben {ours} {key}"), "", false),
        ("altered", &altered, line(ours), "", false),
        ("of another text", &foreign, line(ours), "", false),
    ] {
        let lists = (allowed.as_str(), revoked);
        assert_eq!(refgate_accepts(file, lists, "ada"), good, "{what}: refgate");
        assert_eq!(keygen_accepts(&world, file, lists, "ada", "20260302100000Z"), good, "{what}");
    }
}

/// Makes a signature of a security key as PROTOCOL.u2f of OpenSSH defines it. The key is
/// in software, because tests have no hardware key.
fn touched(text: &str, flags: u8) -> (String, String) {
    let part =
        |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let kind = "sk-ssh-ed25519@openssh.com";
    let secret = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let public = secret.verifying_key().to_bytes();
    let blob = [part(kind.as_bytes()), part(&public), part(b"ssh:")].concat();
    let key = ssh_key::PublicKey::from_bytes(&blob).unwrap();
    let message = [
        b"SSHSIG".to_vec(),
        part(b"refgate@portal"),
        part(b""),
        part(b"sha512"),
        part(&Sha512::digest(text.as_bytes())),
    ]
    .concat();
    let trailer = [&[flags][..], &5_u32.to_be_bytes()].concat();
    let signed = [&Sha256::digest(b"ssh:")[..], &trailer, &Sha256::digest(&message)[..]].concat();
    let signature = [&secret.sign(&signed).to_bytes()[..], &trailer].concat();
    let signature = ssh_key::Signature::new(ssh_key::Algorithm::SkEd25519, signature).unwrap();
    let hash = ssh_key::HashAlg::Sha512;
    let armour =
        ssh_key::SshSig::new(key.key_data().clone(), "refgate@portal", hash, signature).unwrap();
    (key.to_openssh().unwrap(), armour.to_pem(ssh_key::LineEnding::LF).unwrap())
}

/// A signature of a security key is valid only if somebody touched the key, as for `sshd`.
/// `ssh-keygen` does not check this.
#[test]
fn rejects_a_security_key_that_nobody_touched() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    let text = record_text(&record("ada", NOW, "portal", blocker()));
    for (flags, counts) in [(1, true), (5, true), (0, false), (4, false)] {
        let (key, armour) = touched(&text, flags);
        let armour = if armour.ends_with('\n') { armour } else { format!("{armour}\n") };
        let allowed = format!("ada namespaces=\"refgate@portal\" {key}\n");
        let file = format!("{text}{armour}");
        let lists = (allowed.as_str(), "");
        let keygen = keygen_accepts(&world, &file, lists, "ada", "20260302100000Z");
        assert!(keygen, "ssh-keygen, flags {flags}");
        assert_eq!(refgate_accepts(&file, lists, "ada"), counts, "refgate, flags {flags}");
        let other = file.replace("\"so\"", "\"no\"");
        assert!(other != file && !refgate_accepts(&other, lists, "ada"), "an altered text");
    }
}

/// Tests all kinds of key that `ssh-keygen` can make, with changed signatures.
#[test]
fn rejects_changed_signatures_that_ssh_keygen_rejects() {
    let world = World::new(refgate_gate::builtin("portal").unwrap(), NOW);
    let good = record("ada", NOW, "portal", blocker());
    let text = record_text(&good);
    let (mut changed, mut accepted) = (0, 0);
    for (name, kind, bits) in [
        ("k1", "ed25519", "0"),
        ("k2", "ecdsa", "256"),
        ("k3", "ecdsa", "384"),
        ("k4", "ecdsa", "521"),
        ("k5", "rsa", "3072"),
    ] {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", kind, "-N", "", "-f"]).arg(world.path("keys").join(name));
        if bits != "0" {
            keygen.args(["-b", bits]);
        }
        assert!(keygen.status().unwrap().success());
        let allowed = format!("ada namespaces=\"refgate@portal\" {}", world.key(name));
        let armour = sign(&world, name, "refgate@portal", &text);
        let lists = (allowed.as_str(), "");
        assert!(refgate_accepts(&format!("{text}{armour}"), lists, "ada"), "{kind} {bits}");
        // Changes one letter of the armour at a time.
        for place in (0..armour.len()).step_by(armour.len() / 700 + 1) {
            let mut other: Vec<u8> = armour.clone().into_bytes();
            other[place] = if other[place] == b'A' { b'B' } else { b'A' };
            let file = format!("{text}{}", String::from_utf8(other).unwrap());
            changed += 1;
            if split_file(&file).is_ok() && refgate_accepts(&file, lists, "ada") {
                accepted += 1;
                let agrees = keygen_accepts(&world, &file, lists, "ada", "20260302100000Z");
                assert!(agrees, "{kind} {bits}, letter {place}: only refgate accepts it");
            }
        }
    }
    assert!(changed > 2_000, "{changed}");
    assert!(accepted < 10, "{accepted}");
    // A list of signers with a weak key is an error.
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"]).arg(world.path("keys/weak"));
    assert!(keygen.status().unwrap().success());
    let allowed = format!("ada namespaces=\"refgate@portal\" {}", world.key("weak"));
    assert!(Signers::parse(&allowed, "").unwrap_err().what.contains("too weak"));
}
