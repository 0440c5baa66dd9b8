//! Writes cherry-picks with the author and message of the original. It never moves a ref.

use git2::ObjectType;
use refgate_core::Oid;

use crate::GitError;
use crate::reader::{EMPTY_TREE, git, oid};
use crate::writer::Writer;

/// The parts of a commit that a cherry-pick keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptHeaders {
    /// The value of the author line: name, address, date and zone.
    pub author: Vec<u8>,
    /// The encoding of the message, if it is not UTF-8.
    pub encoding: Option<Vec<u8>>,
    /// The message.
    pub message: Vec<u8>,
}

impl Writer {
    /// Reads the parts of a commit that a cherry-pick keeps. `from` is added to the message, as
    /// `git cherry-pick -x` does.
    ///
    /// # Errors
    /// Returns an error if the commit cannot be read.
    pub fn kept(&self, commit: Oid, from: Option<Oid>) -> Result<KeptHeaders, GitError> {
        let odb = self.repo().odb()?;
        let object = odb.read(git(commit))?;
        let unreadable =
            || GitError::Object { id: commit, why: "it is not a valid commit".to_string() };
        if object.kind() != ObjectType::Commit {
            return Err(unreadable());
        }
        let data = object.data();
        let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
        let (header, rest) = data.split_at(end);
        let value = |key: &[u8]| {
            let mut lines = header.split(|byte| *byte == b'\n');
            lines.find_map(|line| line.strip_prefix(key)).map(<[u8]>::to_vec)
        };
        let author = value(b"author ").ok_or_else(unreadable)?;
        let mut message = rest.get(2..).unwrap_or_default().to_vec();
        if let Some(from) = from {
            append_pick_line(&mut message, from);
        }
        Ok(KeptHeaders { author, encoding: value(b"encoding "), message })
    }

    /// Writes a copy of `tree` with the files `paths` from the tree or commit `from`. A file that
    /// `from` does not have is removed.
    ///
    /// # Errors
    /// Returns an error if an object cannot be read or written.
    pub fn tree_with_files(&self, tree: Oid, from: Oid, paths: &[String]) -> Result<Oid, GitError> {
        let peeled = |id: Oid| self.repo().find_object(git(id), None)?.peel_to_tree();
        let (base, from) = (peeled(tree)?, peeled(from)?);
        let mut update = git2::build::TreeUpdateBuilder::new();
        for path in paths {
            let place = std::path::Path::new(path);
            match from.get_path(place) {
                Ok(entry) => {
                    update.upsert(path.as_str(), entry.id(), mode(entry.filemode()));
                }
                Err(error) if error.code() != git2::ErrorCode::NotFound => return Err(error.into()),
                Err(_) if base.get_path(place).is_ok() => {
                    update.remove(path.as_str());
                }
                Err(_) => {}
            }
        }
        Ok(oid(update.create_updated(self.repo(), &base)?))
    }

    /// Writes a tree with only the files `paths` of the tree or commit `from`.
    ///
    /// # Errors
    /// Returns an error if an object cannot be read or written.
    pub fn tree_of_files(&self, from: Oid, paths: &[String]) -> Result<Oid, GitError> {
        let empty = self.repo().treebuilder(None)?.write()?;
        self.tree_with_files(oid(empty), from, paths)
    }

    /// Writes a commit of a tree, for versions of Git that merge commits only. The same tree
    /// always gives the same commit. The id of a commit is returned unchanged.
    ///
    /// # Errors
    /// Returns an error if an object cannot be read or written.
    pub fn commit_of_tree(&self, id: Oid) -> Result<Oid, GitError> {
        let repo = self.repo();
        let tree = match id {
            EMPTY_TREE => repo.treebuilder(None)?.write()?,
            id if self.repo().odb()?.read_header(git(id))?.1 == ObjectType::Tree => git(id),
            id => return Ok(id),
        };
        let nobody = git2::Signature::new("refgate", "refgate@localhost", &git2::Time::new(0, 0))?;
        let tree = repo.find_tree(tree)?;
        Ok(oid(repo.commit(None, &nobody, &nobody, "a tree, to be merged\n", &tree, &[])?))
    }

