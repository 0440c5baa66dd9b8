//! Measures the cost of a push without a hook, with refgate's hook and with gitolite's hook.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use refgate_scenario::git_command;

use crate::bench::ms;
use crate::stage::{Outcome, git, history, run, timed};

/// The number of pushes to each server. It is a multiple of the number of servers.
const ROUNDS: usize = 39;

/// Bare repositories that differ only in their hooks.
pub(crate) struct Peers {
    folder: tempfile::TempDir,
    gitolite: bool,
}

pub(crate) fn install(refgate: &Path, server: &Path) -> Outcome<()> {
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

/// Makes the same settings as `refgate install`, without the hook, so that the comparison shows the
/// cost of the hook and not of `core.fsync`.
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
    pub(crate) fn new(refgate: &Path) -> Outcome<Self> {
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

    /// Installs gitolite's update hook, with a rule for all users, if gitolite exists on this
    /// machine (`apt-get install gitolite3`). Returns whether it does.
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

    /// Pushes to each server in each round. Returns three medians: the time without a hook, the
    /// extra time of refgate and the extra time of gitolite.
    fn compare(
        &self,
        mut arguments: impl FnMut(usize) -> Outcome<Vec<String>>,
    ) -> Outcome<[f64; 3]> {
        // The first push of a round reads objects that the later pushes find in the cache. So each
        // server is first in every third round, and the differences within a round are compared.
        let names = ["plain", "refgate", "gitolite"];
        let mut lists = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            let arguments = arguments(round)?;
            let mut took = [0.0; 3];
            for turn in 0..names.len() {
                let place = (round + turn) % names.len();
                if let (Some(name), Some(slot)) = (names.get(place), took.get_mut(place))
                    && (*name != "gitolite" || self.gitolite)
                {
                    *slot = self.push(name, &arguments)?;
                }
            }
            let [plain, refgate, gitolite] = took;
            for (list, one) in lists.iter_mut().zip([plain, refgate - plain, gitolite - plain]) {
                list.push(one);
            }
        }
        Ok(lists.map(|mut list| {
            list.sort_by(f64::total_cmp);
            list.get(list.len() / 2).copied().unwrap_or(0.0)
        }))
    }

    pub(crate) fn one_commit(&self) -> Outcome<String> {
        let medians = self.compare(|_| {
            history(&self.seed(), "dev", Some("dev^{commit}"), 1)?;
            Ok(vec!["dev".to_string()])
        })?;
        Ok(self.row("1 ref, 1 commit, small repository", medians))
    }

    pub(crate) fn many_refs(&self) -> Outcome<String> {
        let medians = self.compare(|round| {
            Ok((0..100).map(|n| format!("dev:refs/heads/topic/{round}/{n}")).collect())
        })?;
        Ok(self.row("100 new refs in one push", medians))
    }

    fn row(&self, case: &str, [without, extra, peer]: [f64; 3]) -> String {
        let with = without + extra;
        let (peer, ratio) = if self.gitolite {
            (format!("gitolite +{}", ms(peer)), format!("{:.2}", extra / peer))
        } else {
            ("gitolite is not installed".to_string(), "–".to_string())
        };
        format!("| {case} | {} | {} | {} | {peer} | {ratio} |", ms(without), ms(with), ms(extra))
    }
}
