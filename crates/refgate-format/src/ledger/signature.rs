//! Verifies that a person signed a text, with an OpenSSH signature and a list of signers.

use base64ct::{Base64, Encoding as _};
use refgate_core::Instant;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, PublicKey, SshSig};

use super::signers::{Signers, check_strength};

/// Why a signature is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is not an OpenSSH signature in the form that OpenSSH writes.
    #[error("it is not an OpenSSH signature: {0}")]
    Armour(String),
    /// It was made for another purpose (docs/design/threats.md, S5).
    #[error("it was made for `{found}`, not for `{wanted}`")]
    Namespace {
        /// The namespace of the signature.
        found: String,
        /// The required namespace.
        wanted: String,
    },
    /// The key is weak, or of an unknown type.
    #[error("{0}")]
    Key(String),
    /// The signature of a security key does not show that a user touched the key.
    #[error("the security key was not touched")]
    Untouched,
    /// The signature was made for another text.
    #[error("the text is not the one that was signed")]
    Text,
    /// The key was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// The list of signers does not allow this key for the person.
    #[error("the key is not one of {by}'s keys for `{namespace}` at that time")]
    Signer {
        /// The person who is said to have signed.
        by: String,
        /// The required namespace.
        namespace: String,
    },
}

/// The namespace of the signatures of a ledger.
#[must_use]
pub fn namespace(ledger: &str) -> String {
    format!("refgate@{ledger}")
}

/// Checks that `by` signed `text` for `namespace` with a key that was valid for them at the
/// moment `at`. This is the time in the record, which the server has compared with its clock
/// (docs/design/threats.md, S1).
///
/// # Errors
/// The first reason for which the signature is not valid.
pub fn verify(
    signers: &Signers,
    text: &str,
    armour: &str,
    (by, namespace, at): (&str, &str, Instant),
) -> Result<(), SignatureError> {
    let people = find_signers(signers, text, armour, (namespace, at))?;
    if people.contains(&by) {
        return Ok(());
    }
    Err(SignatureError::Signer { by: by.to_string(), namespace: namespace.to_string() })
}

/// The person who signed a tag object, over the bytes before the signature, as `git tag -s`
/// with `gpg.format = ssh` does.
///
/// # Errors
/// Why the signature is not valid, as a clause.
pub fn tag_signer(signers: &Signers, tag: &[u8], at: Instant) -> Result<String, String> {
    let text = std::str::from_utf8(tag).map_err(|_| "the tag is not UTF-8".to_string())?;
    let marker = |mark: &str| text.rfind(&format!("\n{mark}")).map(|before| before + 1);
    let Some(start) = marker(super::SIGNATURE) else {
        return Err("OpenPGP and X.509 signatures are not supported, only SSH signatures".into());
    };
    let (payload, armour) = text.split_at(start);
    let people = find_signers(signers, payload, armour, ("git", at));
    let first = people.map_err(|why| why.to_string())?.first().map(ToString::to_string);
    first.ok_or_else(|| "the key is not listed for `git` in `allowed_signers`".to_string())
}

/// The possible makers of a valid signature: the people to whom the list gives its key, for
/// the namespace, at that moment. Nobody, if the list does not have the key.
fn find_signers<'s>(
    signers: &'s Signers,
    text: &str,
    armour: &str,
    (namespace, at): (&str, Instant),
) -> Result<Vec<&'s str>, SignatureError> {
    let armour_error = |why: &str| SignatureError::Armour(why.to_string());
    // The library accepts more forms than `ssh-keygen`. Both must accept the same signatures.
    if armour.contains('\r') || !armour.starts_with(super::SIGNATURE) {
        return Err(armour_error("its first line is wrong"));
    }
    if !armour.ends_with("-----END SSH SIGNATURE-----\n") {
        return Err(armour_error("its last line is wrong"));
    }
    let signature: SshSig =
        armour.parse().map_err(|error: ssh_key::Error| armour_error(&error.to_string()))?;
    // The library accepts wrong length fields, but writes correct ones. An altered signature
    // therefore differs from its rewritten form.
    let again = written(&signature).unwrap_or_default();
    if signature.version() != 1 || again.trim_end() != armour.trim_end() {
        return Err(armour_error("its length fields are wrong"));
    }
    if signature.namespace() != namespace {
        let (found, wanted) = (signature.namespace().to_string(), namespace.to_string());
        return Err(SignatureError::Namespace { found, wanted });
    }
    if !matches!(signature.hash_alg(), HashAlg::Sha512 | HashAlg::Sha256) {
        return Err(armour_error("its hash algorithm is not supported"));
    }
    let key = signature.public_key();
    check_strength(key).map_err(SignatureError::Key)?;
    let public = PublicKey::from(key.clone());
    public.verify(namespace, text.as_bytes(), &signature).map_err(|_| SignatureError::Text)?;
    if !was_touched(key, &signature) {
        return Err(SignatureError::Untouched);
    }
    if signers.is_revoked(key) {
        return Err(SignatureError::Revoked);
    }
    let allowed = signers.all.iter().filter(|signer| {
        signer.key == *key
            && signer.namespaces.iter().any(|one| one == namespace)
            && signer.after.is_none_or(|after| after <= at)
            && signer.before.is_none_or(|before| at < before)
    });
    Ok(allowed.flat_map(|signer| signer.people.iter().map(String::as_str)).collect())
}

/// The armour that OpenSSH would write for a parsed signature.
fn written(signature: &SshSig) -> Option<String> {
    let text = signature.to_pem(LineEnding::LF).ok()?;
    if !matches!(signature.public_key(), KeyData::SkEcdsaSha2NistP256(_)) {
        return Some(text);
    }
    // For these keys the library counts flags and counter into the length of the inner
    // signature. OpenSSH writes them after it, so one length field must be corrected.
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

/// The signature of a security key ends with one byte of flags and a counter of four bytes.
const FLAGS_AND_COUNTER: usize = 5;

/// Whether the signature of a security key has the FIDO flag of user presence. Without it,
/// software on the machine could sign without the user. `sshd` requires the flag,
/// `ssh-keygen -Y verify` does not.
fn was_touched(key: &KeyData, signature: &SshSig) -> bool {
    if !matches!(key, KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)) {
        return true;
    }
    let bytes = signature.signature_bytes();
    let flags = bytes.len().checked_sub(FLAGS_AND_COUNTER).and_then(|place| bytes.get(place));
    flags.is_some_and(|flags| flags & 1 == 1)
}
