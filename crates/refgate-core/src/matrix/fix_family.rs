//! Sorts commits into families: one original and its copies on other branches.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::named_commits::{resolve, title};
use super::{CommitFact, DiffSimilarity, Evidence};
use crate::Oid;

/// The largest group of commits with one title, or one author and second, that is compared.
/// A larger group is no evidence.
pub(super) const MOST_CANDIDATES: usize = 12;

/// The percentage of changed lines that two commits must have in common if one author wrote
/// them in the same second.
const WRITTEN_AT_ONCE: u8 = 15;

/// The same percentage if only their titles are equal.
const ALONE: u8 = 55;

/// The original of a family: a commit, or an id that the repository does not contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OriginLink {
    /// A commit, by its index in the facts.
    Here(usize),
    /// An id that was not found, by its index in [`Families::gone`].
    Gone(usize),
}

/// The families of all commits.
#[derive(Debug, Default)]
pub struct Families {
    /// The originals of each commit, with the evidence. A squashed pick has several. Without
    /// evidence, a commit is its own original.
    pub roots: Vec<Vec<(OriginLink, Evidence)>>,
    /// The members of each family, in the order of the facts.
    pub members: BTreeMap<OriginLink, Vec<usize>>,
    /// The ids that were not found.
    pub gone: Vec<String>,
}

/// Lists the pairs of commits whose diffs must be compared to decide whether they are one fix.
#[must_use]
pub fn pairs_to_compare(facts: &[CommitFact]) -> Vec<(Oid, Oid)> {
    let sorted = sorted(facts);
    let titles: Vec<&str> = facts.iter().map(|fact| title(&fact.subject)).collect();
    let named = |place: usize| titles.get(place).copied().unwrap_or_default();
    let mut by_key: Vec<(i64, &str, usize)> = Vec::with_capacity(facts.len());
    by_key.extend(facts.iter().enumerate().map(|(at, fact)| (fact.authored, &*fact.author, at)));
    let mut by_title: Vec<(usize, &str, usize)> = Vec::with_capacity(facts.len());
    // The length comes first, because it distinguishes most titles.
    by_title.extend(titles.iter().enumerate().map(|(at, title)| (title.len(), *title, at)));
    by_key.sort_unstable();
    by_title.sort_unstable();
    // Each pair is a commit and its possible original.
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let on_different_branches = |copy: usize, of: usize| {
        let of = facts.get(of);
        facts.get(copy).zip(of).is_some_and(|(fact, of)| fact.branches != of.branches)
    };
    // A merge resembles the commits that it brought, but they are not copies of it. A copy
    // is committed later.
    let brought = |copy: usize, of: usize| {
        facts.get(copy).zip(facts.get(of)).is_some_and(|(fact, merge)| {
            let everywhere = merge.branches & !fact.branches == 0;
            merge.parents > 1 && everywhere && fact.committed <= merge.committed
        })
    };
    let mut certain = BTreeSet::new();
    let together = by_key.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
    for group in together.filter(|group| (2..=MOST_CANDIDATES).contains(&group.len())) {
        for (copy, of) in ranked_pairs(facts, group.iter().map(|(_, _, at)| *at)) {
            let twin = named(copy) == named(of);
            if twin && on_different_branches(copy, of) {
                // These are certainly one fix, so their diffs are not compared.
                certain.insert(copy);
            } else if twin || on_different_branches(copy, of) {
                pairs.push((copy, of));
            }
        }
    }
    let titled = by_title.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
    for group in titled.filter(|group| (2..=MOST_CANDIDATES).contains(&group.len())) {
        let ranked_pairs = ranked_pairs(facts, group.iter().map(|(_, _, at)| *at));
        pairs.extend(
            ranked_pairs.into_iter().filter(|(copy, of)| on_different_branches(*copy, *of)),
        );
    }
    let explained =
        |fact: &CommitFact| fact.named.picked.iter().any(|name| resolve(&sorted, name).is_some());
    let needs_comparison = |(copy, of): (usize, usize)| {
        let (fact, original) = (facts.get(copy)?, facts.get(of)?);
        let content = !fact.empty && !original.empty;
        let open = fact.parents < 2 && !certain.contains(&copy) && !explained(fact);
        (content && open && !brought(copy, of)).then_some((fact.id, original.id))
    };
    let mut found: Vec<(Oid, Oid)> = pairs.into_iter().filter_map(needs_comparison).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// All pairs of a group: a commit, and one that ranks before it.
fn ranked_pairs(facts: &[CommitFact], group: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    let mut group: Vec<(usize, &CommitFact)> =
        group.filter_map(|place| Some((place, facts.get(place)?))).collect();
    group.sort_unstable_by_key(|(_, fact)| rank(fact));
    let pairs = |(at, (of, _)): (usize, &(usize, &CommitFact))| {
        let of = *of;
        group.iter().skip(at + 1).map(move |(copy, _)| (*copy, of)).collect::<Vec<_>>()
    };
    group.iter().enumerate().flat_map(pairs).collect()
}

fn sorted(facts: &[CommitFact]) -> Vec<Oid> {
    facts.iter().map(|fact| fact.id).collect()
}

/// Sorts commits into families. The facts are sorted by id. `similarities` is the result of the
/// comparison of the [`pairs_to_compare`].
#[must_use]
pub fn families(
    facts: &[CommitFact],
    similarities: &BTreeMap<(Oid, Oid), DiffSimilarity>,
) -> Families {
    let mut sorting = FamilyBuilder::new(facts, similarities);
    for place in 0..facts.len() {
        sorting.roots_of(place, 0);
    }
    let mut families = Families { gone: sorting.gone, ..Families::default() };
    families.roots = sorting.known.into_iter().map(Option::unwrap_or_default).collect();
    for (place, roots) in families.roots.iter().enumerate() {
        for (root, _) in roots {
            families.members.entry(*root).or_default().push(place);
        }
    }
    families
}

struct FamilyBuilder<'f> {
    facts: &'f [CommitFact],
    ids: Vec<Oid>,
    /// The best-ranked commit of each author, author date and title.
    twins: BTreeMap<(i64, &'f str, &'f str), usize>,
    similarities: BTreeMap<usize, Vec<(usize, DiffSimilarity)>>,
    known: Vec<Option<Vec<(OriginLink, Evidence)>>>,
    gone: Vec<String>,
    gone_places: BTreeMap<&'f str, usize>,
}

