//! Caches facts about commits in a file. The file can be deleted at any time.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use refgate_core::Oid;
use refgate_core::matrix::{CommitFact, CommitSummary, DiffSimilarity, NamedCommits};

use crate::own_files::replace_file;

/// The format of the file. The number changes with every change of the content of the file, or
/// of the way in which the content is computed.
const FORMAT: &str = "refgate backport 4";

/// Facts about commits, parents before their children, and comparisons of their diffs.
/// Commits never change, so no entry becomes outdated.
///
/// Each commit stays a line of text, as in the file: a question about one fix needs only a few
/// of a hundred thousand commits.
#[derive(Debug, Default)]
pub struct CommitCache {
    commits: String,
    pairs: HashMap<(Oid, Oid), Option<DiffSimilarity>>,
    has_new_entries: bool,
}

/// A commit in the cache, parsed from its line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CachedCommit<'t> {
    pub(crate) id: Oid,
    /// The line numbers of its parents, all lower than its own.
    parents: &'t str,
    pub(crate) authored: i64,
    pub(crate) committed: i64,
    /// Whether it has the tree of its first parent.
    pub(crate) empty: bool,
    /// Names of commits, separated by spaces.
    picked: &'t str,
    reverts: &'t str,
    fixes: &'t str,
    author: &'t str,
    subject: &'t str,
}

impl<'t> CachedCommit<'t> {
    /// Parses a line. `before` is the number of lines before it.
    fn read(line: &'t str, before: usize) -> Option<Self> {
        let mut parts = line.splitn(10, '\t');
        let (id, parents) = (Oid::from_hex(parts.next()?)?, parts.next()?);
        let (authored, committed) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let empty = parts.next()? == "=";
        let (picked, reverts, fixes) = (parts.next()?, parts.next()?, parts.next()?);
        let (author, subject) = (parts.next()?, parts.next()?);
        let known = Self {
            id,
            parents,
            authored,
            committed,
            empty,
            picked,
            reverts,
            fixes,
            author,
            subject,
        };
        let earlier = known.parents().all(|place| place.is_some_and(|place| place < before));
        earlier.then_some(known)
    }

    /// The line numbers of its parents; `None` for a value that is not a number.
    pub(crate) fn parents(&self) -> impl Iterator<Item = Option<usize>> {
        self.parents.split_ascii_whitespace().map(|place| place.parse().ok())
    }

    /// The commit as a value of the core, with the branches that reach it.
    pub(crate) fn fact(&self, branches: u128) -> CommitFact {
        let names = |text: &str| words(text).map(ToString::to_string).collect();
        CommitFact {
            id: self.id,
            parents: u8::try_from(self.parents().count()).unwrap_or(u8::MAX),
            author: self.author.to_string(),
            authored: self.authored,
            committed: self.committed,
            subject: self.subject.to_string(),
            named: NamedCommits {
                picked: names(self.picked),
                reverts: names(self.reverts),
                fixes: names(self.fixes),
            },
            empty: self.empty,
            branches,
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_ascii_whitespace()
}

impl CommitSummary for CachedCommit<'_> {
    fn id(&self) -> Oid {
        self.id
    }

    fn author(&self) -> &str {
        self.author
    }

    fn authored(&self) -> i64 {
        self.authored
    }

    fn subject(&self) -> &str {
        self.subject
    }

    fn picked(&self) -> impl Iterator<Item = &str> {
        words(self.picked)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        [self.picked, self.reverts, self.fixes].into_iter().flat_map(words)
    }
}

/// The facts that are read from a commit for the cache. The message is not among them, because
/// messages can be very large.
pub(crate) struct ReadCommit {
    pub(crate) authored: i64,
    pub(crate) committed: i64,
    pub(crate) named: NamedCommits,
    pub(crate) author: String,
    pub(crate) subject: String,
}

impl CommitCache {
    /// The commits; `None` if a line is not a valid commit.
    pub(crate) fn lines(&self) -> Option<Vec<CachedCommit<'_>>> {
        // Few lines are shorter than 100 bytes.
        let mut lines = Vec::with_capacity(self.commits.len() / 100);
        for line in self.commits.lines() {
            lines.push(CachedCommit::read(line, lines.len())?);
        }
        Some(lines)
    }

