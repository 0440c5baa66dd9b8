//! Reads which commits of a history revert which others, and which reverts are in effect.

use std::collections::{HashMap, HashSet};

use refgate_core::{Message, Oid};

/// The reverts among some commits.
#[derive(Default)]
pub(crate) struct Reverts {
    by: HashMap<Oid, Vec<Oid>>,
}

impl Reverts {
    /// Adds what the message of a commit names as reverted.
    pub(crate) fn add(&mut self, id: Oid, message: &Message) {
        for of in reverted(message) {
            self.by.entry(of).or_default().push(id);
        }
    }

    /// The commits that revert a commit and are themselves in effect.
    pub(crate) fn of(&self, id: Oid) -> impl Iterator<Item = Oid> + '_ {
        self.direct(id).iter().copied().filter(|revert| self.is_in_effect(*revert, 0))
    }

    /// Whether a commit is reverted, after all reverts of reverts.
    pub(crate) fn undoes(&self, id: Oid) -> bool {
        self.of(id).next().is_some()
    }

    /// The commits that revert one of these commits.
    pub(crate) fn of_any<'s>(&'s self, ids: impl Iterator<Item = &'s Oid>) -> HashSet<Oid> {
        ids.flat_map(|id| self.direct(*id)).copied().collect()
    }

    fn direct(&self, id: Oid) -> &[Oid] {
        self.by.get(&id).map_or(&[], Vec::as_slice)
    }

    fn is_in_effect(&self, id: Oid, depth: usize) -> bool {
        depth > 50 || !self.direct(id).iter().any(|revert| self.is_in_effect(*revert, depth + 1))
    }
}

/// The commits that a message names as reverted.
fn reverted(message: &Message) -> Vec<Oid> {
    let text = message.as_str();
    let parts = text.split("This reverts commit ").skip(1);
    let hex = |rest: &str| rest.chars().take_while(char::is_ascii_hexdigit).collect::<String>();
    parts.filter_map(|rest| Oid::from_hex(&hex(rest))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_id_is_not_cut_to_a_valid_one() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let named = |text: &str| reverted(&Message::new(text)).len();
        assert_eq!(named(&format!("Revert\n\nThis reverts commit {id}.")), 1);
        assert_eq!(
            named(&format!("Revert\n\nThis reverts commit {id}0123456789abcdef01234567.")),
            0
        );
    }
}
