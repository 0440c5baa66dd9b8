//! What does a push cost? Always beside a peer, in one run, as medians and ratios.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use refgate_scenario::git_command;

use crate::stage::{Outcome, git, history, in_turn, programs, run, timed};

const TIMES: usize = 21;

/// Bare repositories that are the same but for their hooks.
struct Peers {
    folder: tempfile::TempDir,
    gitolite: bool,
}

pub(crate) fn gate() -> Outcome<String> {
    let (refgate, hook) = programs()?;
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

fn install(refgate: &Path, server: &Path) -> Outcome<()> {
    let policy = server.with_extension("toml");
    let text = "format = 1\nname = \"bench\"\n[[stage]]\nbranch = \"dev\"\n[[stage]]\n\
        branch = \"main\"\nproduction = true\n[class.bugfix]\nadds = [\"tests/**\"]\n\
        [[freeze]]\nname = \"f\"\nreason = \"r\"\nstages = [\"dev\"]\nafter = \"major-release\"\n\
        lets-through = [\"bugfix\"]\n";
    fs::write(&policy, text).map_err(|error| error.to_string())?;
    let mut command = Command::new(refgate);
    command.arg("install").arg(server).arg("--policy").arg(&policy);
    run(command.args(["--identity", "none"]))?;
    Ok(())
}

/// The same settings as an installation's, without the hook: what is compared
/// is the hook, not `core.fsync`.
fn plain(server: &Path) -> Outcome<()> {
    for (key, value) in [
        ("transfer.fsckObjects", "true"),
        ("receive.fsckObjects", "true"),
        ("core.fsync", "all"),
        ("core.logAllRefUpdates", "always"),
    ] {
        git(server, &["config", key, value])?;
    }
    Ok(())
}

impl Peers {
    fn new(refgate: &Path) -> Outcome<Self> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let seed = folder.path().join("seed");
        git(folder.path(), &["init", "-q", "seed"])?;
        history(&seed, "main", None, 50)?;
        git(&seed, &["branch", "dev", "main"])?;
        let mut peers = Self { folder, gitolite: false };
        for name in ["plain", "refgate", "gitolite"] {
            git(peers.folder.path(), &["clone", "-q", "--bare", "seed", &format!("{name}.git")])?;
            plain(&peers.server(name))?;
        }
        install(refgate, &peers.server("refgate"))?;
        peers.gitolite = peers.install_gitolite()?;
        git(&seed, &["switch", "-q", "dev"])?;
        Ok(peers)
    }

    fn server(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.git"))
    }

    fn seed(&self) -> PathBuf {
        self.folder.path().join("seed")
    }

    /// gitolite's own update hook, with a rule for everybody, if gitolite is on
    /// this machine (`apt-get install gitolite3`).
    fn install_gitolite(&self) -> Outcome<bool> {
        let gitolite = Path::new("/usr/bin/gitolite");
        if !gitolite.exists() {
            return Ok(false);
        }
        let home = self.folder.path().join("home");
        let write = |path: PathBuf, text: &str| -> Outcome<()> {
            fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(|e| e.to_string())?;
            fs::write(path, text).map_err(|error| error.to_string())
        };
        let key = self.folder.path().join("admin");
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
        fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        let mut setup = Command::new(gitolite);
        setup.current_dir(&home).env("HOME", &home).args(["setup", "-pk"]);
        run(setup.arg(key.with_extension("pub")))?;
        let conf = home.join(".gitolite/conf/gitolite.conf");
        let text = fs::read_to_string(&conf).unwrap_or_default();
        write(conf, &format!("{text}\nrepo peer\n    RW+ = @all\n"))?;
        let mut compile = Command::new(gitolite);
        compile.current_dir(&home).env("HOME", &home);
        run(compile.args(["compile"]))?;
        run(Command::new(gitolite).env("HOME", &home).args(["trigger", "POST_COMPILE"]))?;
        let peer = home.join("repositories/peer.git");
        git(&self.seed(), &["push", "-q", &self.server("plain").display().to_string(), "main"])?;
        fs::remove_dir_all(self.server("gitolite")).map_err(|error| error.to_string())?;
        git(
            &home,
            &[
                "-C",
                &peer.display().to_string(),
                "fetch",
                "-q",
                &self.seed().display().to_string(),
                "+refs/heads/*:refs/heads/*",
            ],
        )?;
        plain(&peer)?;
        std::os::unix::fs::symlink(&peer, self.server("gitolite")).map_err(|e| e.to_string())?;
        Ok(true)
    }

    fn push(&self, name: &str, arguments: &[String]) -> Outcome<f64> {
        let mut push = git_command(&self.seed());
        let home = self.folder.path().join("home");
        push.env("GL_USER", "ada").env("GL_REPO", "peer").env("HOME", &home);
        push.env("GL_LIBDIR", "/usr/share/gitolite3/lib").env("GL_BINDIR", "/usr/share/gitolite3");
        push.env("GL_REPO_BASE", home.join("repositories")).env("GL_TID", "1");
        push.args(["push", "-q"]).arg(self.server(name)).args(arguments);
        timed(&mut push)
    }

    /// Commits one after the other; each goes to all servers in turn.
    fn compare(
        &self,
        mut arguments: impl FnMut(usize) -> Outcome<Vec<String>>,
    ) -> Outcome<[f64; 3]> {
        let mut lists = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..TIMES {
            let arguments = arguments(round)?;
            for (name, list) in ["plain", "refgate", "gitolite"].iter().zip(&mut lists) {
                if *name != "gitolite" || self.gitolite {
                    list.push(self.push(name, &arguments)?);
                }
            }
        }
        Ok(lists.map(|mut list| {
            list.sort_by(f64::total_cmp);
            list.get(list.len() / 2).copied().unwrap_or(0.0)
        }))
    }

    fn one_commit(&self) -> Outcome<String> {
        let medians = self.compare(|_| {
            history(&self.seed(), "dev", Some("dev^{commit}"), 1)?;
            Ok(vec!["dev".to_string()])
        })?;
        Ok(self.row("1 ref, 1 commit, small repository", medians))
    }

    fn many_refs(&self) -> Outcome<String> {
        let medians = self.compare(|round| {
            Ok((0..100).map(|n| format!("dev:refs/heads/topic/{round}/{n}")).collect())
        })?;
        Ok(self.row("100 new refs in one push", medians))
    }

    fn row(&self, case: &str, [without, with, gitolite]: [f64; 3]) -> String {
        let extra = with - without;
        let peer = gitolite - without;
        let (peer, ratio) = if self.gitolite {
            (format!("gitolite +{}", ms(peer)), format!("{:.2}", extra / peer))
        } else {
            ("gitolite is not installed".to_string(), "–".to_string())
        };
        format!("| {case} | {} | {} | {} | {peer} | {ratio} |", ms(without), ms(with), ms(extra))
    }
}

