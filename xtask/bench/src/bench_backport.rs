//! Measures the cost of `git backport` and of comparable Git commands.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use refgate_scenario::git_command;

use crate::bench::ms;
use crate::stage::{Outcome, git, run, timed};

/// The number of measurements of each case.
const TIMES: usize = 21;

/// The number of cherry-picks of the synthetic case. Each changes its own file.
const PICKS: usize = 50;

/// The release lines of the synthetic case.
const LINES: [&str; 3] = ["release/1.0", "release/1.1", "release/1.2"];

/// Measures in the repository of the argument, if there is one, and in a synthetic repository.
pub(crate) fn backport(repository: Option<&str>) -> Outcome<String> {
    let program = build_program("refgate-backport")?;
    let mut rows =
        vec!["| case | own | peer | ratio |".to_string(), "|---|---|---|---|".to_string()];
    if let Some(path) = repository {
        rows.extend(real(&program, Path::new(path))?);
    }
    rows.extend(measure_synthetic(&program)?);
    Ok(rows.join("\n"))
}

/// Builds a package in release mode and returns the path of its program.
pub(crate) fn build_program(package: &str) -> Outcome<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut build = Command::new("cargo");
    build.current_dir(&root).args(["build", "--release", "--quiet", "-p", package]);
    run(&mut build)?;
    let target =
        std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), PathBuf::from);
    let folder = fs::canonicalize(target.join("release")).map_err(|error| error.to_string())?;
    let name = if package == "refgate-backport" { "git-backport" } else { package };
    Ok(folder.join(name))
}

pub(crate) fn median(times: usize, mut once: impl FnMut() -> Outcome<f64>) -> Outcome<f64> {
    let mut all = Vec::new();
    for _ in 0..times {
        all.push(once()?);
    }
    all.sort_by(f64::total_cmp);
    Ok(all.get(all.len() / 2).copied().unwrap_or(0.0))
}

fn row(case: &str, own: f64, (name, peer): (&str, f64)) -> String {
    format!("| {case} | {} | {name} {} | {:.2} |", ms(own), ms(peer), own / peer)
}

fn backport_command(program: &Path, repository: &Path, arguments: &[&str]) -> Command {
    let mut backport_command = Command::new(program);
    backport_command.arg("-C").arg(repository).args(arguments);
    backport_command.stdout(Stdio::null()).stderr(Stdio::null());
    backport_command
}

/// Measures all fixes of all branches in a clone of a repository.
fn real(program: &Path, repository: &Path) -> Outcome<Vec<String>> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let clone = folder.path().join("clone.git");
    let (from, to) = (repository.display().to_string(), clone.display().to_string());
    git(folder.path(), &["clone", "-q", "--bare", "--shared", &from, &to])?;
    let name = repository.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let log = median(3, || {
        let mut log = git_command(&clone);
        log.args(["log", "--branches", "--format=%H %an %at %s%n%b"]);
        timed(log.stdout(Stdio::null()))
    })?;
    let cold = median(3, || {
        let _ = fs::remove_dir_all(clone.join("refgate"));
        timed(&mut backport_command(program, &clone, &["status"]))
    })?;
    let warm = median(TIMES, || timed(&mut backport_command(program, &clone, &["status"])))?;
    let peer = ("`git log --branches`", log);
    let mut rows = vec![
        row(&format!("{name}: `status` of all fixes, cold"), cold, peer),
        row(&format!("{name}: the same, warm"), warm, peer),
    ];
    rows.extend(measure_one_fix(program, &clone, &name)?);
    Ok(rows)
}

/// Measures one fix of the newest line on ten lines, and `git cherry` of this commit on each line.
fn measure_one_fix(program: &Path, clone: &Path, name: &str) -> Outcome<Vec<String>> {
    let listed = ["for-each-ref", "--sort=-version:refname", "--format=%(refname:short)"];
    let all = git(clone, &[&listed[..], &["refs/heads/*[0-9]*"]].concat())?;
    let lines: Vec<&str> = all.lines().take(10).collect();
    let newest = lines.first().copied().ok_or("cannot find a release line")?;
    let fix = git(clone, &["log", "-1", "--no-merges", "--skip=100", "--format=%H", newest])?;
    let fix = fix.trim();
    let chosen: Vec<String> = lines.iter().map(|line| format!("--line={line}")).collect();
    let chosen: Vec<&str> = chosen.iter().map(String::as_str).collect();
    let asked = [&["status", fix], &*chosen].concat();
    let one = median(TIMES, || timed(&mut backport_command(program, clone, &asked)))?;
    let before = format!("{fix}^");
    let cherry = median(3, || {
        lines.iter().try_fold(0.0, |sum, line| {
            let mut cherry = git_command(clone);
            cherry.args(["cherry", line, fix, &before]).stdout(Stdio::null());
            Ok::<f64, String>(sum + timed(&mut cherry)?)
        })
    })?;
    let (count, peer) = (lines.len(), ("`git cherry` of it on each", cherry));
    let status = row(&format!("{name}: `status` of one fix, {count} lines, warm"), one, peer);
    let mut rows = vec![status];
    let candidates = git(clone, &["log", "--no-merges", "--max-count=300", "--format=%H", "HEAD"])?;
    let clean = candidates.lines().find(|fix| conflicts(clone, fix, &lines) == 0);
    for fix in clean.into_iter().chain([fix]) {
        let wanted: Vec<&str> = lines.iter().flat_map(|line| ["--to", line]).collect();
        let asked = [&["plan", fix], &*chosen, &wanted].concat();
        // A forecast with a conflict has the exit code 1, as `git merge-tree` has.
        let plan = median(TIMES, || took(&mut backport_command(program, clone, &asked)))?;
        let merges = median(TIMES, || {
            let each = lines.iter().map(|line| took(&mut merge_tree(clone, fix, line)));
            each.sum::<Outcome<f64>>()
        })?;
        let peer = ("`git merge-tree` of it on each", merges);
        let open = conflicts(clone, fix, &lines);
        let what = format!("{name}: `plan` for {count} targets, {open} of which conflict");
        rows.push(row(&what, plan, peer));
    }
    Ok(rows)
}

