//! Computes the similarity of the diffs of two commits.

use std::cell::{Cell, RefCell};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use git2::{Delta, DiffLineType};
use refgate_core::Oid;
use refgate_core::matrix::DiffSimilarity;

use crate::GitError;
use crate::commit_cache::CommitCache;
use crate::reader::{Reader, git};

/// Diffs with more files or lines than these limits are not compared.
const MAX_FILES: usize = 400;
const MAX_LINES: usize = 20_000;

/// The lowest percentage that counts as a similarity.
const MIN_PERCENT: u8 = 10;

/// Compares pairs of commits. The result of an earlier run is taken from the cache. A pair
/// without similarity is left out, and so is a pair whose content is not in this repository.
///
/// # Errors
/// Returns an error if a commit cannot be read.
pub fn diff_similarity(
    reader: &Reader,
    pairs: &[(Oid, Oid)],
    kept: &mut CommitCache,
    tick: &mut dyn FnMut(usize),
) -> Result<BTreeMap<(Oid, Oid), DiffSimilarity>, GitError> {
    let mut diffs: HashMap<Oid, Option<DiffLines>> = HashMap::new();
    let mut found = BTreeMap::new();
    for (number, pair) in pairs.iter().enumerate() {
        let diff_similarity = match kept.pair(*pair) {
            Some(known) => known,
            None => {
                for id in [pair.0, pair.1] {
                    if let Entry::Vacant(place) = diffs.entry(id) {
                        place.insert(reader.lines(id)?);
                    }
                }
                let both = (diffs.get(&pair.0), diffs.get(&pair.1));
                let diff_similarity = match both {
                    (Some(Some(one)), Some(Some(other))) => one.like(other),
                    _ => None,
                };
                kept.add_pair(*pair, diff_similarity);
                diff_similarity
            }
        };
        if let Some(diff_similarity) = diff_similarity {
            found.insert(*pair, diff_similarity);
        }
        tick(number);
    }
    Ok(found)
}

/// The lines that a commit removes and adds: a hash of each line and its file, with a count.
struct DiffLines {
    patch: Option<git2::Oid>,
    lines: HashMap<u64, u32>,
    count: u32,
}

impl DiffLines {
    fn like(&self, other: &Self) -> Option<DiffSimilarity> {
        if self.patch.is_some() && self.patch == other.patch {
            return Some(DiffSimilarity::Same);
        }
        let common: u32 = self
            .lines
            .iter()
            .map(|(line, count)| (*count).min(other.lines.get(line).copied().unwrap_or(0)))
            .sum();
        let all = self.count + other.count;
        let percent = (200 * u64::from(common)).checked_div(u64::from(all)).unwrap_or(0);
        let percent = u8::try_from(percent.min(99)).unwrap_or(0);
        (percent >= MIN_PERCENT).then_some(DiffSimilarity::Percent(percent))
    }
}

impl Reader {
    /// Whether two commits change a common path, each against its first parent. With `moved`,
    /// whether they change files of the same name, in any directory.
    ///
    /// # Errors
    /// Returns an error if a commit cannot be read.
    pub fn share_changed_path(&self, one: Oid, other: Oid, moved: bool) -> Result<bool, GitError> {
        let paths = |id: Oid| self.changed_paths(id);
        let name = |path: &str| match path.rsplit_once('/') {
            Some((_, name)) if moved => name.to_string(),
            _ => path.to_string(),
        };
        let theirs: BTreeSet<String> = paths(other)?.iter().map(|path| name(path)).collect();
        Ok(paths(one)?.iter().any(|path| theirs.contains(&name(path))))
    }

    /// The changed lines of a commit against its first parent. `None` if its content is not in
    /// this repository, is empty, or is above the limits.
    fn lines(&self, id: Oid) -> Result<Option<DiffLines>, GitError> {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let repo = self.repository();
        let commit = repo.find_commit(git(id))?;
        let before = commit.parent(0).ok().map(|parent| parent.tree()).transpose()?;
        let diff = repo.diff_tree_to_tree(before.as_ref(), Some(&commit.tree()?), None);
        let Ok(diff) = diff else { return Ok(None) };
        if diff.deltas().len() > MAX_FILES {
            return Ok(None);
        }
        let (lines, count) = (RefCell::new(HashMap::new()), Cell::new(0_u32));
        let add = |parts: &[&[u8]]| {
            let mut hasher = DefaultHasher::new();
            parts.hash(&mut hasher);
            *lines.borrow_mut().entry(hasher.finish()).or_insert(0) += 1;
            count.set(count.get() + 1);
            count.get() as usize <= MAX_LINES
        };
        let read = diff.foreach(
            &mut |delta, _| {
                // A change without lines is compared by the id of its content.
                let link = delta.new_file().mode() == git2::FileMode::Commit;
                let bare = delta.flags().is_binary() || link || delta.status() == Delta::Typechange;
                !bare || add(&[b"whole", delta.new_file().id().as_bytes()])
            },
            None,
            None,
            Some(&mut |delta, _, line| {
                let path = delta.new_file().path_bytes().unwrap_or_default();
                match line.origin_value() {
                    DiffLineType::Addition => add(&[b"+", path, line.content()]),
                    DiffLineType::Deletion => add(&[b"-", path, line.content()]),
                    _ => true,
                }
            }),
        );
        if read.is_err() || count.get() == 0 {
            return Ok(None);
        }
        let patch = crate::patch_id::patch_id(&diff).ok();
        Ok(Some(DiffLines { patch, lines: lines.into_inner(), count: count.get() }))
    }
}
