//! What does the repository hold? Copied once into plain values; the only crate that names a Git library.

mod bounds;
mod commit;
mod debts;
mod diff;
mod error;
mod evil;
mod file;
mod gather;
mod graph;
mod landings;
mod ledger;
mod origins;
mod reader;
mod reflog;
mod releases;
mod revision;
mod shown;
mod survey;
mod tag;
mod tree;
mod writer;

pub use bounds::Bounds;
pub use commit::{ParsedCommit, parse_commit};
pub use debts::debts;
pub use error::GitError;
pub use file::TrackedFile;
pub use gather::gather;
pub use graph::Graph;
pub use ledger::{LedgerDelta, RecordFile};
pub use reader::Reader;
pub use reflog::{Moved, reflog};
pub use releases::{release_openers, releases};
pub use survey::{Survey, survey};
pub use tree::{Entry, Tree};
pub use writer::Writer;
