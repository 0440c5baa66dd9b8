//! Reads the commits of the branches, caches them, and groups copies with their originals.

use refgate_core::matrix::{
    CommitFact, DiffSimilarity, Evidence, Families, FixState, Matrix, OriginLink, families, matrix,
    pairs_to_compare, title,
};
use refgate_core::{Oid, Recipe};
use refgate_gate::{Exit, bounds};
use refgate_git::{Bounds, CommitCache, Reader, diff_similarity, own_directory};

use crate::args::RepositoryArgs;
use crate::branches::{Branch, Branches};
use crate::git_command;
use crate::output::{Failure, progress, tell};
use crate::policy_answer::PolicyAnswers;

/// The facts of all commits of some branches, grouped by fix.
pub(crate) struct FixIndex {
    pub(crate) reader: Reader,
    pub(crate) rules: Option<PolicyAnswers>,
    pub(crate) branches: Branches,
    kept: CommitCache,
    pub(crate) facts: Vec<CommitFact>,
    pub(crate) families: Families,
}

/// How the facts are read.
#[derive(Debug, Clone, Default)]
pub(crate) struct IndexOptions {
    /// Reads only the commits that are related to these commits or ranges.
    pub(crate) around: Option<Vec<String>>,
    /// The name and the tip of an additional branch.
    pub(crate) also: Option<(String, Oid)>,
    /// Neither reads nor writes the cache.
    pub(crate) no_cache: bool,
    /// Ignores the originals that messages name.
    pub(crate) ignore_trailers: bool,
}

impl FixIndex {
    pub(crate) fn read(place: &RepositoryArgs, how: IndexOptions) -> Result<Self, Failure> {
        let reader = open(place)?;
        let rules = PolicyAnswers::find(&reader, place)?;
        let policy = rules.as_ref().map(|rules| &rules.policy);
        let mut branches = Branches::find(&reader, place, policy)?;
        if let Some((name, tip)) = how.also {
            branches.also(Branch { name, tip });
        }
        // A link at the place of the directory may point anywhere; the cache is optional.
        let path = own_directory(reader.git_dir()).ok().filter(|_| !how.no_cache);
        let path = path.map(|folder| folder.join("backport.cache"));
        let mut kept = path.as_deref().map(CommitCache::load).unwrap_or_default();
        let bar = progress("commits");
        let tick = &mut |count: usize| {
            if count.is_multiple_of(1_000) {
                bar.set_position(count as u64);
            }
        };
        let tips = branches.tips();
        let around = how
            .around
            .as_ref()
            .map(|named| resolve_revisions(&reader, named))
            .transpose()?
            .flatten();
        let mut facts = kept.scan(&reader, &tips, around.as_deref(), tick)?;
        bar.finish_and_clear();
        if how.ignore_trailers {
            facts.iter_mut().for_each(|fact| fact.named.picked.clear());
        }
        let bar = progress("diffs");
        let tick = &mut |count: usize| bar.set_position(count as u64);
        let alike = diff_similarity(&reader, &pairs_to_compare(&facts), &mut kept, tick)?;
        bar.finish_and_clear();
        let families = families(&facts, &alike);
        if let Some(path) = path
            && let Err(why) = kept.save(&path)
        {
            // Without a cache, the next run only takes longer.
            tell(&format!("warning: cannot write the cache {}: {why}", path.display()));
        }
        Ok(Self { reader, rules, branches, kept, facts, families })
    }

    /// For each commit, the indexes of the branches that contain neither the commit nor a
    /// copy of it.
    pub(crate) fn missing_on(&self, ids: &[Oid]) -> Result<Vec<(Oid, Vec<usize>)>, Failure> {
        let facts = self.kept.facts(&self.branches.tips(), Some(ids));
        let mut kept = CommitCache::default();
        let alike =
            diff_similarity(&self.reader, &pairs_to_compare(&facts), &mut kept, &mut |_| ())?;
        let families = families(&facts, &alike);
        let matrix = matrix(&facts, &families, self.branches.all.len(), self.branches.lines());
        let missing_on = |id: &Oid| {
            let at = facts.binary_search_by_key(id, |fact| fact.id).ok()?;
            let cells = matrix.fix(families.roots.get(at)?.first()?.0).cells;
            let missing = cells.iter().enumerate().filter(|(_, one)| one.cell == FixState::Missing);
            Some((*id, missing.map(|(place, _)| place).collect()))
        };
        Ok(ids.iter().filter_map(missing_on).collect())
    }

