//! Computes debts: fixes of a later stage that an earlier stage must get, and since when
//! (docs/design/model.md, "Backports and hotfixes").

use std::collections::{BTreeMap, HashMap, HashSet};

use refgate_core::{Debt, Flow, Instant, Oid};

use crate::landed::{FixSearch, MAX_UNIQUE_COMMITS};
use crate::reader::Reader;
use crate::reverts::Reverts;
use crate::{GitError, Graph, ParsedCommit, ReflogEntry};

/// The debts of the stages with these tips. Commits that `baseline` reaches are older than the
/// policy, and cause no debt.
///
/// # Errors
/// Returns an error if a commit cannot be read, or two stages are too far apart.
pub fn debts(
    reader: &Reader,
    graph: &Graph<'_>,
    flow: &Flow,
    tips: &BTreeMap<usize, Oid>,
    baseline: Option<Oid>,
    now: Instant,
) -> Result<Vec<Debt>, GitError> {
    let mut all = Vec::new();
    for (from, later) in tips {
        let Some(stage) = flow.stages.get(*from) else { continue };
        let mut moves = None;
        for (to, earlier) in tips.range(..from) {
            for (fix, subject) in missing_fixes(reader, graph, [*later, *earlier], baseline)? {
                let moves = moves.get_or_insert_with(|| reader.moves(&stage.branch));
                // The reflog of a clone knows only when something was fetched.
                let since = match reader.is_fetched(&stage.branch) {
                    true => None,
                    false => Some(landed(graph, moves, fix)?.unwrap_or(now).min(now)),
                };
                all.push(Debt { fix, subject, from: *from, to: *to, since });
            }
        }
    }
    all.sort();
    Ok(all)
}

/// The fixes, with their titles, that the first of two tips has and the second does not have:
/// neither the fix nor a copy of it. Commits that `baseline` reaches are left out.
///
/// # Errors
/// Returns an error if a commit cannot be read, or the two tips are too far apart.
pub fn missing_fixes(
    reader: &Reader,
    graph: &Graph<'_>,
    [later, earlier]: [Oid; 2],
    baseline: Option<Oid>,
) -> Result<Vec<(Oid, String)>, GitError> {
    let hidden: Vec<Oid> = baseline.into_iter().chain([earlier]).collect();
    let ahead = UniqueCommits::new(reader, graph, later, &hidden)?;
    if ahead.fixes.is_empty() && ahead.reverted.is_empty() {
        return Ok(Vec::new());
    }
    let behind = UniqueCommits::new(reader, graph, earlier, &[later])?;
    let search = FixSearch::new(reader, graph, earlier, behind.fixes.keys().copied())?;
    let mut fixes = ahead.fixes;
    // A fix and its revert cancel out, unless the branch has the fix: then it is missing the
    // revert.
    let reverted = search.held(&ahead.reverted)?;
    let missing_reverts = ahead.reverts.into_iter().filter(|(_, _, of)| reverted.contains(of));
    fixes.extend(missing_reverts.map(|(id, commit, _)| (id, commit)));
    let paid = search.held(&fixes)?;
    let open = fixes.iter().filter(|(fix, _)| !paid.contains(fix));
    Ok(open.map(|(fix, commit)| (*fix, commit.message.subject().to_string())).collect())
}

/// The time of the move that brought a commit to a branch. If the reflog begins later, the time
/// of its first line.
fn landed(graph: &Graph<'_>, moves: &[ReflogEntry], id: Oid) -> Result<Option<Instant>, GitError> {
    let mut found = None;
    for moved in moves.iter().rev() {
        found = Some(moved.at);
        match moved.old {
            Some(old) if graph.is_ancestor(id, old)? => {}
            _ => break,
        }
    }
    Ok(found)
}

/// The non-merge commits with changes that one tip reaches and others do not reach.
struct UniqueCommits {
    fixes: HashMap<Oid, ParsedCommit>,
    /// The fixes among them that are reverted. They are not in `fixes`.
    reverted: HashMap<Oid, ParsedCommit>,
    /// The reverts of these fixes that are in effect, each with its fix.
    reverts: Vec<(Oid, ParsedCommit, Oid)>,
}

impl UniqueCommits {
    fn new(reader: &Reader, graph: &Graph<'_>, tip: Oid, hidden: &[Oid]) -> Result<Self, GitError> {
        let ids = graph.fresh(tip, hidden, &HashSet::new())?;
        if ids.len() > MAX_UNIQUE_COMMITS {
            return Err(GitError::TooMany(MAX_UNIQUE_COMMITS));
        }
        let mut fixes = HashMap::new();
        for id in ids {
            reader.check_deadline()?;
            let commit = reader.commit(id)?;
            let [parent] = commit.parents.as_slice() else { continue };
            // A commit that changes nothing causes no debt, and pays no debt.
            if reader.commit(*parent)?.tree != commit.tree {
                fixes.insert(id, commit);
            }
        }
        let mut apart = Self { fixes, reverted: HashMap::new(), reverts: Vec::new() };
        apart.cancel_reverts();
        Ok(apart)
    }

    /// Removes each fix that is reverted, and its revert. A revert of the revert restores the
    /// fix.
    fn cancel_reverts(&mut self) {
        let mut reverts = Reverts::default();
        for (id, commit) in &self.fixes {
            reverts.add(*id, &commit.message);
        }
        let all = reverts.of_any(self.fixes.keys());
        for (of, fix) in self.fixes.iter().filter(|(of, _)| !all.contains(of)) {
            for id in reverts.of(*of) {
                let Some(revert) = self.fixes.get(&id) else { continue };
                self.reverted.insert(*of, fix.clone());
                self.reverts.push((id, revert.clone(), *of));
            }
        }
        self.fixes.retain(|id, _| !all.contains(id) && !reverts.undoes(*id));
    }
}
