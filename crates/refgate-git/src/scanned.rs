//! What is kept of commits that were read once: a file that may be deleted at any time.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use refgate_core::Oid;
use refgate_core::matrix::{Likeness, Named};

/// Grows with every change of what the file holds or how it is found out.
const FORMAT: &str = "refgate backport 1";

/// What a commit says.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) tree: Oid,
    pub(crate) parents: Vec<Oid>,
    pub(crate) author: String,
    pub(crate) authored: i64,
    pub(crate) committed: i64,
    pub(crate) subject: String,
    pub(crate) named: Named,
}

/// What was read before: commits, and comparisons of their diffs. Commits never
/// change, so nothing in it goes out of date.
#[derive(Debug, Default)]
pub struct Scanned {
    commits: HashMap<Oid, Known>,
    pairs: HashMap<(Oid, Oid), Option<Likeness>>,
    grown: bool,
}

impl Scanned {
    pub(crate) fn get(&self, id: Oid) -> Option<&Known> {
        self.commits.get(&id)
    }

    pub(crate) fn add(&mut self, id: Oid, known: Known) {
        self.commits.insert(id, known);
        self.grown = true;
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
        for (id, known) in &self.commits {
            let parents: Vec<String> = known.parents.iter().map(ToString::to_string).collect();
            let Known { tree, author, authored, committed, subject, named, .. } = known;
            let [picked, reverts, fixes] =
                [&named.picked, &named.reverts, &named.fixes].map(|names| names.join(" "));
            // A string takes everything.
            let _ = writeln!(
                text,
                "{id}\t{tree}\t{}\t{authored}\t{committed}\t{picked}\t{reverts}\t{fixes}\t\
                 {author}\t{subject}",
                parents.join(" ")
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
    scanned.commits.reserve(commits);
    let names = |text: &str| text.split_ascii_whitespace().map(ToString::to_string).collect();
    for line in body.lines() {
        let mut parts = line.splitn(10, '\t');
        let id = Oid::from_hex(parts.next()?)?;
        let second = Oid::from_hex(parts.next()?)?;
        let third = parts.next()?;
        let Some(authored) = parts.next() else {
            let likeness = match third.parse::<i16>().ok()? {
                101 => Some(Likeness::Same),
                percent => u8::try_from(percent).ok().map(Likeness::Percent),
            };
            scanned.pairs.insert((id, second), likeness);
            continue;
        };
        let parents: Option<Vec<Oid>> = third.split_ascii_whitespace().map(Oid::from_hex).collect();
        let (authored, committed) = (authored.parse().ok()?, parts.next()?.parse().ok()?);
        let (picked, reverts, fixes) =
            (names(parts.next()?), names(parts.next()?), names(parts.next()?));
        let named = Named { picked, reverts, fixes };
        let (author, subject) = (parts.next()?.to_string(), parts.next()?.to_string());
        let (tree, parents) = (second, parents?);
        let known = Known { tree, parents, author, authored, committed, subject, named };
        scanned.commits.insert(id, known);
    }
    let whole = scanned.commits.len() == commits && scanned.pairs.len() == pairs;
    whole.then_some(scanned)
}