fn merge_tree(clone: &Path, fix: &str, line: &str) -> Command {
    let mut merge = git_command(clone);
    let base = format!("{fix}^");
    merge.args(["merge-tree", "--write-tree", "--merge-base", &base, line, fix]);
    merge.stdout(Stdio::null()).stderr(Stdio::null());
    merge
}

/// The number of lines on which a fix conflicts.
fn conflicts(clone: &Path, fix: &str, lines: &[&str]) -> usize {
    let clean = |line: &&&str| merge_tree(clone, fix, line).status().is_ok_and(|s| s.success());
    lines.len() - lines.iter().filter(clean).count()
}

/// The duration of a command in seconds. Its exit code is ignored.
fn took(command: &mut Command) -> Outcome<f64> {
    let start = Instant::now();
    command.stderr(Stdio::null()).status().map_err(|error| error.to_string())?;
    Ok(start.elapsed().as_secs_f64())
}

fn measure_synthetic(program: &Path) -> Outcome<Vec<String>> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let repository = folder.path().join("many");
    git(folder.path(), &["init", "-q", "many"])?;
    history(&repository)?;
    let list = git(&repository, &["rev-list", "--reverse", "release/1.0..main"])?;
    let fixes: Vec<&str> = list.lines().collect();
    let fix = fixes.last().copied().ok_or("cannot find a commit on `main`")?;
    let one =
        median(TIMES, || timed(&mut backport_command(program, &repository, &["status", fix])))?;
    let cherry = median(TIMES, || {
        LINES.iter().try_fold(0.0, |sum, line| {
            let mut cherry = git_command(&repository);
            cherry.args(["cherry", line, "main"]).stdout(Stdio::null());
            Ok::<f64, String>(sum + timed(&mut cherry)?)
        })
    })?;
    let plan =
        median(TIMES, || timed(&mut backport_command(program, &repository, &["plan", fix])))?;
    let merges = median(TIMES, || {
        LINES.iter().try_fold(0.0, |sum, line| {
            let mut merge = git_command(&repository);
            let base = format!("--merge-base={fix}^");
            merge.args(["merge-tree", "--write-tree", &base, line, fix]);
            Ok::<f64, String>(sum + timed(merge.stdout(Stdio::null()))?)
        })
    })?;
    let apply = median(5, || {
        let took =
            timed(&mut backport_command(program, &repository, &[&["apply"], &fixes[..]].concat()))?;
        run(&mut backport_command(program, &repository, &["undo"]))?;
        Ok(took)
    })?;
    let tree = folder.path().join("tree");
    let picks = median(5, || {
        LINES.iter().try_fold(0.0, |sum, line| {
            let shown = tree.display().to_string();
            let mut add = git_command(&repository);
            let mut took = timed(add.args(["worktree", "add", "-q", "--detach", &shown, line]))?;
            for fix in &fixes {
                let mut pick = git_command(&tree);
                for role in ["AUTHOR", "COMMITTER"] {
                    pick.env(format!("GIT_{role}_NAME"), "ada");
                    pick.env(format!("GIT_{role}_EMAIL"), "ada@x");
                }
                took += timed(pick.args(["cherry-pick", "-x", fix]).stdout(Stdio::null()))?;
            }
            git(&repository, &["worktree", "remove", "--force", &shown])?;
            Ok::<f64, String>(sum + took)
        })
    })?;
    Ok(vec![
        row(
            "`status` of one fix, 3 lines, 50 commits ahead",
            one,
            ("`git cherry` of each", cherry),
        ),
        row("`plan` of one fix, 3 lines", plan, ("`git merge-tree` of each", merges)),
        row(
            &format!("`apply` of {PICKS} picks to 3 lines"),
            apply,
            ("`git worktree add`, `git cherry-pick -x`", picks),
        ),
    ])
}

/// Makes three lines that begin at a commit with fifty files. Each later commit on `main` changes
/// one file.
fn history(repository: &Path) -> Outcome<()> {
    let said = |error: std::io::Error| error.to_string();
    let mut script = String::from("commit refs/heads/main\n");
    let who = |at: usize| format!("committer ada <ada@x> {} +0000\n", 1_780_000_000 + at);
    script.push_str(&format!("{}data 5\nstart\n", who(0)));
    for number in 0..PICKS {
        script.push_str(&format!("M 100644 inline dir{}/f{number}\ndata 2\na\n\n", number % 7));
    }
    for number in 0..PICKS {
        let message = format!("fix: number {number}");
        let head = format!("commit refs/heads/main\n{}data {}\n", who(number + 1), message.len());
        let file = format!("M 100644 inline dir{}/f{number}\ndata 2\nb\n\n", number % 7);
        script.push_str(&format!("{head}{message}\n{file}"));
    }
    let mut import = git_command(repository);
    let mut child =
        import.args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().map_err(said)?;
    child.stdin.take().ok_or("no pipe")?.write_all(script.as_bytes()).map_err(said)?;
    if !child.wait().map_err(said)?.success() {
        return Err("git fast-import failed".to_string());
    }
    for line in LINES {
        git(repository, &["branch", line, &format!("main~{PICKS}")])?;
    }
    git(repository, &["reset", "-q", "--hard", "main"]).map(|_| ())
}
