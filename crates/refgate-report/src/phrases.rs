//! Phrases that several parts of a report use.

use refgate_core::{Case, ChangeMode};

use crate::escape::clean;

/// Labels and facts.
pub(crate) type Facts = Vec<(&'static str, String)>;

/// A role with the people who have it.
pub(crate) fn people(case: &Case<'_>, role: &str) -> String {
    let people = case.policy.roles.people(role);
    match (role.is_empty(), people.is_empty()) {
        (true, _) => "nobody (the policy names no role)".to_string(),
        (false, true) => format!("{} (nobody has this role)", clean(role)),
        (false, false) => format!("{} ({})", clean(role), clean(&people.join(", "))),
    }
}

/// What a change does to a path.
pub(crate) const fn verb(mode: ChangeMode) -> &'static str {
    match mode {
        ChangeMode::Added => "adds",
        ChangeMode::Modified => "changes",
        ChangeMode::Deleted => "deletes",
    }
}
