//! Is any record lost that the server took, with many writers, kills, `pack-refs` and `gc`?

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use refgate_scenario::git_command;

use crate::bench_ledger::{Shelf, commit};
use crate::stage::{Outcome, git, programs, run};

/// Writers at the same time.
const WRITERS: usize = 8;

/// Records that a writer pushes at once, each in a commit of its own.
const BATCH: usize = 500;

/// Who is beaten as often as this is not beaten but broken.
const MOST_TRIES: u32 = 300;

/// A record must arrive within ten minutes of its making; who has not got through
/// for so long signs again.
const FRESH: Duration = Duration::from_secs(300);

/// How many kills there were, and pushes that were taken and not.
#[derive(Default)]
struct Count {
    kills: AtomicUsize,
    taken: AtomicUsize,
    refused: AtomicUsize,
    /// How long the last push took that was taken, in milliseconds: the larger the
    /// ledger, the longer, and whoever kills and waits does it by that measure.
    lasted: AtomicU64,
}

/// Appends `all` records by eight writers, while whatever serves a push is
/// killed at random and the repository is packed again and again.
pub(crate) fn run_all(all: usize) -> Outcome<String> {
    let (refgate, _) = programs()?;
    let shelf = Shelf::new(&refgate, ("ed25519", "256"))?;
    let server = shelf.path("portal.git");
    git(&server, &["config", "gc.auto", "0"])?;
    let (over, count) = (AtomicBool::new(false), Count::default());
    let each = all.div_ceil(WRITERS * BATCH);
    thread::scope(|scope| {
        scope.spawn(|| kill(&server, &over, &count));
        scope.spawn(|| tidy(&refgate, &server, &over));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| (writer, &shelf, &count))
            .map(|(writer, shelf, count)| scope.spawn(move || write(shelf, writer, each, count)))
            .collect();
        let done: Outcome<()> = writers.into_iter().try_for_each(|writer| {
            writer.join().unwrap_or_else(|_| Err("a writer panicked".to_string()))
        });
        over.store(true, Ordering::Relaxed);
        done
    })?;
    let listed = listed(&server)?;
    let want = each * WRITERS * BATCH;
    if listed != want {
        return Err(format!("{want} records were taken, and {listed} are there"));
    }
    git(&server, &["fsck", "--strict", "--connectivity-only"])?;
    let mut verify = Command::new(&refgate);
    run(verify.args(["ledger", "verify", "-C"]).arg(&server))?;
    let [kills, taken, refused] =
        [&count.kills, &count.taken, &count.refused].map(|one| one.load(Ordering::Relaxed));
    Ok(format!(
        "{want} records by {WRITERS} writers, {BATCH} a push: {taken} pushes taken, {refused} \
         not (races and {kills} kills); none that was taken is lost, and each one counts"
    ))
}

fn listed(server: &Path) -> Outcome<usize> {
    let mut list = git_command(server);
    list.args(["ls-tree", "-r", "--name-only", "refs/refgate/ledger"]);
    let output = list.output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().count())
}

/// One writer: a batch on top of what is there, until the server takes it.
fn write(shelf: &Shelf, writer: usize, batches: usize, count: &Count) -> Outcome<()> {
    let name = format!("writer{writer}");
    git(shelf.folder(), &["init", "-q", "--bare", &name])?;
    let clone = shelf.path(&name);
    git(&clone, &["remote", "add", "origin", &shelf.path("portal.git").display().to_string()])?;
    for batch in 0..batches {
        let first = (writer * batches + batch) * BATCH;
        let (mut signed, mut files) = (Instant::now(), sign(shelf, first)?);
        let mut tries = 0;
        loop {
            let _ = git(&clone, &["fetch", "-q", "origin", "+refs/refgate/*:refs/refgate/*"]);
            let mut tip = git_command(&clone);
            tip.args(["rev-parse", "-q", "--verify", "refs/refgate/ledger"]);
            let tip = tip.output().map_err(|error| error.to_string())?;
            let tip = String::from_utf8_lossy(&tip.stdout).trim().to_string();
            // A push whose answer was lost may have been taken.
            let last = files.last().map(|(path, _)| format!("{tip}:{path}")).unwrap_or_default();
            if !tip.is_empty() && git(&clone, &["cat-file", "-e", &last]).is_ok() {
                break;
            }
            if signed.elapsed() > FRESH {
                (signed, files) = (Instant::now(), sign(shelf, first)?);
            }
            import(&clone, &tip, &files)?;
            let began = Instant::now();
            let mut push = git_command(&clone);
            push.args(["push", "-q", "origin", "refs/batch:refs/refgate/ledger"]);
            let pushed = push.env("REMOTE_USER", "grace").output();
            let pushed = pushed.map_err(|error| error.to_string())?;
            let lasted = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            if pushed.status.success() {
                count.lasted.store(lasted, Ordering::Relaxed);
                count.taken.fetch_add(1, Ordering::Relaxed);
                break;
            }
            count.refused.fetch_add(1, Ordering::Relaxed);
            tries += 1;
            // Who is beaten waits a while, as people do: else eight writers keep
            // two cores busy with what seven of them must do again.
            let dice = (writer * 733 + batch * 271 + tries as usize * 997) % WRITERS;
            thread::sleep(Duration::from_millis(lasted * dice as u64));
            if tries > MOST_TRIES {
                return Err(String::from_utf8_lossy(&pushed.stderr).into_owned());
            }
        }
    }
    Ok(())
}

