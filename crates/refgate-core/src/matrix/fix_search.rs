//! Selects the commits that can affect the matrix of some fixes. All others are skipped.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::CommitFact;
use super::fix_family::MOST_CANDIDATES;
use super::named_commits::{follows, lowest, reverted_title, title};
use crate::Oid;

/// The properties of a commit that show which other commits it relates to. It is less than a
/// [`CommitFact`], and it borrows all text.
pub trait CommitSummary {
    /// The commit.
    fn id(&self) -> Oid;
    /// The address of its author, in lower case.
    fn author(&self) -> &str;
    /// The author date that it claims, in seconds since 1970.
    fn authored(&self) -> i64;
    /// The first line of its message.
    fn subject(&self) -> &str;
    /// The ids that its message names as pick sources.
    fn picked(&self) -> impl Iterator<Item = &str>;
    /// All ids that its message names: pick sources, reverted commits and fixed commits.
    fn names(&self) -> impl Iterator<Item = &str>;
}

impl CommitSummary for CommitFact {
    fn id(&self) -> Oid {
        self.id
    }

    fn author(&self) -> &str {
        &self.author
    }

    fn authored(&self) -> i64 {
        self.authored
    }

    fn subject(&self) -> &str {
        &self.subject
    }

    fn picked(&self) -> impl Iterator<Item = &str> {
        self.named.picked.iter().map(String::as_str)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let names = [&self.named.picked, &self.named.reverts, &self.named.fixes];
        names.into_iter().flatten().map(String::as_str)
    }
}

/// The indexes of the commits that can affect the matrix of the `seeds`. These are commits
/// that name each other, that have the same author and second or the same title, that revert
/// or fix each other, and so on from each of these. For the seeds, the matrix of this
/// selection equals the matrix of all commits.
#[must_use]
pub fn related_commits(all: &[impl CommitSummary], seeds: &[Oid]) -> Vec<usize> {
    let seeds: BTreeSet<&Oid> = seeds.iter().collect();
    let of_seed = |(place, one)| seeds.contains(&CommitSummary::id(one)).then_some(place);
    let mut fresh: BTreeSet<usize> = all.iter().enumerate().filter_map(of_seed).collect();
    let mut chosen = BTreeSet::new();
    while !fresh.is_empty() {
        chosen.extend(fresh.iter().copied());
        fresh = near(all, &fresh).difference(&chosen).copied().collect();
    }
    chosen.into_iter().collect()
}

/// The commits that relate directly to some commits.
fn near<G: CommitSummary>(all: &[G], from: &BTreeSet<usize>) -> BTreeSet<usize> {
    let members = || from.iter().filter_map(|place| all.get(*place));
    let ids: BTreeSet<String> = members().map(|one| one.id().to_string()).collect();
    let gone: BTreeSet<&str> = members().flat_map(CommitSummary::picked).collect();
    let mut wanted_ids = IdPrefixIndex::new(members().flat_map(CommitSummary::names));
    let mut by_author_and_second: BTreeMap<(i64, &str), Vec<usize>> = BTreeMap::new();
    by_author_and_second.extend(members().map(|one| ((one.authored(), one.author()), Vec::new())));
    let mut titled: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    titled.extend(members().map(|one| (title(one.subject()), Vec::new())));
    // These have the author, the second and the title of a member.
    let mut found = BTreeSet::new();
    for (place, one) in all.iter().enumerate() {
        let own = title(one.subject());
        let group = titled.get_mut(own);
        let twin = group.is_some();
        group.into_iter().for_each(|group| group.push(place));
        let group = by_author_and_second.get_mut(&(one.authored(), one.author()));
        let twin = twin && group.is_some();
        group.into_iter().for_each(|group| group.push(place));
        wanted_ids.look(place, one.id());
        let after = reverted_title(own).or_else(|| follows(one.subject()));
        if twin
            || after.is_some_and(|of| titled.contains_key(of))
            || one.names().any(|name| gone.contains(name) || has_id_with_prefix(&ids, name))
        {
            found.insert(place);
        }
    }
    found.extend(wanted_ids.found());
    // A group that is too large is no evidence, except if author, second and title are equal.
    let few = |group: &&Vec<usize>| group.len() <= MOST_CANDIDATES;
    found.extend(by_author_and_second.values().chain(titled.values()).filter(few).flatten());
    found
}

/// Whether an id begins with this prefix.
fn has_id_with_prefix(ids: &BTreeSet<String>, begins: &str) -> bool {
    let from = (core::ops::Bound::Included(begins), core::ops::Bound::Unbounded);
    ids.range::<str, _>(from).next().is_some_and(|id| id.starts_with(begins))
}

