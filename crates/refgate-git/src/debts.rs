//! Computes debts: fixes of a later stage that an earlier stage must get, and since when
//! (docs/design/model.md, "Backports and hotfixes").

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::DateTime;
use refgate_core::{Debt, Flow, Instant, Message, Oid};

use crate::landed::{BranchSide, Landed};
use crate::reader::Reader;
use crate::{GitError, Graph, ParsedCommit, ReflogEntry};

/// The maximum number of commits that one of two tips has and the other does not have.
const MAX_UNIQUE_COMMITS: usize = 20_000;

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
                let mut since = landed(graph, moves, fix)?;
                if since.is_none() && reader.is_fetched(&stage.branch) {
                    // The fix can be older than the clone, so its exact time is not known here.
                    let claim = DateTime::from_timestamp(reader.commit(fix)?.committed, 0);
                    since = reader.clone_time().or(claim);
                }
                let since = since.unwrap_or(now).min(now);
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
    if ahead.fixes.is_empty() {
        return Ok(Vec::new());
    }
    let behind = UniqueCommits::new(reader, graph, earlier, &[later])?;
    let branch = BranchSide { tip: earlier, own: &behind.fixes, undone: &behind.undone };
    let paid = Landed::new(reader, graph).held(&ahead.fixes, &branch)?;
    let open = ahead.fixes.iter().filter(|(fix, _)| !paid.contains(fix));
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
    /// The commits that these commits revert.
    undone: HashSet<Oid>,
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
        let mut apart = Self { fixes, undone: HashSet::new() };
        apart.cancel_reverts();
        Ok(apart)
    }

    /// Removes each fix that is reverted, and its revert. A revert of the revert restores the
    /// fix.
    fn cancel_reverts(&mut self) {
        let mut reverted_by: HashMap<Oid, Vec<Oid>> = HashMap::new();
        for (id, commit) in &self.fixes {
            for of in reverts(&commit.message) {
                reverted_by.entry(of).or_default().push(*id);
            }
        }
        let in_effect = |id: &Oid| is_in_effect(&reverted_by, *id, 0);
        self.undone = reverted_by
            .iter()
            .filter(|(_, by)| by.iter().any(in_effect))
            .map(|(of, _)| *of)
            .collect();
        reverted_by.retain(|of, _| self.fixes.contains_key(of));
        let revert_ids: HashSet<Oid> = reverted_by.values().flatten().copied().collect();
        let alive: HashSet<Oid> = self
            .fixes
            .keys()
            .filter(|id| !revert_ids.contains(id) && is_in_effect(&reverted_by, **id, 0))
            .copied()
            .collect();
        self.fixes.retain(|id, _| alive.contains(id));
    }
}

/// Whether the content of a commit is still present, after all reverts of reverts.
fn is_in_effect(reverted_by: &HashMap<Oid, Vec<Oid>>, id: Oid, depth: usize) -> bool {
    let by = reverted_by.get(&id).map_or(&[][..], Vec::as_slice);
    depth > 50 || !by.iter().any(|revert_id| is_in_effect(reverted_by, *revert_id, depth + 1))
}

/// The commits that a message names as reverted.
fn reverts(message: &Message) -> Vec<Oid> {
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
        let named = |text: &str| reverts(&Message::new(text)).len();
        assert_eq!(named(&format!("Revert\n\nThis reverts commit {id}.")), 1);
        assert_eq!(
            named(&format!("Revert\n\nThis reverts commit {id}0123456789abcdef01234567.")),
            0
        );
    }
}