/// The records of a batch, signed now.
fn sign(shelf: &Shelf, first: usize) -> Outcome<Vec<(String, String)>> {
    let at = run(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]))?;
    let record = |number: usize| shelf.approval(&commit(&number.to_string()), at.trim(), number);
    (first..first + BATCH).map(record).collect()
}

fn import(clone: &Path, tip: &str, files: &[(String, String)]) -> Outcome<()> {
    let said = |error: std::io::Error| error.to_string();
    let mut script = String::new();
    for (number, (path, file)) in files.iter().enumerate() {
        let from = match number {
            0 if tip.is_empty() => String::new(),
            0 => format!("from {tip}\n"),
            _ => String::new(),
        };
        script.push_str(&format!(
            "commit refs/batch\ncommitter grace <grace@x> {} +0000\ndata 6\nrecord\n{from}\
             M 100644 inline {path}\ndata {}\n{file}\n",
            1_780_000_000 + number,
            file.len(),
        ));
    }
    let _ = git(clone, &["update-ref", "-d", "refs/batch"]);
    let mut import = git_command(clone);
    import.args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
    let mut child = import.spawn().map_err(said)?;
    child.stdin.take().ok_or("no pipe")?.write_all(script.as_bytes()).map_err(said)?;
    if child.wait().map_err(said)?.success() { Ok(()) } else { Err("fast-import failed".into()) }
}

/// Kills one of the processes that serve a push, again and again, about once in a
/// push: they are the ones that work in the server's folder.
fn kill(server: &Path, over: &AtomicBool, count: &Count) {
    let mut dice: u64 = 1;
    while !over.load(Ordering::Relaxed) {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let lasted = count.lasted.load(Ordering::Relaxed).max(500);
        thread::sleep(Duration::from_millis(lasted / 2 + (dice >> 33) % (2 * lasted)));
        let all = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
        let here =
            |folder: &PathBuf| fs::read_link(folder.join("cwd")).is_ok_and(|at| at == server);
        let serving: Vec<PathBuf> = all.map(|entry| entry.path()).filter(here).collect();
        let chosen = usize::try_from(dice >> 40).unwrap_or(0) % serving.len().max(1);
        let Some(id) = serving.get(chosen).and_then(|folder| folder.file_name()) else { continue };
        if Command::new("kill")
            .arg("-KILL")
            .arg(id)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|done| done.success())
        {
            count.kills.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What an administrator does: packs, collects garbage, and clears the locks
/// that the dead have left.
fn tidy(refgate: &Path, server: &Path, over: &AtomicBool) {
    let mut round = 0_u32;
    while !over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_secs(2));
        round += 1;
        let _ = git(server, &["pack-refs", "--all"]);
        if round.is_multiple_of(10) {
            let _ = git(server, &["gc", "-q"]);
        }
        // The doctor lets a lock be for a minute; here no lock is held for five seconds.
        let mut age = Command::new("find");
        age.arg(server).args(["-name", "*.lock", "-not", "-newermt", "-5 seconds"]);
        let _ = age
            .args(["-exec", "touch", "-d", "1 hour ago", "{}", ";"])
            .stderr(Stdio::null())
            .status();
        let mut doctor = Command::new(refgate);
        doctor.arg("doctor").arg(server).arg("--fix");
        let _ = doctor.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = fs::remove_file(server.join("gc.pid"));
    }
}
