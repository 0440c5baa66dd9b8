//! The packets of a raw client, objects that Git would not write, and commits by ada.

use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use refgate_scenario::git_command;

/// Appends a packet of the push protocol. A line that is too long for a packet is cut.
pub(crate) fn packet(to: &mut Vec<u8>, line: &[u8]) {
    let line = line.get(..line.len().min(65_000)).unwrap();
    to.extend_from_slice(format!("{:04x}", line.len() + 4).as_bytes());
    to.extend_from_slice(line);
}

/// Appends the commands of a push, with the capabilities that the client asks for.
pub(crate) fn commands(to: &mut Vec<u8>, commands: &[Vec<u8>], more: &[u8]) {
    for (place, command) in commands.iter().enumerate() {
        let mut line = command.clone();
        if place == 0 {
            line.extend_from_slice(b"\0report-status side-band-64k");
            line.extend_from_slice(more);
        }
        packet(to, &line);
    }
    to.extend_from_slice(b"0000");
}

/// Reads packets up to a flush packet.
pub(crate) fn read_until_flush(output: &mut impl Read) {
    loop {
        let mut length = [0; 4];
        output.read_exact(&mut length).unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&length).unwrap(), 16).unwrap();
        if length == 0 {
            return;
        }
        let mut line = vec![0; length - 4];
        output.read_exact(&mut line).unwrap();
    }
}

/// Writes an object without the checks of Git.
pub(crate) fn write_object(repository: &Path, kind: &str, data: &[u8]) -> String {
    let mut git = git_command(repository);
    git.args(["hash-object", "-w", "--literally", "-t", kind, "--stdin"]);
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(data).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

/// Runs Git as ada at a date. It must succeed.
pub(crate) fn git_at(date: &str, folder: &Path, arguments: &[&str]) -> String {
    let mut git: Command = git_command(folder);
    for (key, value) in [("NAME", "ada"), ("EMAIL", "ada@x"), ("DATE", date)] {
        git.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
    }
    let output = git.args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {error}");
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}
