//! How is a decision said? Data in, words out; one file per form.

mod class_reason;
mod document;
mod escape;
mod finding_text;
mod github;
mod joint_remedies;
mod json;
mod layout;
mod name_violations;
mod page;
mod record_violations;
mod rejection;
mod remedy;
mod requirement;
mod shell;
mod time_format;

pub use class_reason::render_class_reason;
pub use document::{Document, Part};
pub use escape::{clean, clean_block, shorten};
pub use finding_text::{RenderedFinding, missing_phrase, render_finding};
pub use github::annotations;
pub use json::{decision_json, findings_json, landing_json};
pub use layout::{WIDTH, wrap};
pub use page::{page, page_title};
pub use record_violations::{length, missing_sign_off};
pub use rejection::{render_rejection, warnings};
pub use remedy::{Remedy, remedies};
pub use requirement::requirement_phrase;
pub use shell::quoted;
pub use time_format::show;
