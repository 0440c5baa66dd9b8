//! Contains the policies that ship with refgate.

/// The names and texts of the built-in policies.
pub const BUILTIN: [(&str, &str); 4] = [
    ("portal", include_str!("../../../policies/portal.toml")),
    ("minimal", include_str!("../../../policies/minimal.toml")),
    ("strict", include_str!("../../../policies/strict.toml")),
    ("release-lines", include_str!("../../../policies/release-lines.toml")),
];

/// The text of the built-in policy with this name.
#[must_use]
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