/// The longest chain of picks that is followed.
const LONGEST_CHAIN: u32 = 60;

impl<'f> FamilyBuilder<'f> {
    fn new(facts: &'f [CommitFact], similarities: &BTreeMap<(Oid, Oid), DiffSimilarity>) -> Self {
        let ids = sorted(facts);
        let mut twins: BTreeMap<_, usize> = BTreeMap::new();
        for (place, fact) in facts.iter().enumerate() {
            let best = twins.entry(key(fact)).or_insert(place);
            if facts.get(*best).is_some_and(|other| rank(fact) < rank(other)) {
                *best = place;
            }
        }
        let mut by_copy: BTreeMap<usize, Vec<(usize, DiffSimilarity)>> = BTreeMap::new();
        for ((copy, other), similarity) in similarities {
            let places = (ids.binary_search(copy), ids.binary_search(other));
            if let (Ok(copy), Ok(other)) = places {
                by_copy.entry(copy).or_default().push((other, *similarity));
            }
        }
        let known = facts.iter().map(|_| None).collect();
        let (gone, gone_places) = (Vec::new(), BTreeMap::new());
        Self { facts, ids, twins, similarities: by_copy, known, gone, gone_places }
    }

    fn roots_of(&mut self, place: usize, depth: u32) -> Vec<(OriginLink, Evidence)> {
        if let Some(Some(known)) = self.known.get(place) {
            return known.clone();
        }
        let itself = alloc::vec![(OriginLink::Here(place), Evidence::Original)];
        let Some(fact) = self.facts.get(place).filter(|_| depth < LONGEST_CHAIN) else {
            return itself;
        };
        let mut roots = self.roots_by_trailer(place, fact, depth);
        if roots.is_empty() {
            roots = self.roots_by_author(place, fact, depth);
        }
        if roots.is_empty() {
            roots = self.roots_by_content(place, depth);
        }
        if roots.is_empty() {
            roots = self.roots_by_missing_id(fact);
        }
        if roots.is_empty() {
            roots = itself;
        }
        if let Some(known) = self.known.get_mut(place) {
            *known = Some(roots.clone());
        }
        roots
    }

