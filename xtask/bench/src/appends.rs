//! Tests that the server loses no accepted record under many writers, kills, `pack-refs` and `gc`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use refgate_scenario::git_command;

use crate::bench_ledger::{LedgerServer, commit};
use crate::stage::{Outcome, build_programs, git, run};

/// The number of writers that push at the same time.
const WRITERS: usize = 8;

/// The number of records in one push. Each record has its own commit.
const BATCH: usize = 500;

/// The number of rejected pushes after which a writer reports an error.
const MOST_TRIES: u32 = 300;

/// The age at which a writer signs its records again. The server accepts a record only within ten
/// minutes after it was signed.
const FRESH: Duration = Duration::from_secs(300);

/// Counters of kills and pushes.
#[derive(Default)]
struct Count {
    kills: AtomicUsize,
    taken: AtomicUsize,
    rejected: AtomicUsize,
    /// The duration of the last accepted push in milliseconds. It grows with the ledger. The waits
    /// between kills and between attempts depend on it.
    lasted: AtomicU64,
}

/// Appends `all` records with [`WRITERS`] writers. Meanwhile, random processes that serve a push
/// are killed, and the repository is packed repeatedly.
pub(crate) fn run_all(all: usize) -> Outcome<String> {
    let (refgate, _) = build_programs()?;
    let shelf = LedgerServer::new(&refgate, ("ed25519", "256"))?;
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
        return Err(format!("{want} records were accepted, and the ledger has {listed}"));
    }
    git(&server, &["fsck", "--strict", "--connectivity-only"])?;
    let mut verify = Command::new(&refgate);
    run(verify.args(["ledger", "verify", "-C"]).arg(&server))?;
    let [kills, taken, rejected] =
        [&count.kills, &count.taken, &count.rejected].map(|one| one.load(Ordering::Relaxed));
    Ok(format!(
        "{want} records by {WRITERS} writers, {BATCH} in each push: {taken} pushes accepted, \
         {rejected} not (races and {kills} kills); no accepted record is lost, all are valid"
    ))
}

fn listed(server: &Path) -> Outcome<usize> {
    let mut list = git_command(server);
    list.args(["ls-tree", "-r", "--name-only", "refs/refgate/ledger"]);
    let output = list.output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().count())
}

/// Runs one writer: it pushes each batch on top of the present ledger until the server accepts it.
fn write(shelf: &LedgerServer, writer: usize, batches: usize, count: &Count) -> Outcome<()> {
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
            // The server may have accepted a push whose answer was lost.
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
            count.rejected.fetch_add(1, Ordering::Relaxed);
            tries += 1;
            // After a lost race, the writer waits. Otherwise eight writers keep two cores busy with
            // pushes that seven of them must repeat.
            let dice = (writer * 733 + batch * 271 + tries as usize * 997) % WRITERS;
            thread::sleep(Duration::from_millis(lasted * dice as u64));
            if tries > MOST_TRIES {
                return Err(String::from_utf8_lossy(&pushed.stderr).into_owned());
            }
        }
    }
    Ok(())
}

/// Signs the records of a batch with the present time.
fn sign(shelf: &LedgerServer, first: usize) -> Outcome<Vec<(String, String)>> {
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

/// Kills a process that serves a push repeatedly, about once in each push. These processes have
/// the server's directory as their working directory.
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

/// Does the work of an administrator: packs refs, collects garbage, and removes stale locks of
/// killed processes.
fn tidy(refgate: &Path, server: &Path, over: &AtomicBool) {
    let mut round = 0_u32;
    while !over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_secs(2));
        round += 1;
        let _ = git(server, &["pack-refs", "--all"]);
        if round.is_multiple_of(10) {
            let _ = git(server, &["gc", "-q"]);
        }
        // `refgate doctor` ignores locks that are younger than a minute. In this test, no lock is
        // held for five seconds, so older ones are backdated.
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
