//! Renders decisions: text for pushers, JSON for programs, Markdown and HTML for people.
//! It takes values and returns strings. It decides nothing and prints nothing.

mod class_reason;
mod debt_phrase;
mod document;
mod escape;
mod facts;
mod freeze_facts;
mod github;
mod joint_remedies;
mod json;
mod layout;
mod page;
mod phrases;
mod record_sentence;
mod rejection;
mod remedy;
mod rendering;
mod requirement;
mod shell;
mod time_format;
mod units;

pub use class_reason::render_class_reason;
pub use debt_phrase::debt_phrase;
pub use document::{Document, Part};
pub use escape::{clean, clean_block, clean_json, shorten};
pub use facts::missing_sign_off;
pub use freeze_facts::missing_phrase;
pub use github::annotations;
pub use json::{decision_json, findings_json, landing_json};
pub use layout::{WIDTH, wrap};
pub use page::{page, page_title};
pub use rejection::{render_rejection, warnings};
pub use remedy::Remedy;
pub use rendering::{RenderedFinding, remedies, render_finding};
pub use requirement::requirement_phrase;
pub use shell::quoted;
pub use time_format::show;
pub use units::{count, length};
