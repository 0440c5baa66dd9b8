//! How does a record lie in the ledger, and who may have signed it?

mod shelf;
mod signature;
mod signers;
mod text;
mod write;

pub use shelf::{months, path_of, shelf_for, shelf_of, slug, unslug};
pub use signature::{BadSignature, namespace, verify};
pub use signers::{BadSigners, Signer, Signers};
pub use text::{BadRecord, SIGNATURE, read_record, split_file};
pub use write::{fingerprint, record_text};
