//! Reads, writes and verifies the records of the ledger.

mod shelf;
mod signature;
mod signers;
mod text;
mod write;

pub use shelf::{decode_slug, list_months, path_of, shelf_for, shelf_of, slug};
pub use signature::{SignatureError, namespace, tag_signer, verify};
pub use signers::{Signer, Signers, SignersError};
pub use text::{RecordError, SIGNATURE, read_record, split_file};
pub use write::{fingerprint, record_text};