/// Finds commits by prefixes of their ids.
struct IdPrefixIndex<'t> {
    /// The first bytes of each prefix. They exclude most commits cheaply. No prefix is shorter,
    /// see [`super::NamedCommits`].
    heads: BTreeSet<[u8; 3]>,
    names: BTreeMap<&'t str, Vec<usize>>,
}

impl<'t> IdPrefixIndex<'t> {
    fn new(names: impl Iterator<Item = &'t str>) -> Self {
        let names: BTreeMap<&str, Vec<usize>> = names.map(|name| (name, Vec::new())).collect();
        let heads = names.keys().filter_map(|name| Some(head(lowest(name)?))).collect();
        Self { heads, names }
    }

    fn look(&mut self, place: usize, id: Oid) {
        if self.heads.contains(&head(id)) {
            let id = id.to_string();
            let meant = self.names.iter_mut().filter(|(name, _)| id.starts_with(**name));
            meant.for_each(|(_, places)| places.push(place));
        }
    }

    /// The commits of the prefixes that match exactly one commit.
    fn found(self) -> impl Iterator<Item = usize> {
        self.names.into_values().filter(|places| places.len() == 1).flatten()
    }
}

fn head(id: Oid) -> [u8; 3] {
    let [one, two, three, ..] = *id.as_bytes();
    [one, two, three]
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use proptest::prelude::*;

    use super::*;
    use crate::matrix::{
        DiffSimilarity, NamedCommits, OriginLink, families, matrix, pairs_to_compare,
    };

    /// Generates few authors, seconds, titles and ids, so that commits often relate.
    fn fact() -> impl Strategy<Value = CommitFact> {
        let numbers = (0_u8..6, 0_i64..4, 0_usize..5, 0_usize..8, 0_u8..14, 1_u128..16);
        numbers.prop_map(|(author, authored, words, kind, named, branches)| {
            let title = ["one", "two", "three", "four", "five"].get(words).copied().unwrap();
            let subject = match kind {
                0 => format!("Revert \"{title}\""),
                1 => format!("fixup! {title}"),
                2 => format!("[1.2] {title} (#{words})"),
                _ => title.into(),
            };
            let name = format!("{:040x}", u128::from(named)).replacen('0', "a", 20);
            let names: Vec<String> = (named < 9).then_some(name).into_iter().collect();
            let mut all = NamedCommits::default();
            match kind {
                3 | 4 => all.picked = names,
                5 => all.reverts = names,
                6 => all.fixes = names,
                _ => {}
            }
            CommitFact {
                id: Oid::default(),
                parents: 1,
                author: format!("{author}"),
                authored,
                committed: authored,
                subject,
                named: all,
                empty: false,
                branches,
            }
        })
    }

    /// The matrix of a commit as text, with ids instead of indexes.
    fn says(facts: &[CommitFact], of: Oid) -> String {
        let like = |(one, other): (Oid, Oid)| {
            let sum =
                one.as_bytes().iter().chain(other.as_bytes()).map(|b| u32::from(*b)).sum::<u32>();
            ((one, other), DiffSimilarity::Percent(u8::try_from(sum % 100).unwrap()))
        };
        let similarities = pairs_to_compare(facts).into_iter().map(like).collect();
        let families = families(facts, &similarities);
        let matrix = matrix(facts, &families, 4, [1, 2, 3].into());
        let place = facts.binary_search_by_key(&of, |fact| fact.id).unwrap();
        let id = |place: usize| facts.get(place).map(|fact| fact.id);
        let named = |root: OriginLink| match root {
            OriginLink::Here(place) => id(place).map(|id| format!("{id}")).unwrap_or_default(),
            OriginLink::Gone(place) => families.gone.get(place).cloned().unwrap_or_default(),
        };
        let mut text = String::new();
        for (root, evidence) in families.roots.get(place).unwrap() {
            let fix = matrix.fix(*root);
            let cells: Vec<_> =
                fix.cells.iter().map(|found| (found.cell, found.by.and_then(id))).collect();
            let mut follows: Vec<_> =
                fix.follow_ups.iter().map(|(root, on)| (named(*root), on.clone())).collect();
            follows.sort();
            text +=
                &format!("{} {evidence:?} {cells:?} {:?} {follows:?}\n", named(*root), fix.gaps);
        }
        text
    }

    proptest! {
        #[test]
        fn focus_gives_the_matrix_of_all_commits(facts in prop::collection::vec(fact(), 1..14), seed in 0_usize..14) {
            let mut facts = facts;
            for (place, fact) in facts.iter_mut().enumerate() {
                let hex = format!("{place:040x}").replacen('0', "a", 20);
                fact.id = Oid::from_hex(&hex).unwrap();
            }
            let of = facts[seed % facts.len()].id;
            let part: Vec<CommitFact> =
                related_commits(&facts, &[of]).into_iter().map(|place| facts[place].clone()).collect();
            prop_assert_eq!(says(&part, of), says(&facts, of));
        }
    }
}
