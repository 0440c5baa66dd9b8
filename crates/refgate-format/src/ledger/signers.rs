//! Reads the `allowed_signers` file: which key may sign, for whom, for what and at which time.

use chrono::NaiveDateTime;
use refgate_core::Instant;
use ssh_key::PublicKey;
use ssh_key::public::KeyData;

/// One line of the file.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The people whose key it is. Names are exact.
    pub people: Vec<String>,
    /// The namespaces that it may sign for. Without any, it signs nothing.
    pub namespaces: Vec<String>,
    /// The start of its validity.
    pub after: Option<Instant>,
    /// The end of its validity.
    pub before: Option<Instant>,
    /// The key.
    pub(crate) key: KeyData,
}

/// The list of signers, and the revoked keys.
#[derive(Debug, Clone, Default)]
pub struct Signers {
    /// The lines of the file.
    pub all: Vec<Signer>,
    revoked: Vec<KeyData>,
}

/// The error in a line. A list with an error is not used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct SignersError {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl Signers {
    /// Reads an `allowed_signers` file and a list of revoked public keys, in the formats of
    /// `ssh-keygen`. Dangerous forms that `ssh-keygen` accepts are errors: patterns in names
    /// (docs/design/threats.md, S4) and namespaces, times without a zone, certificates, and
    /// weak keys (S8).
    ///
    /// # Errors
    /// The first line with an error.
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

    /// The owner of a key for a namespace: the first name of its line.
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

/// Parses a line: `principals [options] type key [comment]`.
fn signer(line: &str) -> Result<Signer, String> {
    let (people, rest) = line.split_once([' ', '\t']).ok_or("the line has no key")?;
    let people: Vec<String> =
        people.trim_matches('"').split(',').map(ToString::to_string).collect();
    if people.iter().any(|name| name.is_empty() || name.contains(['*', '?', '!'])) {
        return Err("names cannot have patterns: one key could sign for many people".to_string());
    }
    let rest = rest.trim_start();
    let (options, key_text) = if is_key_type(rest) { ("", rest) } else { split_options(rest)? };
    let mut signer =
        Signer { people, namespaces: Vec::new(), after: None, before: None, key: key(key_text)? };
    for option in list_options(options) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "namespaces" => {
                signer.namespaces = value.split(',').map(ToString::to_string).collect();
                if signer.namespaces.iter().any(|n| n.contains(['*', '?', '!'])) {
                    return Err("namespaces cannot have a pattern".to_string());
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

/// Splits a line at the first blank outside quotes, where the options end.
fn split_options(text: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return Ok((text.get(..at).unwrap_or(""), text[at..].trim())),
            _ => {}
        }
    }
    Err("the line has no key".to_string())
}

fn list_options(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let parts = text.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// Parses a time: `20261224Z`, `202612241000Z` or `20261224100000Z`. A time without a zone
/// would depend on the machine.
fn time(text: &str) -> Result<Instant, String> {
    let digits = text.strip_suffix(['Z', 'z']).ok_or_else(|| {
        format!("`{text}` has no zone, so it depends on the machine: write `{text}Z`")
    })?;
    let full = match digits.len() {
        8 => format!("{digits}000000"),
        12 => format!("{digits}00"),
        _ => digits.to_string(),
    };
    let parsed = NaiveDateTime::parse_from_str(&full, "%Y%m%d%H%M%S");
    parsed.map(|at| at.and_utc()).map_err(|_| format!("`{text}` is not a time"))
}

/// Parses a key. Weak keys are errors (docs/design/threats.md, S8).
fn key(text: &str) -> Result<KeyData, String> {
    let mut words = text.split_whitespace();
    let plain = match (words.next(), words.next()) {
        (Some(kind), Some(data)) => format!("{kind} {data}"),
        _ => return Err("the line has no key".to_string()),
    };
    let key = PublicKey::from_openssh(&plain).map_err(|error| format!("invalid key: {error}"))?;
    check_strength(key.key_data())?;
    Ok(key.key_data().clone())
}

/// Checks that a key is strong enough.
pub(crate) fn check_strength(key: &KeyData) -> Result<(), String> {
    match key {
        KeyData::Ed25519(_) | KeyData::SkEd25519(_) => Ok(()),
        KeyData::Ecdsa(_) | KeyData::SkEcdsaSha2NistP256(_) => Ok(()),
        KeyData::Rsa(rsa) => {
            let bits = rsa.n.as_positive_bytes().map_or(0, |bytes| bytes.len() * 8);
            if bits >= 3_072 {
                return Ok(());
            }
            Err(format!("an RSA key of {bits} bits is too weak: at least 3072 bits are required"))
        }
        _ => Err("keys of this type are not supported".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    #[test]
    fn reads_a_standard_line() {
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
    fn rejects_dangerous_lines() {
        for (line, says) in [
            (format!("*@x {KEY}"), "patterns"),
            (format!("ada namespaces=\"*\" {KEY}"), "pattern"),
            (format!("ada valid-before=\"20260101\" {KEY}"), "no zone"),
            (format!("ada valid-before=\"2026Z\" {KEY}"), "not a time"),
            (format!("ada cert-authority {KEY}"), "certificates"),
            (format!("ada no-such-option {KEY}"), "unknown option"),
            ("ada ssh-ed25519 AAAA".to_string(), "invalid key"),
            ("ada".to_string(), "no key"),
        ] {
            let error = Signers::parse(&line, "").unwrap_err();
            assert!(error.what.contains(says) && error.line == 1, "{line}: {error}");
        }
    }
}