    /// The index of a commit in `facts`, which are sorted by id.
    fn place(&self, id: Oid) -> Option<usize> {
        self.facts.binary_search_by_key(&id, |fact| fact.id).ok()
    }

    /// The fixes that a commit belongs to, each with a confidence in percent.
    pub(crate) fn roots(&self, id: Oid) -> Vec<(OriginLink, u8)> {
        let roots = self.place(id).and_then(|place| self.families.roots.get(place));
        let one = |(root, evidence): &(OriginLink, Evidence)| (*root, evidence.confidence());
        roots.into_iter().flatten().map(one).collect()
    }

    /// Whether a branch reaches a commit.
    pub(crate) fn reaches(&self, place: usize, id: Oid) -> bool {
        let fact = self.place(id).and_then(|at| self.facts.get(at));
        fact.is_some_and(|fact| fact.branches >> place & 1 == 1 && !fact.empty)
    }

    /// The commit on a branch whose message names the commit `id` by its full id.
    pub(crate) fn names(&self, place: usize, id: Oid) -> Option<Oid> {
        let (id, there) = (id.to_string(), |fact: &&CommitFact| fact.branches >> place & 1 == 1);
        let names = |fact: &&CommitFact| !fact.empty && fact.named.picked.contains(&id);
        self.facts.iter().filter(there).find(names).map(|fact| fact.id)
    }

    /// Whether two commits change a file in common.
    pub(crate) fn share_a_file(&self, one: Oid, other: Oid) -> bool {
        self.reader.share_changed_path(one, other, false).unwrap_or(false)
    }

