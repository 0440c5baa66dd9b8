//! Does a merge hold content that none of its parents and no plain merge of them gives?

use std::collections::BTreeMap;

use refgate_core::Oid;

use crate::reader::{Reader, git, oid};
use crate::{Entry, GitError};

/// The three trees of a merge at one place: result, first and second parent.
type Three = [Option<Oid>; 3];

/// The paths at which a merge differs from both parents although a plain merge
/// of the two would have given something else without a conflict. A path where
/// the plain merge conflicts was resolved by a person, which is what merges are
/// for; its content is judged with the landing's whole diff.
///
/// # Errors
/// If an object cannot be read.
pub(crate) fn evil_paths(
    reader: &Reader,
    merge: Oid,
    trees: [Oid; 3],
    parents: [Oid; 2],
) -> Result<Vec<String>, GitError> {
    let mut suspects = BTreeMap::new();
    collect(reader, merge, trees.map(Some), &mut Vec::new(), &mut suspects)?;
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    let repo = reader.repository();
    let (ours, theirs) = (git(parents[0]), git(parents[1]));
    let (ours, theirs) = (repo.find_commit(ours)?, repo.find_commit(theirs)?);
    let plain = repo.merge_commits(&ours, &theirs, None)?;
    let mut conflicts = Vec::new();
    for conflict in plain.conflicts()? {
        let conflict = conflict?;
        let sides = [conflict.ancestor, conflict.our, conflict.their];
        conflicts.extend(sides.into_iter().flatten().map(|entry| entry.path));
    }
    suspects.retain(|path, found| {
        let expected = plain.get_path(as_path(path), 0).map(|entry| (oid(entry.id), entry.mode));
        !conflicts.contains(path) && expected != *found
    });
    let shown = suspects.keys().map(|path| String::from_utf8_lossy(path).into_owned());
    Ok(shown.collect())
}

fn as_path(path: &[u8]) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt;
    std::path::Path::new(std::ffi::OsStr::from_bytes(path))
}

/// What a merge holds at a path: the object and its mode.
type Held = Option<(Oid, u32)>;

fn collect(
    reader: &Reader,
    merge: Oid,
    three: Three,
    path: &mut Vec<u8>,
    suspects: &mut BTreeMap<Vec<u8>, Held>,
) -> Result<(), GitError> {
    let [result, first, second] = three;
    if result == first || result == second {
        return Ok(());
    }
    reader.in_time()?;
    let mut names: BTreeMap<Vec<u8>, [Option<Entry>; 3]> = BTreeMap::new();
    for (side, tree) in three.into_iter().enumerate() {
        let Some(tree) = tree else { continue };
        for entry in reader.tree(tree)?.iter() {
            let slot = names.entry(entry.name.clone()).or_default();
            if let Some(place) = slot.get_mut(side) {
                *place = Some(entry.clone());
            }
        }
    }
    for (name, sides) in names {
        let [mine, one, two] = &sides;
        if mine == one || mine == two {
            continue;
        }
        let length = path.len();
        path.extend_from_slice(&name);
        let folder = |entry: &Option<Entry>| entry.as_ref().filter(|e| e.is_tree()).map(|e| e.id);
        let file =
            |entry: &Option<Entry>| entry.as_ref().filter(|e| !e.is_tree()).map(|e| (e.id, e.mode));
        let held = [file(mine), file(one), file(two)];
        if held[0] != held[1] && held[0] != held[2] {
            suspects.insert(path.clone(), held[0]);
            if suspects.len() > reader.bounds().max_changes {
                return Err(GitError::TooManyChanges(merge));
            }
        }
        path.push(b'/');
        collect(reader, merge, [folder(mine), folder(one), folder(two)], path, suspects)?;
        path.truncate(length);
    }
    Ok(())
}
