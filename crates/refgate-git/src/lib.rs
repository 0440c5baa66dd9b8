//! What does the repository hold? Copied once into plain values; the only crate that names a Git library.

mod bounds;
mod commit;
mod diff;
mod error;
mod evil;
mod file;
mod gather;
mod graph;
mod landings;
mod origins;
mod reader;
mod releases;
mod tag;
mod tree;
mod writer;

pub use bounds::Bounds;
pub use commit::{ParsedCommit, parse_commit};
pub use error::GitError;
pub use file::TrackedFile;
pub use gather::{Gathered, gather};
pub use graph::Graph;
pub use reader::Reader;
pub use releases::{release_openers, releases};
pub use tree::{Entry, Tree};
pub use writer::Writer;
