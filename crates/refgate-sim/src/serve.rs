//! Serves the page on this machine. Never answers a request without the token.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use refgate_core::Policy;
use refgate_gate::{Exit, builtin, horizon, policy_from_text};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::command::{lesson, time};
use crate::journal;
use crate::output::{Failure, VerbResult, done, say, tell};
use crate::page::page;
use crate::user_paths::{absolute_path, read_text};
use crate::view::View;
use crate::world::{World, failed};

/// The size of the largest accepted request body. The forms of the page are smaller.
const MOST_BODY: usize = 4_096;

/// What the page shows.
enum PageState {
    /// A training world, which the page can change.
    World(PathBuf),
    /// A real repository, read-only.
    Repository(PathBuf, Box<Policy>),
}

struct Site {
    shown: PageState,
    /// The path of the page. It contains the token.
    base: String,
    /// The accepted values of `Host`, as a protection against DNS rebinding.
    hosts: [String; 2],
}

/// Serves the page until the process is stopped.
pub(crate) fn run(at: &Path, repository: Option<&Path>, policy: &str, port: u16) -> VerbResult {
    let shown = match repository {
        None => PageState::World(World::find(at)?.root),
        Some(path) => {
            let text = match builtin(policy) {
                Some(text) => text.to_string(),
                None => read_text(Path::new(policy))?,
            };
            let read = policy_from_text(&text, policy, horizon(chrono::Utc::now()), |_| None);
            let read = read.map_err(|error| Failure::new(Exit::BadPolicy, error.full_message()))?;
            let path = absolute_path(path)?;
            // An error is reported here in the terminal, before a browser asks.
            View::of_repository(&path, &read, chrono::Utc::now())?;
            PageState::Repository(path, Box::new(read))
        }
    };
    let server = Server::http(("127.0.0.1", port))
        .map_err(|error| Failure::new(Exit::BadInput, format!("cannot serve: {error}")))?;
    let port = server.server_addr().to_ip().map_or(port, |address| address.port());
    let base = format!("/{}", random_token()?);
    let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    say(&format!("http://127.0.0.1:{port}{base}/"));
    let site = Site { shown, base, hosts };
    for request in server.incoming_requests() {
        if request.body_length().is_some_and(|length| length > MOST_BODY) {
            // When a request is dropped, the library reads the rest of its body into
            // memory. This request is therefore never dropped.
            std::mem::forget(request);
            continue;
        }
        // A client that has disconnected must not stop the server.
        if let Err(failure) = site.answer(request) {
            tell(&format!("refgate-sim serve: {}", failure.message));
        }
    }
    Ok(done(Exit::Accepted))
}

/// A random token of 128 bits, in hexadecimal digits.
fn random_token() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Site {
    fn answer(&self, request: Request) -> Result<(), Failure> {
        let host = request.headers().iter().find(|header| header.field.equiv("Host"));
        let host = host.map(|header| header.value.as_str().to_string()).unwrap_or_default();
        if !self.hosts.contains(&host) {
            return send_text(request, 421, "use the address 127.0.0.1 or localhost\n");
        }
        let path = request.url().strip_prefix(self.base.as_str()).map(ToString::to_string);
        let Some(path) = path else {
            return send_text(
                request,
                404,
                "the address has no token; copy it from the terminal\n",
            );
        };
        match (request.method(), path.as_str()) {
            (Method::Get, "/" | "") => self.shown(request, None),
            (Method::Get, "/events") => {
                let watched_files = self.watched_files();
                std::thread::spawn(move || stream_changes(request, &watched_files));
                Ok(())
            }
            (Method::Post, verb) => self.act(request, verb.trim_start_matches('/')),
            _ => send_text(request, 404, "there is no such page\n"),
        }
    }

    fn act(&self, request: Request, verb: &str) -> Result<(), Failure> {
        let PageState::World(root) = &self.shown else {
            return send_text(request, 403, "a real repository is read-only\n");
        };
        let acted = match verb {
            "tick" => time::tick(root, "1d").map(|_| None),
            "undo" => time::undo(root, 1).map(|_| None),
            "hint" => {
                World::find(root).and_then(|mut world| lesson::next_hint(&mut world)).map(Some)
            }
            _ => return send_text(request, 404, "there is no such action\n"),
        };
        match acted {
            Ok(None) => {
                let back = Header::from_bytes("Location", format!("{}/", self.base));
                let response =
                    Response::empty(303).with_header(back.map_err(|()| failed("bad header"))?);
                Ok(request.respond(response)?)
            }
            Ok(hint) => self.shown(request, hint.as_deref()),
            Err(failure) => self.shown(request, Some(&failure.message)),
        }
    }

    fn shown(&self, request: Request, hint: Option<&str>) -> Result<(), Failure> {
        let view = match &self.shown {
            PageState::World(root) => World::find(root).and_then(|world| View::of(&world)),
            PageState::Repository(path, policy) => {
                View::of_repository(path, policy, chrono::Utc::now())
            }
        };
        let view = match view {
            Ok(view) => view,
            Err(failure) => return send_text(request, 500, &failure.message),
        };
        let nonce = random_token()?;
        let acts = matches!(self.shown, PageState::World(_));
        let text = page(&view, &self.base, &nonce, acts, hint);
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        let mut response = Response::from_string(text);
        for (key, value) in [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", &policy),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ] {
            let header = Header::from_bytes(key, value).map_err(|()| failed("bad header"))?;
            response.add_header(header);
        }
        Ok(request.respond(response)?)
    }

    /// The files of which at least one changes with every change.
    fn watched_files(&self) -> Vec<PathBuf> {
        match &self.shown {
            PageState::World(root) => journal::watched_files(root),
            PageState::Repository(path, _) => {
                ["HEAD", "FETCH_HEAD", "packed-refs", "refs/heads", "logs/HEAD"]
                    .iter()
                    .flat_map(|name| [path.join(name), path.join(".git").join(name)])
                    .collect()
            }
        }
    }
}

fn send_text(request: Request, status: u16, text: &str) -> Result<(), Failure> {
    Ok(request.respond(Response::from_string(text).with_status_code(status))?)
}

/// Sends an event after each change (server-sent events), until the client
/// disconnects.
fn stream_changes(request: Request, watched_files: &[PathBuf]) {
    let mut to = request.into_writer();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\
                Connection: close\r\n\r\n";
    let mut tell = |text: &str| to.write_all(text.as_bytes()).and_then(|()| to.flush());
    let mut before = journal::modification_times(watched_files);
    let mut listens = tell(head).is_ok();
    let mut quiet = 0;
    while listens {
        std::thread::sleep(Duration::from_millis(300));
        let now = journal::modification_times(watched_files);
        quiet += 1;
        if now != before {
            before = now;
            listens = tell("data: changed\n\n").is_ok();
        } else if quiet % 30 == 0 {
            // A write fails if the client has disconnected.
            listens = tell(": still here\n\n").is_ok();
        }
    }
}