    /// The state of each fix on each branch.
    pub(crate) fn matrix(&self) -> Matrix<'_> {
        let (count, lines) = (self.branches.all.len(), self.branches.lines());
        matrix(&self.facts, &self.families, count, lines)
    }

    /// The title of a commit, empty if the commit cannot be read.
    pub(crate) fn title(&self, id: Oid) -> String {
        if let Some(fact) = self.place(id).and_then(|place| self.facts.get(place)) {
            return fact.subject.clone();
        }
        let commit = self.reader.commit(id);
        commit.map(|commit| commit.message.subject().to_string()).unwrap_or_default()
    }

    /// The commit of a revision.
    pub(crate) fn commit(&self, revision: &str) -> Result<Oid, Failure> {
        named(&self.reader, revision)
    }

    /// The fixes of a revision.
    pub(crate) fn fix(&self, revision: &str) -> Result<Vec<OriginLink>, Failure> {
        let id = match self.commit(revision) {
            Ok(id) => id,
            Err(why) => {
                // A copy can name an original that is no longer in the repository.
                let named = |name: &String| revision.len() >= 7 && name.starts_with(revision);
                let gone = self.families.gone.iter().position(named);
                return gone.map(|place| vec![OriginLink::Gone(place)]).ok_or(why);
            }
        };
        let Some(place) = self.place(id) else {
            let message = format!(
                "cannot find {revision} on a selected branch\nhint: select another with --line"
            );
            return Err(Failure::new(Exit::BadInput, message));
        };
        let roots = self.families.roots.get(place).into_iter().flatten();
        Ok(roots.map(|(root, _)| *root).collect())
    }

    /// Compares the diffs of some fixes with those of their copies. An equal patch id is
    /// better evidence than an equal author. A named copy without a common file loses
    /// its confidence.
    pub(crate) fn compare(&mut self, roots: &[OriginLink]) -> Result<(), Failure> {
        let mut pairs = Vec::new();
        for root in roots {
            let OriginLink::Here(original) = *root else { continue };
            let members = self.families.members.get(root).into_iter().flatten();
            for place in members.filter(|place| **place != original) {
                if let (Some(copy), Some(of)) = (self.facts.get(*place), self.facts.get(original)) {
                    let titled = title(&copy.subject) == title(&of.subject);
                    let written =
                        (&copy.author, copy.authored) == (&of.author, of.authored) && titled;
                    pairs.push((*place, *root, (copy.id, of.id), titled, written));
                }
            }
        }
        let ids: Vec<_> = pairs.iter().map(|(_, _, ids, ..)| *ids).collect();
        let alike = diff_similarity(&self.reader, &ids, &mut CommitCache::default(), &mut |_| ())?;
        for (place, root, ids, titled, written) in pairs {
            let known = self.families.roots.get_mut(place).into_iter().flatten();
            for (_, evidence) in known.filter(|(of, _)| *of == root) {
                let diff_similarity = alike.get(&ids).copied();
                match (*evidence, diff_similarity) {
                    (Evidence::Author, Some(DiffSimilarity::Same)) => *evidence = Evidence::PatchId,
                    // If the message names the original, and author, date and title are
                    // equal, then other paths prove nothing: files move between lines.
                    (Evidence::Trailer { .. }, None) if written => {}
                    // A message alone proves nothing. A copy must change a file of its
                    // original, if only under another path.
                    (Evidence::Author | Evidence::Trailer { .. }, None)
                        if !self.reader.share_changed_path(ids.0, ids.1, titled)? =>
                    {
                        *evidence = Evidence::Content { percent: 0 };
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The policy's recipes for files whose content a backport does not decide.
    pub(crate) fn recipes(&self) -> &[Recipe] {
        self.rules.as_ref().map_or(&[], |rules| &rules.policy.recipes)
    }

    pub(crate) fn fact(&self, place: usize) -> Option<&CommitFact> {
        self.facts.get(place)
    }

    /// The id and the title of a fix. If the original is no longer in the repository,
    /// the title is that of its first copy.
    pub(crate) fn shown(&self, root: OriginLink) -> (String, String) {
        let copy = self.families.members.get(&root).and_then(|all| all.first());
        let fact = |place: &usize| self.facts.get(*place);
        match root {
            OriginLink::Here(place) => fact(&place)
                .map(|fact| (fact.id.to_string(), fact.subject.clone()))
                .unwrap_or_default(),
            OriginLink::Gone(place) => {
                let name = self.families.gone.get(place).cloned().unwrap_or_default();
                (name, copy.and_then(fact).map(|fact| fact.subject.clone()).unwrap_or_default())
            }
        }
    }
}

/// The commit of a revision.
pub(crate) fn named(reader: &Reader, revision: &str) -> Result<Oid, Failure> {
    let missing = |why| Failure::new(Exit::BadInput, format!("cannot find `{revision}`: {why}"));
    reader.resolve(revision).map_err(missing)
}

/// The commits of some revisions and ranges. `None` if a revision is not in the
/// repository, because copies of it can be.
fn resolve_revisions(reader: &Reader, named: &[String]) -> Result<Option<Vec<Oid>>, Failure> {
    let mut ids = Vec::new();
    for one in named {
        if one.contains("..") {
            let listed =
                git_command::output(reader.git_dir(), &["rev-list", "--no-merges", one, "--"])?;
            ids.extend(listed.lines().filter_map(Oid::from_hex));
        } else {
            let Ok(id) = reader.resolve(one) else { return Ok(None) };
            ids.push(id);
        }
    }
    Ok(Some(ids))
}

pub(crate) fn open(place: &RepositoryArgs) -> Result<Reader, Failure> {
    // Unlike the hook, this program blocks no push, so it has no time limit.
    let limits = bounds(&refgate_format::Limits::default());
    Ok(Reader::open(&place.repository, Bounds { max_seconds: u64::MAX, ..limits })?)
}
