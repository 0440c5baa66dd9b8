//! What is kept of commits that were read once: a file that may be deleted at any time.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use refgate_core::Oid;
use refgate_core::matrix::{Likeness, Named};

/// Grows with every change of what the file holds or how it is found out.
const FORMAT: &str = "refgate backport 3";

/// What a commit says.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: Oid,
    /// The places of its parents, all before its own.
    pub(crate) parents: Vec<u32>,
    pub(crate) authored: i64,
    pub(crate) committed: i64,
    /// It has its first parent's tree.
    pub(crate) empty: bool,
    pub(crate) named: Named,
    pub(crate) author: String,
    pub(crate) subject: String,
}

/// What was read before: commits, parents before their children, and comparisons
/// of their diffs. Commits never change, so nothing in it goes out of date.
#[derive(Debug, Default)]
pub struct Scanned {
    commits: Vec<Known>,
    pairs: HashMap<(Oid, Oid), Option<Likeness>>,
    grown: bool,
}

impl Scanned {
    pub(crate) fn commits(&self) -> &[Known] {
        &self.commits
    }

    /// Adds a commit whose parents are there; its place.
    pub(crate) fn add(&mut self, known: Known) -> u32 {
        self.commits.push(known);
        self.grown = true;
        u32::try_from(self.commits.len() - 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn pair(&self, pair: (Oid, Oid)) -> Option<Option<Likeness>> {
        self.pairs.get(&pair).copied()
    }

    pub(crate) fn add_pair(&mut self, pair: (Oid, Oid), likeness: Option<Likeness>) {
        self.pairs.insert(pair, likeness);
        self.grown = true;
    }

    /// Reads the file; one that is missing, torn or of another version is as
    /// good as none.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        parse(&text).unwrap_or_default()
    }

    /// Writes the file, if there is anything new in it. It is replaced as a
    /// whole, so nobody reads half of it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        if !self.grown {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let temporary = path.with_extension(format!("{}", std::process::id()));
        std::fs::write(&temporary, self.text())?;
        std::fs::rename(&temporary, path)
    }

    fn text(&self) -> String {
        let mut text = format!("{FORMAT}\n");
        for known in &self.commits {
            let Known { id, authored, committed, author, subject, named, .. } = known;
            let parents: Vec<String> = known.parents.iter().map(ToString::to_string).collect();
            let parents = parents.join(" ");
            let [picked, reverts, fixes] =
                [&named.picked, &named.reverts, &named.fixes].map(|names| names.join(" "));
            let empty = if known.empty { "=" } else { "" };
            // A string takes everything.
            let _ = writeln!(
                text,
                "{id}\t{parents}\t{authored}\t{committed}\t{empty}\t{picked}\t{reverts}\t{fixes}\
                 \t{author}\t{subject}",
            );
        }
        for ((one, other), likeness) in &self.pairs {
            let shown = match likeness {
                None => -1,
                Some(Likeness::Percent(percent)) => i16::from(*percent),
                Some(Likeness::Same) => 101,
            };
            let _ = writeln!(text, "{one}\t{other}\t{shown}");
        }
        let _ = writeln!(text, "end {} {}", self.commits.len(), self.pairs.len());
        text
    }
}

fn parse(text: &str) -> Option<Scanned> {
    let body = text.strip_prefix(FORMAT)?.strip_prefix('\n')?.strip_suffix('\n')?;
    let (body, end) = body.rsplit_once('\n').unwrap_or(("", body));
    let (commits, pairs) = end.strip_prefix("end ")?.split_once(' ')?;
    let (commits, pairs): (usize, usize) = (commits.parse().ok()?, pairs.parse().ok()?);
    let mut scanned = Scanned::default();
    scanned.commits.reserve(commits.min(body.len() / 40));
    for line in body.lines() {
        if scanned.commits.len() < commits {
            let known = commit(line, scanned.commits.len())?;
            scanned.commits.push(known);
            continue;
        }
        let mut parts = line.split('\t');
        let pair = (Oid::from_hex(parts.next()?)?, Oid::from_hex(parts.next()?)?);
        let likeness = match parts.next()?.parse::<i16>().ok()? {
            101 => Some(Likeness::Same),
            percent => u8::try_from(percent).ok().map(Likeness::Percent),
        };
        scanned.pairs.insert(pair, likeness);
    }
    let whole = scanned.commits.len() == commits && scanned.pairs.len() == pairs;
    whole.then_some(scanned)
}

/// The commit that a line holds, of which so many stand before it.
fn commit(line: &str, before: usize) -> Option<Known> {
    let names = |text: &str| text.split_ascii_whitespace().map(ToString::to_string).collect();
    let mut parts = line.splitn(10, '\t');
    let id = Oid::from_hex(parts.next()?)?;
    let earlier = |text: &str| {
        let place: u32 = text.parse().ok()?;
        (usize::try_from(place).ok()? < before).then_some(place)
    };
    let parents: Option<Vec<u32>> = parts.next()?.split_ascii_whitespace().map(earlier).collect();
    let (authored, committed) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let empty = parts.next()? == "=";
    let [picked, reverts, fixes] = [parts.next()?, parts.next()?, parts.next()?].map(names);
    let named = Named { picked, reverts, fixes };
    let (author, subject) = (parts.next()?.to_string(), parts.next()?.to_string());
    Some(Known { id, parents: parents?, authored, committed, empty, named, author, subject })
}
