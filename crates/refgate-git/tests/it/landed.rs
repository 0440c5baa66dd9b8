//! Compares where refgate finds a fix with where its lines are. The check knows no commit
//! messages and no patches: each fix has a line of its own.

use std::collections::BTreeSet;

use git2::Repository;
use refgate_git::{Bounds, Graph, Reader, missing_fixes};

use crate::history::History;

const BOUNDS: Bounds = Bounds {
    max_commits: 10_000,
    max_commit_bytes: 1 << 20,
    max_tree_bytes: 1 << 20,
    max_policy_bytes: 1 << 20,
    max_merged_bytes: 1 << 20,
    max_changes: 10_000,
    max_seconds: 600,
};

/// Judges one history. Returns how many fixes were judged, or what is wrong.
fn judge(seed: u64) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::init_bare(folder.path()).unwrap();
    let history = History::new(&repository, seed);
    let [dev, main] = history.tips;
    let lines = |id| history.files(id).into_values().flatten().collect::<BTreeSet<String>>();
    let (on_dev, on_main) = (lines(dev), lines(main));
    let reader = Reader::open(folder.path(), BOUNDS).unwrap();
    let own = |id: git2::Oid| refgate_core::Oid::from_hex(&id.to_string()).unwrap();
    let missing = missing_fixes(&reader, &Graph::new(&reader), [own(main), own(dev)], None);
    let missing: BTreeSet<String> =
        missing.unwrap().into_iter().map(|(id, _)| id.to_string()).collect();
    // One line can come with several commits: a squash brings it again after a revert.
    let covered: BTreeSet<(String, bool)> = missing
        .iter()
        .map(|id| repository.find_commit(git2::Oid::from_str(id).unwrap()).unwrap())
        .flat_map(|commit| history.effects(&commit).unwrap())
        .collect();
    let walk = |tip, hidden: Option<git2::Oid>| {
        let mut walk = repository.revwalk().unwrap();
        walk.push(tip).unwrap();
        hidden.into_iter().for_each(|hidden| walk.hide(hidden).unwrap());
        let all = walk.map(|id| repository.find_commit(id.unwrap()).unwrap());
        all.filter(|commit| commit.parent_count() == 1).collect::<Vec<_>>()
    };
    // What both branches reach came to main by a promotion, and is no debt.
    let unique: BTreeSet<git2::Oid> = walk(main, Some(dev)).iter().map(git2::Commit::id).collect();
    let shared: BTreeSet<(String, bool)> = walk(main, None)
        .into_iter()
        .filter(|commit| !unique.contains(&commit.id()))
        .flat_map(|commit| history.effects(&commit).unwrap())
        .collect();
    let mut judged = 0;
    for commit in walk(main, Some(dev)) {
        let id = commit.id();
        let effects = history.effects(&commit).unwrap();
        let holds =
            |on: &BTreeSet<String>, (line, there): &(String, bool)| on.contains(line) == *there;
        // What main itself has undone is no fix.
        let live: Vec<_> = effects.iter().filter(|effect| holds(&on_main, effect)).collect();
        if live.len() < effects.len() || effects.is_empty() || !shared.is_disjoint(&effects) {
            continue;
        }
        judged += 1;
        let here = live.iter().all(|effect| holds(&on_dev, effect));
        let by_another =
            || live.iter().all(|effect| holds(&on_dev, effect) || covered.contains(*effect));
        let said = missing.contains(&id.to_string()) || (!here && by_another());
        // Git cannot tell that a line is there, or that it was reverted.
        let hidden = match reverted(&repository, &commit) {
            Some(of) if !here => changes_something(&repository, &of, dev),
            _ => here && changes_something(&repository, &commit, dev),
        };
        if here == said && !hidden {
            let story = history.story.join("\n");
            return Err(format!(
                "seed {seed}: {id:.10} {effects:?} is {} dev, refgate says {}\n{story}",
                if here { "on" } else { "missing on" },
                if said { "missing" } else { "there" },
            ));
        }
    }
    Ok(judged)
}

/// The commit that a commit reverts.
fn reverted<'r>(repository: &'r Repository, commit: &git2::Commit<'_>) -> Option<git2::Commit<'r>> {
    let text = commit.message().ok()?.to_string();
    let id = text.split("This reverts commit ").nth(1)?.get(..40)?.to_string();
    repository.find_commit(git2::Oid::from_str(&id).ok()?).ok()
}

/// Whether a pick of the commit onto a tip conflicts, or adds a line a second time. Its lines
/// can be there all the same, but Git cannot tell.
fn changes_something(repository: &Repository, commit: &git2::Commit<'_>, tip: git2::Oid) -> bool {
    let base = format!("--merge-base={}", commit.parent_id(0).unwrap());
    let mut git = std::process::Command::new("git");
    git.arg("--git-dir").arg(repository.path()).args(["merge-tree", "--write-tree", &base]);
    let output = git.args([tip.to_string(), commit.id().to_string()]).output().unwrap();
    let tree = repository.find_commit(tip).unwrap().tree_id().to_string();
    !output.status.success() || !output.stdout.starts_with(tree.as_bytes())
}

/// `REFGATE_LANDED` sets the number of histories.
#[test]
fn a_fix_is_where_its_lines_are() {
    let wanted = std::env::var("REFGATE_LANDED").ok().and_then(|text| text.parse().ok());
    let (mut judged, mut wrong) = (0, Vec::new());
    for seed in 0..wanted.unwrap_or(300) {
        match judge(seed) {
            Ok(number) => judged += number,
            Err(why) => wrong.push(why),
        }
    }
    let first = wrong.iter().min_by_key(|text| text.len());
    assert!(wrong.is_empty(), "{} wrong, the shortest:\n{}", wrong.len(), first.unwrap());
    assert!(judged > 100, "{judged} fixes");
}
