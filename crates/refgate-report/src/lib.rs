//! How is a decision said? Data in, words out; one file per form.

mod because;
mod clean;
mod document;
mod github;
mod json;
mod layout;
mod names;
mod objection;
mod page;
mod records;
mod refusal;
mod remedy;
mod shell;
mod takes;
mod times;
mod together;

pub use because::because;
pub use clean::{clean, clean_block, shorten};
pub use document::{Document, Part};
pub use github::annotations;
pub use json::{decision_json, findings_json, landing_json};
pub use layout::{WIDTH, wrap};
pub use objection::{Objection, missing_phrase, objection};
pub use page::{page, page_title};
pub use records::{length, missing_sign_off};
pub use refusal::{refusal, warnings};
pub use remedy::{Remedy, remedies};
pub use shell::quoted;
pub use takes::takes_phrase;
pub use times::show;
