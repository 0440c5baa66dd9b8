//! Who may sign, with which key, for what, and from when to when? OpenSSH's own list of allowed signers.

use chrono::NaiveDateTime;
use refgate_core::Instant;
use ssh_key::PublicKey;
use ssh_key::public::KeyData;

/// One line of the list.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Whose key it is; exact names only.
    pub people: Vec<String>,
    /// What it may sign; a line without namespaces signs nothing here.
    pub namespaces: Vec<String>,
    /// From when on.
    pub after: Option<Instant>,
    /// Until when.
    pub before: Option<Instant>,
    /// The key.
    pub(crate) key: KeyData,
}

/// The list, and the keys that were revoked.
#[derive(Debug, Clone, Default)]
pub struct Signers {
    /// Its lines.
    pub all: Vec<Signer>,
    revoked: Vec<KeyData>,
}

/// What is wrong with a line. Nothing is signed for by a list that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct SignersError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl Signers {
    /// Reads an `allowed_signers` file and a list of revoked public keys, both
    /// as `ssh-keygen` takes them. What it would take and people would regret
    /// is refused: patterns in names (docs/design/threats.md, S4) and namespaces, times
    /// without a zone, certificates, weak keys (S8).
    ///
    /// # Errors
    /// The first line that cannot be used.
    pub fn parse(allowed: &str, revoked: &str) -> Result<Self, SignersError> {
        let mut all = Vec::new();
        for (line, text) in lines(allowed) {
            all.push(signer(text).map_err(|what| SignersError { line, what })?);
        }
        let mut gone = Vec::new();
        for (line, text) in lines(revoked) {
            let key = key(text).map_err(|what| SignersError { line, what })?;
            gone.push(key);
        }
        Ok(Self { all, revoked: gone })
    }

    /// Whose key this is, for a purpose: the first name of its line.
    #[must_use]
    pub fn owner(&self, public: &str, namespace: &str) -> Option<&str> {
        let key = key(public).ok()?;
        let mut own = self.all.iter().filter(|signer| {
            signer.key == key && signer.namespaces.iter().any(|one| one == namespace)
        });
        own.next()?.people.first().map(String::as_str)
    }

    /// Whether a key was revoked.
    #[must_use]
    pub(crate) fn is_revoked(&self, key: &KeyData) -> bool {
        self.revoked.contains(key)
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let all = text.lines().enumerate().map(|(place, line)| (place + 1, line.trim()));
    all.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// `principals [options] type key [comment]`.
fn signer(line: &str) -> Result<Signer, String> {
    let (people, rest) = line.split_once([' ', '\t']).ok_or("it holds no key")?;
    let people: Vec<String> =
        people.trim_matches('"').split(',').map(ToString::to_string).collect();
    if people.iter().any(|name| name.is_empty() || name.contains(['*', '?', '!'])) {
        return Err("a name is exact; patterns would let one key sign for many".to_string());
    }
    let rest = rest.trim_start();
    let (options, key_text) = if is_key_type(rest) { ("", rest) } else { split_options(rest)? };
    let mut signer =
        Signer { people, namespaces: Vec::new(), after: None, before: None, key: key(key_text)? };
    for option in each_option(options) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "namespaces" => {
                signer.namespaces = value.split(',').map(ToString::to_string).collect();
                if signer.namespaces.iter().any(|n| n.contains(['*', '?', '!'])) {
                    return Err("a namespace is exact here; it holds a pattern".to_string());
                }
            }
            "valid-after" => signer.after = Some(time(value)?),
            "valid-before" => signer.before = Some(time(value)?),
            "cert-authority" => {
                return Err("certificates are not supported; list the keys".to_string());
            }
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    Ok(signer)
}

fn is_key_type(text: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|start| text.starts_with(start))
}

/// Options end at the first blank outside quotes.
fn split_options(text: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return Ok((text.get(..at).unwrap_or(""), text[at..].trim())),
            _ => {}
        }
    }
    Err("it holds no key".to_string())
}

fn each_option(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let parts = text.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// `20261224Z`, `202612241000Z`, `20261224100000Z`. Without a zone the time
/// would mean something else on every machine.
fn time(text: &str) -> Result<Instant, String> {
    let digits = text.strip_suffix(['Z', 'z']).ok_or_else(|| {
        format!("`{text}` says no zone, and would mean another moment elsewhere; write `{text}Z`")
    })?;
    let full = match digits.len() {
        8 => format!("{digits}000000"),
        12 => format!("{digits}00"),
        _ => digits.to_string(),
    };
    let parsed = NaiveDateTime::parse_from_str(&full, "%Y%m%d%H%M%S");
    parsed.map(|at| at.and_utc()).map_err(|_| format!("`{text}` is no time"))
}

/// Keys that are strong enough (docs/design/threats.md, S8).
fn key(text: &str) -> Result<KeyData, String> {
    let mut words = text.split_whitespace();
    let plain = match (words.next(), words.next()) {
        (Some(kind), Some(data)) => format!("{kind} {data}"),
        _ => return Err("it holds no key".to_string()),
    };
    let key = PublicKey::from_openssh(&plain).map_err(|error| format!("its key: {error}"))?;
    strong(key.key_data())?;
    Ok(key.key_data().clone())
}

/// Why a key is too weak, if it is.
pub(crate) fn strong(key: &KeyData) -> Result<(), String> {
    match key {
        KeyData::Ed25519(_) | KeyData::SkEd25519(_) => Ok(()),
        KeyData::Ecdsa(_) | KeyData::SkEcdsaSha2NistP256(_) => Ok(()),
        KeyData::Rsa(rsa) => {
            let bits = rsa.n.as_positive_bytes().map_or(0, |bytes| bytes.len() * 8);
            if bits >= 3_072 {
                return Ok(());
            }
            Err(format!("an RSA key of {bits} bits is too weak; 3072 are needed"))
        }
        _ => Err("keys of this kind are not accepted".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    #[test]
    fn a_standard_line() {
        let text = format!(
            "# people\n\ngrace,grace@x namespaces=\"refgate@portal,git\",valid-after=\"20260101Z\",\
             valid-before=\"202702010000Z\" {KEY} at work\nada namespaces=\"refgate@portal\" {KEY}\n"
        );
        let signers = Signers::parse(&text, "").unwrap();
        let grace = signers.all.first().unwrap();
        assert_eq!(grace.people, ["grace", "grace@x"]);
        assert_eq!(grace.namespaces, ["refgate@portal", "git"]);
        assert_eq!(grace.after, crate::parse_instant("2026-01-01"));
        assert_eq!(grace.before, crate::parse_instant("2027-02-01"));
        assert!(Signers::parse("", KEY).unwrap().is_revoked(&grace.key));
    }

    #[test]
    fn what_people_would_regret() {
        for (line, says) in [
            (format!("*@x {KEY}"), "patterns"),
            (format!("ada namespaces=\"*\" {KEY}"), "pattern"),
            (format!("ada valid-before=\"20260101\" {KEY}"), "no zone"),
            (format!("ada valid-before=\"2026Z\" {KEY}"), "no time"),
            (format!("ada cert-authority {KEY}"), "certificates"),
            (format!("ada no-such-option {KEY}"), "unknown option"),
            ("ada ssh-ed25519 AAAA".to_string(), "its key"),
            ("ada".to_string(), "no key"),
        ] {
            let error = Signers::parse(&line, "").unwrap_err();
            assert!(error.what.contains(says) && error.line == 1, "{line}: {error}");
        }
    }
}
