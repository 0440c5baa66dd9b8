//! Tests the hook on real servers: sshd, smart HTTP and gitolite.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../support/keys.rs"]
mod keys;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use refgate_format::{Identity, Limits, PolicySource, Settings};
use refgate_gate::{InstallPlan, install};
use refgate_scenario::git_command;
use tempfile::TempDir;

use keys::key;

/// A process that is killed when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(port: u16) {
    for _ in 0..100 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "no server on {port}");
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut git = git_command(folder);
    for key in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{key}_NAME"), "ada").env(format!("GIT_{key}_EMAIL"), "ada@x");
    }
    run(git.args(arguments))
}

/// Creates a repository whose stages all point to one commit.
fn create_clone(folder: &Path) -> PathBuf {
    let clone = folder.join("clone");
    git(folder, &["init", "-q", "clone"]);
    fs::create_dir_all(clone.join("src")).unwrap();
    fs::write(clone.join("src/app.rs"), "a\n").unwrap();
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-q", "-m", "start"]);
    git(&clone, &["branch", "dev"]);
    git(&clone, &["branch", "stg"]);
    clone
}

fn install_hook(server: &Path, identity: Identity) {
    // These tests are about the identity of the pusher. A certificate would need a ledger.
    let portal = refgate_gate::builtin("portal").unwrap();
    let policy = portal.replace("course = \"operator\"\n", "");
    let settings = Settings {
        policy: PolicySource::File("policy.toml".to_string()),
        identity,
        baseline: None,
        limits: Limits::default(),
        guard: refgate_format::Guard::Portable,
        name: String::new(),
        control: None,
        installed_in: String::new(),
        governs: Default::default(),
    };
    let program = PathBuf::from(env!("CARGO_BIN_EXE_refgate-hook"));
    let files = [("policy.toml".to_string(), policy)].into();
    install(&InstallPlan {
        repository: server.to_path_buf(),
        program,
        settings,
        files,
        proc_refs: Vec::new(),
    })
    .unwrap();
}

/// Creates a bare server, pushes the stages of a clone to it, and installs the hook.
fn server(folder: &Path, clone: &Path, identity: Identity) -> PathBuf {
    let server = folder.join("server.git");
    git(folder, &["init", "-q", "--bare", "server.git"]);
    git(clone, &["push", "-q", server.to_str().unwrap(), "main", "dev", "stg"]);
    install_hook(&server, identity);
    server
}

/// Asserts that a bug fix is accepted, that a hotfix is accepted only from a permitted
/// pusher of production, and that a false identity of the pusher changes nothing.
fn assert_pushes_are_judged(clone: &Path, push: &dyn Fn(&str, &str) -> (bool, String)) {
    let commit = |message: &str| {
        fs::write(clone.join("src/app.rs"), message).unwrap();
        git(clone, &["commit", "-q", "-a", "-m", message]);
    };
    git(clone, &["switch", "-q", "dev"]);
    commit("fix: rounding");
    let (ok, said) = push("ada", "dev");
    assert!(ok, "{said}");
    git(clone, &["switch", "-q", "main"]);
    commit("hotfix: crash");
    let (ok, said) = push("ada", "main");
    assert!(!ok && said.contains("[pusher] `ada` is not allowed to push here"), "{said}");
    let (ok, said) = push("grace", "main");
    assert!(ok, "{said}");
    git(clone, &["switch", "-q", "stg"]);
    commit("feat: past dev");
    let (ok, said) = push("grace", "stg");
    assert!(!ok && said.contains("[backport]"), "{said}");
}

fn push_outcome(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Starts sshd on the loopback interface. Each key has a forced command that names its owner.
fn sshd(folder: &Path, forced: &dyn Fn(&str) -> String) -> (Running, u16) {
    let port = free_port();
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(folder.join("host")));
    let mut keys = String::new();
    for who in ["ada", "grace"] {
        keys.push_str(&format!("restrict,command=\"{}\" {}\n", forced(who), key(folder, who)));
    }
    let authorized = folder.join("authorized_keys");
    fs::write(&authorized, keys).unwrap();
    fs::set_permissions(&authorized, fs::Permissions::from_mode(0o600)).unwrap();
    let config = folder.join("sshd_config");
    let text = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {0}/host\nAuthorizedKeysFile {0}/authorized_keys\n\
         StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nUsePAM no\nPidFile none\n\
         MaxStartups 500:30:1000\n",
        folder.display()
    );
    fs::write(&config, text).unwrap();
    fs::create_dir_all("/run/sshd").unwrap();
    let child = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f"])
        .arg(&config)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    wait_for(port);
    (running, port)
}

fn ssh_push(clone: &Path, folder: &Path, url: &str, who: &str, branch: &str) -> (bool, String) {
    let ssh = format!(
        "ssh -i {}/{who} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
         -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
        folder.display()
    );
    let mut push = git_command(clone);
    // Variables that the pusher sets must not count.
    push.env("GIT_SSH_COMMAND", ssh).env("REFGATE_USER", "grace").env("GL_USER", "grace");
    push_outcome(push.args(["push", url, branch]))
}

#[test]
fn identifies_the_pusher_over_sshd() {
    let folder = TempDir::new().unwrap();
    let clone = create_clone(folder.path());
    let server = server(folder.path(), &clone, Identity::SshKey);
    let forced =
        |who: &str| format!("env REFGATE_USER={who} git-shell -c \\\"$SSH_ORIGINAL_COMMAND\\\"");
    let (_sshd, port) = sshd(folder.path(), &forced);
    let user = run(&mut Command::new("whoami"));
    let url = format!("ssh://{user}@127.0.0.1:{port}{}", server.display());
    assert_pushes_are_judged(&clone, &|who, branch| {
        ssh_push(&clone, folder.path(), &url, who, branch)
    });
}

