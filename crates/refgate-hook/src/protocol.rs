//! Implements the `proc-receive` protocol, by which Git passes refs for refgate to move.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use refgate_gate::{Exit, PendingMove, parse_moves, update_refs};

/// The longest packet, in bytes.
const MAX_PACKET_BYTES: usize = 65_520;

/// Reads one packet. Returns `None` for a flush packet.
fn read_packet(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; 4];
    from.read_exact(&mut head)?;
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "the length of a packet is not valid");
    let text = std::str::from_utf8(&head).map_err(|_| bad())?;
    let length = usize::from_str_radix(text, 16).map_err(|_| bad())?;
    if length < 4 {
        return Ok(None);
    }
    if length > MAX_PACKET_BYTES {
        return Err(bad());
    }
    let mut data = vec![0; length - 4];
    from.read_exact(&mut data)?;
    Ok(Some(data))
}

fn send(to: &mut impl Write, text: &str) -> io::Result<()> {
    write!(to, "{:04x}{text}", text.len() + 4)
}

fn flush(to: &mut impl Write) -> io::Result<()> {
    to.write_all(b"0000")?;
    to.flush()
}

/// Reads the packets up to a flush packet, each as a line.
fn read_section(from: &mut impl Read) -> io::Result<Vec<String>> {
    let mut all = Vec::new();
    while let Some(data) = read_packet(from)? {
        all.push(String::from_utf8_lossy(&data).trim_end_matches('\n').to_string());
    }
    Ok(all)
}

/// Runs the hook `proc-receive` on standard input and output.
pub(crate) fn proc_receive() -> ExitCode {
    match run_protocol(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => crate::say(
            &format!("refgate: cannot process the `proc-receive` request of Git: {error}"),
            Exit::BadInput,
        ),
    }
}

fn run_protocol(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let hello = read_section(from)?;
    let (version, options) = match hello.first().map(|line| line.split_once('\0')) {
        Some(Some((version, options))) => (version.to_string(), options.to_string()),
        Some(None) => (hello.concat(), String::new()),
        None => (String::new(), String::new()),
    };
    if version != "version=1" {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the version is not supported"));
    }
    let wants_options = options.split(' ').any(|word| word == "push-options");
    let answer = if wants_options { "version=1\0push-options\n" } else { "version=1\n" };
    send(to, answer)?;
    flush(to)?;
    let commands = read_section(from)?;
    if wants_options {
        // `pre-receive` has already judged the push options.
        read_section(from)?;
    }
    let wanted: Vec<PendingMove> = parse_moves(&commands.join("\n"))
        .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
    if wanted.len() != commands.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a command contains a newline"));
    }
    for (name, done) in update_refs(&wanted, chrono::Utc::now(), crate::is_quarantined()) {
        match done {
            Ok(()) => send(to, &format!("ok {name}\n"))?,
            Err(why) => {
                let line = why.lines().next().unwrap_or("rejected");
                send(to, &format!("ng {name} {line}\n"))?;
            }
        }
    }
    flush(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_malformed_requests() {
        for bad in [&b""[..], b"0000", b"zzzz", b"000aversio", b"000eversion=9\n0000", b"fffff"] {
            let mut said = Vec::new();
            assert!(run_protocol(&mut &*bad, &mut said).is_err(), "{bad:?}");
        }
        let mut all = Vec::new();
        send(&mut all, "version=1\0push-options").unwrap();
        flush(&mut all).unwrap();
        send(&mut all, "no command").unwrap();
        flush(&mut all).unwrap();
        flush(&mut all).unwrap();
        assert!(run_protocol(&mut &*all, &mut Vec::new()).is_err());
    }
}
