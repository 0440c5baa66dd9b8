//! Did this person sign this text? Checked here, with nothing between the bytes and the answer.

use base64ct::{Base64, Encoding as _};
use refgate_core::Instant;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, PublicKey, SshSig};

use super::signers::{Signers, strong};

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is no OpenSSH signature as OpenSSH writes it.
    #[error("it is no signature that OpenSSH writes: {0}")]
    Armour(String),
    /// It was made for another purpose (docs/design/threats.md, S5).
    #[error("it was made for `{found}`, not for `{wanted}`")]
    Namespace {
        /// What it was made for.
        found: String,
        /// What it should have been made for.
        wanted: String,
    },
    /// The key is weak, or of an unknown kind.
    #[error("{0}")]
    Key(String),
    /// A security key was asked without anybody touching it.
    #[error("nobody touched the security key")]
    Untouched,
    /// The signature does not belong to the text.
    #[error("the text is not the one that was signed")]
    Text,
    /// The key was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// Nobody's key, or somebody else's.
    #[error("the key is not one of {by}'s for `{namespace}` at that moment")]
    Signer {
        /// Who is said to have signed.
        by: String,
        /// What for.
        namespace: String,
    },
}

/// The purpose of a ledger's signatures.
#[must_use]
pub fn namespace(ledger: &str) -> String {
    format!("refgate@{ledger}")
}

/// Checks that `by` signed `text` for `namespace`, with a key that was theirs
/// at the moment `at` (docs/design/threats.md, S1: the record's own moment, which the
/// server has compared with its clock).
///
/// # Errors
/// The first reason for which it does not hold.
pub fn verify(
    signers: &Signers,
    text: &str,
    armour: &str,
    (by, namespace, at): (&str, &str, Instant),
) -> Result<(), SignatureError> {
    let armour_error = |why: &str| SignatureError::Armour(why.to_string());
    // The library takes more forms than ssh-keygen does; both must agree.
    if armour.contains('\r') || !armour.starts_with(super::SIGNATURE) {
        return Err(armour_error("its first line"));
    }
    if !armour.ends_with("-----END SSH SIGNATURE-----\n") {
        return Err(armour_error("its last line"));
    }
    let signature: SshSig =
        armour.parse().map_err(|error: ssh_key::Error| armour_error(&error.to_string()))?;
    // The library reads lengths that are wrong; written again they are right, so
    // a bent signature is not what it would be.
    let again = written(&signature).unwrap_or_default();
    if signature.version() != 1 || again.trim_end() != armour.trim_end() {
        return Err(armour_error("its lengths"));
    }
    if signature.namespace() != namespace {
        let (found, wanted) = (signature.namespace().to_string(), namespace.to_string());
        return Err(SignatureError::Namespace { found, wanted });
    }
    if !matches!(signature.hash_alg(), HashAlg::Sha512 | HashAlg::Sha256) {
        return Err(armour_error("its hash"));
    }
    let key = signature.public_key();
    strong(key).map_err(SignatureError::Key)?;
    let public = PublicKey::from(key.clone());
    public.verify(namespace, text.as_bytes(), &signature).map_err(|_| SignatureError::Text)?;
    if !was_touched(key, &signature) {
        return Err(SignatureError::Untouched);
    }
    if signers.is_revoked(key) {
        return Err(SignatureError::Revoked);
    }
    let theirs = signers.all.iter().any(|signer| {
        signer.key == *key
            && signer.people.iter().any(|person| person == by)
            && signer.namespaces.iter().any(|one| one == namespace)
            && signer.after.is_none_or(|after| after <= at)
            && signer.before.is_none_or(|before| at < before)
    });
    if theirs {
        return Ok(());
    }
    Err(SignatureError::Signer { by: by.to_string(), namespace: namespace.to_string() })
}

/// The armour as OpenSSH writes what was read.
fn written(signature: &SshSig) -> Option<String> {
    let text = signature.to_pem(LineEnding::LF).ok()?;
    if !matches!(signature.public_key(), KeyData::SkEcdsaSha2NistP256(_)) {
        return Some(text);
    }
    // Of these the library writes flags and counter into the signature's own
    // string, behind which they belong: one length differs.
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let mut bytes = Base64::decode_vec(&body).ok()?;
    let data = signature.signature_bytes().len();
    let at = bytes.len().checked_sub(data.checked_add(4)?)?;
    let length = u32::try_from(data.checked_sub(FLAGS_AND_COUNTER)?).ok()?.to_be_bytes();
    bytes.get_mut(at..at.checked_add(4)?)?.copy_from_slice(&length);
    let body = Base64::encode_string(&bytes);
    let mut lines = vec!["-----BEGIN SSH SIGNATURE-----"];
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(70).unwrap_or((rest, ""));
        lines.push(line);
        rest = more;
    }
    lines.push("-----END SSH SIGNATURE-----\n");
    Some(lines.join("\n"))
}

/// One byte of flags and a counter of four end a security key's signature.
const FLAGS_AND_COUNTER: usize = 5;

/// A security key says in its signature whether somebody was there (FIDO's flag
/// of user presence): without, software on the machine can sign what it likes.
/// `sshd` asks for the same; `ssh-keygen -Y verify` does not look.
fn was_touched(key: &KeyData, signature: &SshSig) -> bool {
    if !matches!(key, KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)) {
        return true;
    }
    let bytes = signature.signature_bytes();
    let flags = bytes.len().checked_sub(FLAGS_AND_COUNTER).and_then(|place| bytes.get(place));
    flags.is_some_and(|flags| flags & 1 == 1)
}