#[test]
fn identifies_the_pusher_over_smart_http() {
    let folder = TempDir::new().unwrap();
    let clone = create_clone(folder.path());
    let server = server(folder.path(), &clone, Identity::Http);
    git(&server, &["config", "http.receivepack", "true"]);
    let port = free_port();
    let backend =
        format!("{}/git-http-backend", run(git_command(folder.path()).arg("--exec-path")));
    fs::write(folder.path().join("people"), "ada:x\ngrace:x\n").unwrap();
    let config = format!(
        "server.modules = (\"mod_auth\", \"mod_authn_file\", \"mod_setenv\", \"mod_alias\", \"mod_cgi\")\n\
         server.document-root = \"{0}\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
         alias.url = (\"/git\" => \"{backend}\")\ncgi.assign = (\"\" => \"\")\n\
         setenv.set-environment = (\"GIT_PROJECT_ROOT\" => \"{0}\", \"GIT_HTTP_EXPORT_ALL\" => \"1\")\n\
         auth.backend = \"plain\"\nauth.backend.plain.userfile = \"{0}/people\"\n\
         auth.require = (\"/git\" => (\"method\" => \"basic\", \"realm\" => \"git\", \"require\" => \"valid-user\"))\n",
        folder.path().display()
    );
    let path = folder.path().join("lighttpd.conf");
    fs::write(&path, config).unwrap();
    let child = Command::new("/usr/sbin/lighttpd").arg("-D").arg("-f").arg(&path).spawn().unwrap();
    let _server = Running(child);
    wait_for(port);
    assert_pushes_are_judged(&clone, &|who, branch| {
        let url = format!("http://{who}:x@127.0.0.1:{port}/git/server.git");
        let mut push = git_command(&clone);
        push.env("REMOTE_USER", "grace");
        push_outcome(push.args(["push", &url, branch]))
    });
}

#[test]
fn identifies_the_pusher_through_gitolite() {
    let folder = TempDir::new().unwrap();
    let clone = create_clone(folder.path());
    let home = folder.path().join("home");
    fs::create_dir_all(&home).unwrap();
    let gitolite = "/usr/bin/gitolite";
    let forced = |who: &str| {
        format!("env HOME={} /usr/share/gitolite3/gitolite-shell {who}", home.display())
    };
    let (_sshd, port) = sshd(folder.path(), &forced);
    // The name of the key file is the name of the gitolite administrator.
    let admin = folder.path().join("grace.pub");
    run(Command::new(gitolite)
        .current_dir(&home)
        .env("HOME", &home)
        .args(["setup", "-pk"])
        .arg(&admin));
    let conf = home.join(".gitolite/conf/gitolite.conf");
    let text = fs::read_to_string(&conf).unwrap();
    fs::write(&conf, format!("{text}\nrepo project\n    RW+ = ada grace\n")).unwrap();
    for arguments in [&["compile"][..], &["trigger", "POST_COMPILE"]] {
        run(Command::new(gitolite).current_dir(&home).env("HOME", &home).args(arguments));
    }
    let user = run(&mut Command::new("whoami"));
    let url = format!("ssh://{user}@127.0.0.1:{port}/project");
    for branch in ["main", "dev", "stg"] {
        let (ok, said) = ssh_push(&clone, folder.path(), &url, "grace", branch);
        assert!(ok, "{said}");
    }
    let server = home.join("repositories/project.git");
    let update = fs::read_link(server.join("hooks/update")).unwrap();
    install_hook(&server, Identity::Gitolite);
    assert_eq!(
        fs::read_link(server.join("hooks/update")).unwrap(),
        update,
        "the hook of gitolite must not change"
    );
    assert_pushes_are_judged(&clone, &|who, branch| {
        ssh_push(&clone, folder.path(), &url, who, branch)
    });
}

#[test]
fn works_with_alternates_and_worktrees() {
    let folder = TempDir::new().unwrap();
    let clone = create_clone(folder.path());
    // The server takes its objects from another repository through alternates.
    git(folder.path(), &["clone", "-q", "--bare", "clone", "store.git"]);
    git(folder.path(), &["clone", "-q", "--bare", "--shared", "store.git", "server.git"]);
    let server = folder.path().join("server.git");
    git(&server, &["worktree", "add", "-q", "--detach", "../tree", "dev"]);
    install_hook(&folder.path().join("tree"), Identity::Gitolite);
    let url = server.display().to_string();
    assert_pushes_are_judged(&clone, &|who, branch| {
        let mut push = git_command(&clone);
        push_outcome(push.env("GL_USER", who).args(["push", &url, branch]))
    });
}

#[test]
fn names_an_unsupported_repository_format() {
    for (arguments, name) in
        [("--object-format=sha256", "sha256"), ("--ref-format=reftable", "reftable")]
    {
        let folder = TempDir::new().unwrap();
        git(folder.path(), &["init", "-q", "--bare", arguments, "server.git"]);
        git(folder.path(), &["init", "-q", &arguments.replace("reftable", "files"), "clone"]);
        let server = folder.path().join("server.git");
        // The test copies the hook, because `install` fails for such a repository.
        fs::create_dir_all(server.join("hooks")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_refgate-hook"), server.join("hooks/pre-receive")).unwrap();
        let clone = folder.path().join("clone");
        git(&clone, &["commit", "-q", "--allow-empty", "-m", "docs: a"]);
        let mut push = git_command(&clone);
        let (ok, said) =
            push_outcome(push.args(["push", server.to_str().unwrap(), "HEAD:refs/heads/dev"]));
        assert!(!ok && said.contains(name) && said.contains("is not supported"), "{said}");
    }
}
