//! Tests of the page: its content, its actions, and who can read it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use crate::learner::Learner;

/// A page that is served until this value is dropped.
struct Page {
    server: Child,
    port: u16,
    base: String,
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Page {
    fn of(learner: &Learner, arguments: &[&str]) -> Self {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_refgate-sim"));
        serve.current_dir(learner.you()).env("REFGATE_SIM_HOME", learner.path("home"));
        serve.arg("serve").args(arguments).stdout(Stdio::piped());
        let mut server = serve.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let rest = line.trim().strip_prefix("http://127.0.0.1:").unwrap();
        let (port, base) = rest.split_once('/').unwrap();
        Self { server, port: port.parse().unwrap(), base: format!("/{base}") }
    }

    fn connect(&self, method: &str, path: &str, host: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: \
             close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    /// Sends a request, and returns the whole response.
    fn request(&self, method: &str, path: &str, host: &str) -> String {
        let mut answer = Vec::new();
        self.connect(method, path, host).read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn own_host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn get(&self, verb: &str) -> String {
        self.request("GET", &format!("{}{verb}", self.base), &self.own_host())
    }

    fn post(&self, verb: &str) -> String {
        self.request("POST", &format!("{}{verb}", self.base), &self.own_host())
    }
}

#[test]
fn shows_the_world_and_advances_it() {
    let learner = Learner::new("");
    learner.start("freeze-day-12");
    learner.does(0, "git switch -q dev && git merge -q --no-ff --no-edit origin/feature/search");
    learner.does(1, "git push -q origin dev");
    let page = Page::of(&learner, &[]);
    let shown = page.get("");
    for part in [
        "HTTP/1.1 200",
        "default-src 'none'",
        "Day 12 of a code freeze",
        "reject dev by ada (freeze)",
        "rejected by freeze",
        "dev lacks &quot;docs: how to search&quot;",
        "<svg role=\"img\"",
        "on other branches: feat: search (ada)",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    // A listener gets an event after each change.
    let path = format!("{}events", page.base);
    let mut events = BufReader::new(page.connect("GET", &path, &page.own_host()));
    let mut line = String::new();
    while !line.starts_with("\r\n") {
        line.clear();
        events.read_line(&mut line).unwrap();
    }
    assert!(page.post("tick").contains("HTTP/1.1 303"));
    line.clear();
    events.read_line(&mut line).unwrap();
    assert_eq!(line, "data: changed\n");
    assert!(learner.does(0, "refgate-sim clock").contains("1 day after"));
    assert!(page.post("undo").contains("HTTP/1.1 303"));
    assert!(!learner.does(0, "refgate-sim clock").contains("1 day after"));
    assert!(page.post("hint").contains("The rule freeze rejected your last push"));
}

#[test]
fn answers_only_requests_with_host_and_token() {
    let learner = Learner::new("");
    learner.start("first-change");
    let page = Page::of(&learner, &[]);
    let (base, own) = (page.base.clone(), page.own_host());
    // Another name of this machine (DNS rebinding), no token, a wrong token.
    assert!(page.request("GET", &base, "evil.example").contains("HTTP/1.1 421"));
    assert!(page.request("POST", &format!("{base}tick"), "evil.example").contains("HTTP/1.1 421"));
    assert!(page.request("GET", "/", &own).contains("HTTP/1.1 404"));
    let other = base.replace(|c: char| c.is_ascii_hexdigit(), "0");
    assert!(page.request("POST", &format!("{other}tick"), &own).contains("HTTP/1.1 404"));
    // A body length beyond the memory does not stop the server.
    for length in ["99999999999", "18446744073709551615"] {
        let mut stream = TcpStream::connect(("127.0.0.1", page.port)).unwrap();
        let head = format!("POST / HTTP/1.1\r\nHost: {own}\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
    }
    assert!(page.post("format").contains("HTTP/1.1 404"));
    assert!(learner.does(0, "refgate-sim clock").ends_with("UTC"));
    // Markup in a commit title is shown as text.
    learner.does(0, "git switch -q dev && echo a >> docs/guide.md");
    learner
        .does(0, "git commit -q -a -m 'docs: <script>alert(1)</script>' && git push -q origin dev");
    let shown = page.get("");
    assert!(
        shown.contains("&lt;script&gt;alert(1)") && !shown.contains("<script>alert"),
        "{shown}"
    );
}

#[test]
fn shows_a_real_repository_read_only() {
    let learner = Learner::new("");
    learner.start("first-change");
    let page = Page::of(&learner, &["--repo", "../server.git"]);
    let shown = page.get("");
    assert!(shown.contains("on dev: start (somebody)") && !shown.contains("<form"), "{shown}");
    assert!(page.post("tick").contains("HTTP/1.1 403"));
    // In a clone, the page shows the remote-tracking branches.
    let page = Page::of(&learner, &["--repo", "."]);
    let shown = page.get("");
    assert!(shown.contains("start (somebody); refs: stg, main, dev<"), "{shown}");
    for (repository, why) in [("nowhere", "`nowhere`: No such file"), ("empty", "is a stage")] {
        let line = format!("git init -q empty; refgate-sim serve --repo {repository}");
        let said = learner.does(3, &line);
        assert!(said.contains(why), "{said}");
    }
}
