//! Which commits have to do with some fixes, so that all others need not be sorted?

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::Fact;
use super::family::MOST_CANDIDATES;
use super::named::{follows, lowest, quoted, resolve, title};
use crate::Oid;

/// The facts, in the order of their ids, that can matter to what the matrix says
/// of some commits: what names them or is named by them, what has the same
/// author and second or the same title, what undoes or mends that, and so on
/// from each of these. The matrix of these facts and that of all say the same
/// of the commits.
#[must_use]
pub fn focus(facts: &[Fact], seeds: &[Oid]) -> Vec<Fact> {
    let ids: Vec<Oid> = facts.iter().map(|fact| fact.id).collect();
    let titles: Vec<&str> = facts.iter().map(|fact| title(&fact.subject)).collect();
    let find = |id: &Oid| ids.binary_search(id).ok();
    let mut fresh: BTreeSet<usize> = seeds.iter().filter_map(find).collect();
    let mut chosen = BTreeSet::new();
    while !fresh.is_empty() {
        chosen.extend(fresh.iter().copied());
        let mut near = near(facts, &titles, &fresh);
        for fact in fresh.iter().filter_map(|place| facts.get(*place)) {
            let names = [&fact.named.picked, &fact.named.reverts, &fact.named.fixes];
            near.extend(names.into_iter().flatten().filter_map(|name| resolve(&ids, name)));
        }
        fresh = near.difference(&chosen).copied().collect();
    }
    chosen.into_iter().filter_map(|place| facts.get(place).cloned()).collect()
}

/// One step further from some commits.
fn near(facts: &[Fact], titles: &[&str], from: &BTreeSet<usize>) -> BTreeSet<usize> {
    let members = || from.iter().filter_map(|place| facts.get(*place));
    let ids: BTreeSet<Oid> = members().map(|fact| fact.id).collect();
    let gone: BTreeSet<&str> =
        members().flat_map(|fact| &fact.named.picked).map(String::as_str).collect();
    let mut at_once: BTreeMap<(i64, &str), Vec<usize>> = BTreeMap::new();
    at_once.extend(members().map(|fact| ((fact.authored, &*fact.author), Vec::new())));
    let mut titled: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    titled.extend(from.iter().filter_map(|place| Some((*titles.get(*place)?, Vec::new()))));
    let mut found = BTreeSet::new();
    for (place, fact) in facts.iter().enumerate() {
        let own = titles.get(place).copied().unwrap_or_default();
        if let Some(group) = at_once.get_mut(&(fact.authored, &*fact.author)) {
            group.push(place);
        }
        if let Some(group) = titled.get_mut(own) {
            group.push(place);
        }
        let after = quoted(&fact.subject).or_else(|| follows(&fact.subject));
        let names = [&fact.named.picked, &fact.named.reverts, &fact.named.fixes];
        let mut names = names.into_iter().flatten();
        if after.is_some_and(|of| titled.contains_key(of))
            || names.any(|name| gone.contains(name.as_str()) || names_one(&ids, name))
        {
            found.insert(place);
        }
    }
    // What too many share says nothing, except where both are the same.
    let few = |group: &&Vec<usize>| group.len() <= MOST_CANDIDATES;
    found.extend(at_once.values().chain(titled.values()).filter(few).flatten());
    for group in at_once.values() {
        let same = |place: &&usize| titles.get(**place).is_some_and(|own| titled.contains_key(own));
        found.extend(group.iter().filter(same));
    }
    found
}

/// Whether some commit's id begins so.
fn names_one(ids: &BTreeSet<Oid>, begins: &str) -> bool {
    let Some(from) = lowest(begins) else { return false };
    let first = ids.range(from..).next();
    first.is_some_and(|id| alloc::string::ToString::to_string(id).starts_with(begins))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use proptest::prelude::*;

    use super::*;
    use crate::matrix::{Likeness, Named, Root, doubts, families, matrix};

    /// Few authors, seconds, titles and names, so that all of it meets.
    fn fact() -> impl Strategy<Value = Fact> {
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
            let mut all = Named::default();
            match kind {
                3 | 4 => all.picked = names,
                5 => all.reverts = names,
                6 => all.fixes = names,
                _ => {}
            }
            Fact {
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

    /// What the matrix says of a commit, by ids.
    fn says(facts: &[Fact], of: Oid) -> String {
        let like = |(one, other): (Oid, Oid)| {
            let sum =
                one.as_bytes().iter().chain(other.as_bytes()).map(|b| u32::from(*b)).sum::<u32>();
            ((one, other), Likeness::Percent(u8::try_from(sum % 100).unwrap()))
        };
        let alike = doubts(facts).into_iter().map(like).collect();
        let families = families(facts, &alike);
        let matrix = matrix(facts, &families, 4, [1, 2, 3].into());
        let place = facts.binary_search_by_key(&of, |fact| fact.id).unwrap();
        let id = |place: usize| facts.get(place).map(|fact| fact.id);
        let named = |root: Root| match root {
            Root::Here(place) => id(place).map(|id| format!("{id}")).unwrap_or_default(),
            Root::Gone(place) => families.gone.get(place).cloned().unwrap_or_default(),
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
        fn a_part_says_what_the_whole_says(facts in prop::collection::vec(fact(), 1..14), seed in 0_usize..14) {
            let mut facts = facts;
            for (place, fact) in facts.iter_mut().enumerate() {
                let hex = format!("{place:040x}").replacen('0', "a", 20);
                fact.id = Oid::from_hex(&hex).unwrap();
            }
            let of = facts[seed % facts.len()].id;
            prop_assert_eq!(says(&focus(&facts, &[of]), of), says(&facts, of));
        }
    }
}