    /// Adds a commit. `parents` are the line numbers of its parents, which are in the cache.
    pub(crate) fn add(&mut self, id: Oid, parents: &[u32], empty: bool, read: &ReadCommit) {
        let parents: Vec<String> = parents.iter().map(ToString::to_string).collect();
        let parents = parents.join(" ");
        let ReadCommit { authored, committed, named, author, subject } = read;
        let [picked, reverts, fixes] =
            [&named.picked, &named.reverts, &named.fixes].map(|names| names.join(" "));
        let empty = if empty { "=" } else { "" };
        let [author, subject] = [author, subject].map(|text| text.replace(['\t', '\n'], " "));
        // Writing to a string cannot fail.
        let _ = writeln!(
            self.commits,
            "{id}\t{parents}\t{authored}\t{committed}\t{empty}\t{picked}\t{reverts}\t{fixes}\
             \t{author}\t{subject}",
        );
        self.has_new_entries = true;
    }

    /// The stored comparison of a pair of commits; the outer `None` if there is none.
    pub(crate) fn pair(&self, pair: (Oid, Oid)) -> Option<Option<DiffSimilarity>> {
        self.pairs.get(&pair).copied()
    }

    /// Stores the comparison of a pair of commits.
    pub(crate) fn add_pair(&mut self, pair: (Oid, Oid), diff_similarity: Option<DiffSimilarity>) {
        self.pairs.insert(pair, diff_similarity);
        self.has_new_entries = true;
    }

    /// Reads the file. The cache is empty if the file is missing, incomplete or of another
    /// version.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        std::fs::read_to_string(path).ok().and_then(parse).unwrap_or_default()
    }

    /// Writes the file, if the cache has new entries. A rename replaces the file, so no process
    /// reads an incomplete one.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        if !self.has_new_entries {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        replace_file(path, self.text().as_bytes())
    }

    fn text(&self) -> String {
        let mut text = self.commits.clone();
        for ((one, other), diff_similarity) in &self.pairs {
            let shown = match diff_similarity {
                None => -1,
                Some(DiffSimilarity::Percent(percent)) => i16::from(*percent),
                Some(DiffSimilarity::Same) => 101,
            };
            let _ = writeln!(text, "{one}\t{other}\t{shown}");
        }
        let _ = writeln!(text, "{FORMAT} {} {}", self.commits.len(), self.pairs.len());
        text
    }
}

/// Parses the text that [`CommitCache::text`] writes.
fn parse(mut text: String) -> Option<CommitCache> {
    let end = text.strip_suffix('\n')?.rfind('\n').map_or(0, |at| at + 1);
    let (body, last) = text.split_at(end);
    let (length, count) = last.strip_prefix(FORMAT)?.trim().split_once(' ')?;
    let length = length.parse().ok()?;
    let mut pairs = HashMap::new();
    for line in body.get(length..)?.lines() {
        let mut parts = line.split('\t');
        let pair = (Oid::from_hex(parts.next()?)?, Oid::from_hex(parts.next()?)?);
        let diff_similarity = match parts.next()?.parse::<i16>().ok()? {
            101 => Some(DiffSimilarity::Same),
            percent => u8::try_from(percent).ok().map(DiffSimilarity::Percent),
        };
        pairs.insert(pair, diff_similarity);
    }
    if Ok(pairs.len()) != count.parse() {
        return None;
    }
    text.truncate(length);
    Some(CommitCache { commits: text, pairs, has_new_entries: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_ignores_an_incomplete_file() {
        let (one, other) = (Oid::new([1; 20]), Oid::new([2; 20]));
        let mut kept = CommitCache::default();
        let named = NamedCommits {
            picked: vec!["0123456".into(), "89abcde".into()],
            ..NamedCommits::default()
        };
        let (author, subject) = ("a@b".to_string(), "With a\ttab".to_string());
        let read = ReadCommit { authored: -1, committed: 5, named: named.clone(), author, subject };
        kept.add(one, &[], false, &read);
        kept.add(other, &[0], true, &read);
        kept.add_pair((one, other), Some(DiffSimilarity::Same));
        kept.add_pair((other, one), None);
        let text = kept.text();
        let again = parse(text.clone()).expect("the text is complete");
        let lines = again.lines().expect("the lines are valid");
        let [first, second] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((first.id, first.parents().count(), first.empty), (one, 0, false));
        assert_eq!(second.parents().collect::<Vec<_>>(), [Some(0)]);
        let fact = second.fact(3);
        assert_eq!((fact.authored, fact.committed, fact.empty), (-1, 5, true));
        assert_eq!((fact.named, fact.subject.as_str()), (named, "With a tab"));
        assert_eq!(again.pair((one, other)), Some(Some(DiffSimilarity::Same)));
        assert_eq!(again.pair((other, one)), Some(None));
        for end in 0..text.len() {
            assert!(parse(text.get(..end).unwrap().into()).is_none(), "{end} bytes");
        }
        let child_first = CommitCache {
            commits: text.lines().rev().skip(3).map(|l| format!("{l}\n")).collect(),
            ..kept
        };
        assert!(child_first.lines().is_none());
    }
}