    fn roots_by_trailer(
        &mut self,
        place: usize,
        fact: &'f CommitFact,
        depth: u32,
    ) -> Vec<(OriginLink, Evidence)> {
        let mut roots: Vec<(OriginLink, Evidence)> = Vec::new();
        for name in &fact.named.picked {
            let Some(of) = resolve(&self.ids, name).filter(|of| *of != place) else { continue };
            for (root, _) in self.roots_of(of, depth + 1) {
                let short = name.len() < 40;
                if !roots.iter().any(|(known, _)| *known == root) {
                    roots.push((root, Evidence::Trailer { short }));
                }
            }
        }
        // A chain of picks names each commit of the chain. A different original of one of them
        // is another fix that was squashed into the pick.
        roots.retain(|(root, _)| *root != OriginLink::Here(place));
        roots
    }

    fn roots_by_author(
        &mut self,
        place: usize,
        fact: &'f CommitFact,
        depth: u32,
    ) -> Vec<(OriginLink, Evidence)> {
        let Some(first) = self.twins.get(&key(fact)).copied().filter(|first| *first != place)
        else {
            return Vec::new();
        };
        // A merge can be picked, but it is not a pick. Two commits on the same branches can be
        // two parts of one change, so only their diffs decide.
        let together = self.facts.get(first).is_none_or(|of| of.branches == fact.branches);
        if fact.parents > 1 || together {
            return Vec::new();
        }
        let roots = self.roots_of(first, depth + 1);
        roots.into_iter().map(|(root, _)| (root, Evidence::Author)).collect()
    }

    fn roots_by_content(&mut self, place: usize, depth: u32) -> Vec<(OriginLink, Evidence)> {
        let Some(fact) = self.facts.get(place) else { return Vec::new() };
        let mut best = self.similarities.get(&place).cloned().unwrap_or_default();
        let together = |other: &usize| {
            let other = self.facts.get(*other);
            other.is_some_and(|o| (&o.author, o.authored) == (&fact.author, fact.authored))
        };
        best.retain(|(other, similarity)| {
            *similarity
                >= DiffSimilarity::Percent(if together(other) { WRITTEN_AT_ONCE } else { ALONE })
        });
        best.sort_by_key(|(other, similarity)| {
            (!together(other), core::cmp::Reverse(*similarity), *other)
        });
        let Some((other, similarity)) = best.first().copied() else { return Vec::new() };
        let evidence = match similarity {
            DiffSimilarity::Same => Evidence::PatchId,
            DiffSimilarity::Percent(percent) => Evidence::Content { percent },
        };
        let roots = self.roots_of(other, depth + 1);
        roots.into_iter().map(|(root, _)| (root, evidence)).collect()
    }

    /// A pick of an id that was not found. Other picks can name the same id.
    fn roots_by_missing_id(&mut self, fact: &'f CommitFact) -> Vec<(OriginLink, Evidence)> {
        let Some(name) = fact.named.picked.first() else { return Vec::new() };
        let next = self.gone.len();
        let place = *self.gone_places.entry(name.as_str()).or_insert(next);
        if place == next {
            self.gone.push(name.clone());
        }
        alloc::vec![(OriginLink::Gone(place), Evidence::Dangling)]
    }
}

fn key(fact: &CommitFact) -> (i64, &str, &str) {
    (fact.authored, &fact.author, title(&fact.subject))
}

/// The rank of a commit among possible originals. The best one names no source, is on the
/// first branch and was committed first.
fn rank(fact: &CommitFact) -> (bool, bool, bool, i64, Oid) {
    let merge = fact.parents > 1;
    (!fact.named.picked.is_empty(), fact.branches & 1 == 0, !merge, fact.committed, fact.id)
}
