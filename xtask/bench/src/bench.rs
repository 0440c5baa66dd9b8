//! Measures the cost of a push and of a comparable command in the same run, as medians and ratios.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use refgate_scenario::git_command;

use crate::peers::{Peers, install};
use crate::stage::{Outcome, build_programs, git, history, measure_in_turn, timed};

const TIMES: usize = 21;

pub(crate) fn gate() -> Outcome<String> {
    let (refgate, hook) = build_programs()?;
    let mut rows = vec![
        "| case | without | with refgate | extra | peer | ratio |".to_string(),
        "|---|---|---|---|---|---|".to_string(),
    ];
    let peers = Peers::new(&refgate)?;
    rows.push(peers.one_commit()?);
    rows.push(peers.many_refs()?);
    for count in [10_000, 100_000] {
        rows.push(large_push(&refgate, &hook, count)?);
    }
    for graph in [true, false] {
        rows.push(large_repository(&refgate, &hook, graph)?);
    }
    if let Some(row) = bundle(&refgate)? {
        rows.push(row);
    }
    Ok(rows.join("\n"))
}

pub(crate) fn ms(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1_000.0)
}

/// The command that runs the hook in a bare repository that already contains the objects of the
/// push. Its time does not include the time to send and check a pack.
pub(crate) fn hook_command(hook: &Path, server: &Path, line: &str) -> Outcome<Command> {
    let input = server.with_extension("input");
    fs::write(&input, line).map_err(|error| error.to_string())?;
    let mut command = Command::new(hook);
    command.arg("pre-receive").current_dir(server).env("GIT_DIR", server);
    command.stdin(Stdio::from(fs::File::open(input).map_err(|error| error.to_string())?));
    Ok(command)
}

/// The maximum memory of a command in megabytes, as the kernel reports it.
fn peak_memory(command: &Command) -> Outcome<String> {
    let Some(program) = command.get_program().to_str() else { return Ok("–".to_string()) };
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "%M", program]).args(command.get_args());
    for (key, value) in command.get_envs() {
        if let Some(value) = value {
            timed.env(key, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        timed.current_dir(folder);
        let input = fs::File::open(folder.with_extension("input")).map_err(|e| e.to_string())?;
        timed.stdin(Stdio::from(input));
    }
    let Ok(output) = timed.output() else { return Ok("memory not measured".to_string()) };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let kilobytes: f64 = said.lines().last().and_then(|l| l.trim().parse().ok()).unwrap_or(0.0);
    Ok(format!("{:.0} MB", kilobytes / 1_024.0))
}

fn large_push(refgate: &Path, hook: &Path, count: usize) -> Outcome<String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let server = folder.path().join("server.git");
    git(folder.path(), &["init", "-q", "--bare", "server.git"])?;
    history(&server, "main", None, 400)?;
    git(&server, &["branch", "dev", "main"])?;
    history(&server, "topic", Some("refs/heads/main^{commit}"), count)?;
    install(refgate, &server)?;
    let old = git(&server, &["rev-parse", "dev"])?.trim().to_string();
    let new = git(&server, &["rev-parse", "topic"])?.trim().to_string();
    let line = format!("{old} {new} refs/heads/dev\n");
    let times = if count > 50_000 { 5 } else { TIMES };
    let range = format!("{old}..{new}");
    let medians = measure_in_turn(
        times,
        &mut [
            &mut || {
                let mut log = git_command(&server);
                timed(log.args(["log", "--raw", "--no-renames", &range]).stdout(Stdio::null()))
            },
            &mut || timed(&mut hook_command(hook, &server, &line)?),
        ],
    )?;
    let memory = peak_memory(&hook_command(hook, &server, &line)?)?;
    let [log, own] = medians.as_slice() else { return Err("expected two medians".to_string()) };
    Ok(format!(
        "| {count} commits, classes checked against paths ({memory}) | – | – | {} | `git log --raw` {} | {:.2} |",
        ms(*own),
        ms(*log),
        own / log
    ))
}

/// Measures in a repository of the size of git.git: 75,000 commits, 4,300 refs.
fn large_repository(refgate: &Path, hook: &Path, graph: bool) -> Outcome<String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let server = folder.path().join("server.git");
    git(folder.path(), &["init", "-q", "--bare", "server.git"])?;
    history(&server, "main", None, 75_000)?;
    git(&server, &["branch", "dev", "main"])?;
    history(&server, "topic", Some("refs/heads/main^{commit}"), 1)?;
    let old = git(&server, &["rev-parse", "dev"])?.trim().to_string();
    let packed: String = (0..4_300)
        .map(|n| match n {
            0..900 => format!("{old} refs/tags/v0.{}.{}\n", n / 30, n % 30),
            _ => format!("{old} refs/heads/topic-{n}\n"),
        })
        .collect();
    let mut lines: Vec<&str> = packed.lines().collect();
    lines.sort_by_key(|line| line.split(' ').nth(1).map(ToString::to_string));
    let text = format!("# pack-refs with: peeled fully-peeled sorted \n{}\n", lines.join("\n"));
    git(&server, &["repack", "-q", "-a", "-d"])?;
    fs::write(server.join("packed-refs"), text).map_err(|error| error.to_string())?;
    install(refgate, &server)?;
    if graph {
        git(&server, &["commit-graph", "write", "--reachable"])?;
    }
    let new = git(&server, &["rev-parse", "topic"])?.trim().to_string();
    let line = format!("{old} {new} refs/heads/dev\n");
    let range = format!("{old}..{new}");
    let medians = measure_in_turn(
        TIMES,
        &mut [
            &mut || timed(git_command(&server).args(["rev-list", "--count", &range])),
            &mut || timed(&mut hook_command(hook, &server, &line)?),
        ],
    )?;
    let [count, own] = medians.as_slice() else { return Err("expected two medians".to_string()) };
    let with = if graph { "with" } else { "without" };
    Ok(format!(
        "| 1 commit, 75,000 commits and 4,300 refs, {with} a commit-graph: whole hook | – | {} | – | `git rev-list --count` {} | {:.2} |",
        ms(*own),
        ms(*count),
        own / count
    ))
}

/// A server with the real history, if its bundle exists beside the project.
pub(crate) fn bundle_server() -> Outcome<Option<(tempfile::TempDir, PathBuf)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let bundle = root.join("shared/data/portal-apis.bundle");
    if !bundle.exists() {
        return Ok(None);
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = bundle.display().to_string();
    git(folder.path(), &["clone", "-q", "--mirror", &path, "portal.git"])?;
    let server = folder.path().join("portal.git");
    Ok(Some((folder, server)))
}

fn bundle(refgate: &Path) -> Outcome<Option<String>> {
    let Some((_folder, server)) = bundle_server()? else { return Ok(None) };
    let medians = measure_in_turn(
        TIMES,
        &mut [
            &mut || {
                let mut all = 0.0;
                for stage in ["dev", "stg", "main"] {
                    let mut log = git_command(&server);
                    log.args(["log", "--first-parent", "-m", "--raw", "--no-renames", stage]);
                    all += timed(&mut log)?;
                }
                Ok(all)
            },
            &mut || timed(Command::new(refgate).args(["replay", "--json"]).arg(&server)),
        ],
    )?;
    let [log, own] = medians.as_slice() else { return Err("expected two medians".to_string()) };
    Ok(Some(format!(
        "| replay of the real history, three stages | – | – | {} | `git log --first-parent -m --raw` {} | {:.2} |",
        ms(*own),
        ms(*log),
        own / log
    )))
}