    /// Applies the changes from `base` to `theirs` onto `ours` with libgit2. The three are commits
    /// or trees. Without a base, it merges two commits. Returns the new tree, or the paths that
    /// conflict. It is for places where `git merge-tree` cannot be used: libgit2 detects renames
    /// differently, and has no merge drivers.
    ///
    /// # Errors
    /// Returns an error if an object cannot be read or written.
    pub fn pick_with_libgit2(
        &self,
        base: Option<Oid>,
        [ours, theirs]: [Oid; 2],
    ) -> Result<Result<Oid, Vec<String>>, GitError> {
        let repo = self.repo();
        let tree = |id: git2::Oid| match oid(id) {
            EMPTY_TREE => repo.find_tree(repo.treebuilder(None)?.write()?),
            _ => repo.find_object(id, None)?.peel_to_tree(),
        };
        let base = match base {
            Some(base) => git(base),
            None => repo.merge_base(git(ours), git(theirs))?,
        };
        let mut index =
            repo.merge_trees(&tree(base)?, &tree(git(ours))?, &tree(git(theirs))?, None)?;
        if !index.has_conflicts() {
            return Ok(Ok(oid(index.write_tree_to(repo)?)));
        }
        let mut paths = Vec::new();
        for conflict in index.conflicts()? {
            let conflict = conflict?;
            let side = conflict.our.or(conflict.their).or(conflict.ancestor);
            paths.extend(side.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()));
        }
        Ok(Err(paths))
    }

    /// Writes a cherry-pick, or with several parents a merge commit. It moves no ref. `committer`
    /// is the value of the whole line, as `git var GIT_COMMITTER_IDENT` prints it.
    ///
    /// # Errors
    /// Returns an error if the commit cannot be written.
    pub fn pick(
        &self,
        kept: &KeptHeaders,
        tree: Oid,
        parents: &[Oid],
        committer: &str,
    ) -> Result<Oid, GitError> {
        let mut data = format!("tree {tree}\n").into_bytes();
        for parent in parents {
            data.extend_from_slice(format!("parent {parent}\n").as_bytes());
        }
        data.extend_from_slice(b"author ");
        data.extend_from_slice(&kept.author);
        data.extend_from_slice(format!("\ncommitter {committer}\n").as_bytes());
        if let Some(encoding) = &kept.encoding {
            data.extend_from_slice(b"encoding ");
            data.extend_from_slice(encoding);
            data.push(b'\n');
        }
        data.push(b'\n');
        data.extend_from_slice(&kept.message);
        Ok(oid(self.repo().odb()?.write(ObjectType::Commit, &data)?))
    }
}

/// Converts a mode into the type of libgit2.
const fn mode(of: i32) -> git2::FileMode {
    match of {
        0o100_755 => git2::FileMode::BlobExecutable,
        0o120_000 => git2::FileMode::Link,
        0o160_000 => git2::FileMode::Commit,
        0o040_000 => git2::FileMode::Tree,
        _ => git2::FileMode::Blob,
    }
}

/// Adds the line of `git cherry-pick -x`: to the last paragraph if it is a trailer block,
/// otherwise as a new paragraph.
fn append_pick_line(message: &mut Vec<u8>, from: Oid) {
    if !message.is_empty() && !message.ends_with(b"\n") {
        message.push(b'\n');
    }
    if !ends_with_trailers(&String::from_utf8_lossy(message)) {
        message.push(b'\n');
    }
    message.extend_from_slice(format!("(cherry picked from commit {from})\n").as_bytes());
}

/// Whether the last paragraph is a trailer block, by Git's definition: all of its lines are
/// trailers, or at least a quarter of them, with one that Git itself writes.
fn ends_with_trailers(message: &str) -> bool {
    let paragraphs: Vec<&str> =
        message.trim_end().split("\n\n").filter(|text| !text.trim().is_empty()).collect();
    let [_, .., last] = paragraphs.as_slice() else { return false };
    let (mut trailers, mut others, mut own) = (0_usize, 0_usize, false);
    let mut continues = false;
    for line in last.lines() {
        if line.starts_with([' ', '\t']) && continues {
            continue;
        }
        let written =
            line.starts_with("Signed-off-by: ") || line.starts_with("(cherry picked from ");
        let key = line.split_once(':').map(|(key, _)| key.trim_end());
        let named = key.is_some_and(|key| {
            !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
        own |= written;
        continues = written || named;
        if continues {
            trailers += 1;
        } else {
            others += 1;
        }
    }
    trailers > 0 && (others == 0 || (own && trailers * 3 >= others))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_the_cherry_pick_line_where_git_adds_it() {
        let from = Oid::default();
        let line = format!("(cherry picked from commit {from})\n");
        for (before, between) in [
            ("a\n", "\n"),
            ("a", "\n\n"),
            ("a\n\nbody\n", "\n"),
            ("a\n\nSigned-off-by: x <x@x>\n", ""),
            ("a\n\nbody: yes\n", ""),
            ("Signed-off-by: x <x@x>\n", "\n"),
            ("a\n\n(cherry picked from commit 01)\n", ""),
            ("a\n\none\ntwo\nthree\nfour\nSigned-off-by: x <x@x>\n", "\n"),
            ("a\n\none\ntwo\nthree\nSigned-off-by: x <x@x>\n", ""),
        ] {
            let mut message = before.as_bytes().to_vec();
            append_pick_line(&mut message, from);
            assert_eq!(String::from_utf8(message).unwrap(), format!("{before}{between}{line}"));
        }
    }
}