pub(crate) fn ms(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1_000.0)
}

/// A bare repository in which the objects of a push lie already: the hook's
/// own time, without that of sending and checking a pack.
pub(crate) fn judged(hook: &Path, server: &Path, line: &str) -> Outcome<Command> {
    let input = server.with_extension("input");
    fs::write(&input, line).map_err(|error| error.to_string())?;
    let mut command = Command::new(hook);
    command.arg("pre-receive").current_dir(server).env("GIT_DIR", server);
    command.stdin(Stdio::from(fs::File::open(input).map_err(|error| error.to_string())?));
    Ok(command)
}

/// What the kernel counted as the most memory of a command, in megabytes.
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
    let medians = in_turn(
        times,
        &mut [
            &mut || {
                let mut log = git_command(&server);
                timed(log.args(["log", "--raw", "--no-renames", &range]).stdout(Stdio::null()))
            },
            &mut || timed(&mut judged(hook, &server, &line)?),
        ],
    )?;
    let memory = peak_memory(&judged(hook, &server, &line)?)?;
    let [log, own] = medians.as_slice() else { return Err("two things were timed".to_string()) };
    Ok(format!(
        "| {count} commits, classes checked against paths ({memory}) | – | – | {} | `git log --raw` {} | {:.2} |",
        ms(*own),
        ms(*log),
        own / log
    ))
}

/// As large as git.git: 75,000 commits, 4,300 references.
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
    let medians = in_turn(
        TIMES,
        &mut [
            &mut || timed(git_command(&server).args(["rev-list", "--count", &range])),
            &mut || timed(&mut judged(hook, &server, &line)?),
        ],
    )?;
    let [count, own] = medians.as_slice() else { return Err("two things were timed".to_string()) };
    let with = if graph { "with" } else { "without" };
    Ok(format!(
        "| 1 commit, 75,000 commits and 4,300 refs, {with} a commit-graph: whole hook | – | {} | – | `git rev-list --count` {} | {:.2} |",
        ms(*own),
        ms(*count),
        own / count
    ))
}

/// The real history as a server, if it lies beside the project.
pub(crate) fn bundle_server() -> Outcome<Option<(tempfile::TempDir, PathBuf)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
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
    let medians = in_turn(
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
    let [log, own] = medians.as_slice() else { return Err("two things were timed".to_string()) };
    Ok(Some(format!(
        "| replay of the real history, three stages | – | – | {} | `git log --first-parent -m --raw` {} | {:.2} |",
        ms(*own),
        ms(*log),
        own / log
    )))
}
