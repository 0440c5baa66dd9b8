//! Reads the value of a tag: whether it is annotated or signed, and which commit it names.

use git2::ObjectType;
use refgate_core::{Oid, RefName};

use crate::GitError;
use crate::reader::Reader;

/// The facts about a tag, which is followed to the commit that it finally names.
#[derive(Debug, Clone, Default)]
pub(crate) struct TagChain {
    pub(crate) annotated: bool,
    pub(crate) same_name: bool,
    pub(crate) signed: bool,
    pub(crate) commit: Option<Oid>,
    /// The date that the tag claims, in seconds since 1970.
    pub(crate) claimed: Option<i64>,
}

/// The maximum number of objects that are followed from a tag to its commit.
const MAX_TAG_DEPTH: usize = 8;

/// Follows a tag from `value` to its commit.
///
/// # Errors
/// Returns an error if an object cannot be read, or a tag object is malformed.
pub(crate) fn follow(reader: &Reader, name: &RefName, value: Oid) -> Result<TagChain, GitError> {
    let mut found = TagChain::default();
    let mut id = value;
    for depth in 0..MAX_TAG_DEPTH {
        match reader.kind(id)? {
            ObjectType::Commit => {
                found.commit = Some(id);
                if found.claimed.is_none() {
                    found.claimed = Some(reader.commit(id)?.committed);
                }
                return Ok(found);
            }
            ObjectType::Tag => {
                let data = reader.object(id, ObjectType::Tag, reader.bounds().max_commit_bytes)?;
                let parsed = parse(&data).ok_or_else(|| GitError::Object {
                    id,
                    why: "it is a malformed tag".to_string(),
                })?;
                if depth == 0 {
                    found.annotated = true;
                    found.same_name = Some(parsed.name.as_str()) == name.tag_name();
                    found.signed = parsed.signed;
                    found.claimed = parsed.claimed;
                }
                id = parsed.object;
            }
            _ => return Ok(found),
        }
    }
    Ok(found)
}

impl Reader {
    /// The bytes of a blob of at most `limit` bytes.
    ///
    /// # Errors
    /// Returns an error if the object is missing, is too large, or is not a blob.
    pub fn blob_text(&self, id: Oid, limit: usize) -> Result<Vec<u8>, GitError> {
        self.object(id, ObjectType::Blob, limit)
    }

    /// The bytes of a tag object.
    ///
    /// # Errors
    /// Returns an error if the object is missing, is too large, or is not a tag.
    pub fn tag_text(&self, id: Oid) -> Result<Vec<u8>, GitError> {
        self.object(id, ObjectType::Tag, self.bounds().max_commit_bytes)
    }
}

/// The name in a tag object, if the object is written as Git writes tags.
#[must_use]
pub fn tag_object_name(data: &[u8]) -> Option<String> {
    parse(data).map(|tag| tag.name)
}

struct Parsed {
    object: Oid,
    name: String,
    claimed: Option<i64>,
    signed: bool,
}

/// Parses a tag object: `object`, `type`, `tag` and `tagger`, each once and in this order.
/// `tagger` can be absent.
fn parse(data: &[u8]) -> Option<Parsed> {
    let text = String::from_utf8_lossy(data);
    let (header, body) = text.split_once("\n\n")?;
    let mut lines = header.lines();
    let object = Oid::from_hex(lines.next()?.strip_prefix("object ")?)?;
    lines.next()?.strip_prefix("type ")?;
    let name = lines.next()?.strip_prefix("tag ")?.to_string();
    let tagger = lines.next().map(|line| line.strip_prefix("tagger "));
    let claimed = match tagger {
        None => None,
        Some(line) => {
            let mut words = line?.rsplit(' ');
            words.next()?;
            Some(words.next()?.parse().ok()?)
        }
    };
    let signed = ["-----BEGIN SSH SIGNATURE-----", "-----BEGIN PGP SIGNATURE-----"]
        .iter()
        .any(|mark| body.contains(mark));
    lines.next().is_none().then_some(Parsed { object, name, claimed, signed })
}
