//! Computes patch ids that are exact in whitespace, modes and binary content. The patch id of Git
//! ignores whitespace, which has a meaning in Python and Makefiles
//! (docs/design/model.md, "Where a fix has landed").

use git2::{Diff, ObjectType, Oid as GitOid};
use refgate_core::Oid;

use crate::GitError;
use crate::reader::{Reader, git};

/// The hash of all changed lines of a diff with their context, without line numbers, and of the
/// names, modes and kinds of its files.
pub(crate) fn patch_id(diff: &Diff<'_>) -> Result<GitOid, git2::Error> {
    let mut text: Vec<u8> = Vec::new();
    for (place, delta) in diff.deltas().enumerate() {
        text.extend(format!("{:?}", delta.status()).as_bytes());
        for file in [delta.old_file(), delta.new_file()] {
            text.push(0);
            text.extend(file.path_bytes().unwrap_or_default());
            text.extend(format!("\0{:o}", i32::from(file.mode())).as_bytes());
        }
        let patch = git2::Patch::from_diff(diff, place)?;
        let whole = patch.as_ref().is_none_or(|patch| patch.delta().flags().is_binary());
        let Some(patch) = patch.filter(|_| !whole) else {
            // A binary file, or one without lines: its content is its identity.
            text.extend(format!("\0{}{}", delta.old_file().id(), delta.new_file().id()).as_bytes());
            continue;
        };
        for hunk in 0..patch.num_hunks() {
            text.push(b'@');
            for line in 0..patch.num_lines_in_hunk(hunk)? {
                let line = patch.line_in_hunk(hunk, line)?;
                text.extend(line.origin().to_string().as_bytes());
                text.extend(line.content());
            }
        }
    }
    GitOid::hash_object(ObjectType::Blob, &text)
}

impl Reader {
    /// The patch id of a commit against its first parent; `None` for a commit without a parent.
    pub(crate) fn patch_id(&self, id: Oid) -> Result<Option<GitOid>, GitError> {
        let repo = self.repository();
        let commit = repo.find_commit(git(id))?;
        let Ok(parent) = commit.parent(0) else { return Ok(None) };
        let (before, after) = (parent.tree()?, commit.tree()?);
        let diff = repo.diff_tree_to_tree(Some(&before), Some(&after), None)?;
        Ok(Some(patch_id(&diff)?))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn git_in(folder: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@x"]).args(arguments);
        let output = command.current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    }

    /// The patch id of a change from one content to another, below other content.
    fn id_of(head: &str, before: &str, after: &str, executable: bool) -> GitOid {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        git_in(path, &["init", "-q"]);
        let file = path.join("a.py");
        for (text, flag) in [(before, "-x"), (after, if executable { "+x" } else { "-x" })] {
            fs::write(&file, format!("{head}{text}")).unwrap();
            git_in(path, &["add", "a.py"]);
            git_in(path, &["update-index", &format!("--chmod={flag}"), "a.py"]);
            git_in(path, &["commit", "-q", "-m", "x"]);
        }
        let repo = git2::Repository::open(path).unwrap();
        let after = repo.head().unwrap().peel_to_commit().unwrap();
        let (before, after) = (after.parent(0).unwrap().tree().unwrap(), after.tree().unwrap());
        let diff = repo.diff_tree_to_tree(Some(&before), Some(&after), None).unwrap();
        patch_id(&diff).unwrap()
    }

    #[test]
    fn whitespace_modes_and_binary_content_count_and_places_do_not() {
        let indent = "if a:\n    b\n    c\n";
        let plain = id_of("", indent, "if a:\n    b\n    d\n", false);
        assert_eq!(plain, id_of("", indent, "if a:\n    b\n    d\n", false));
        assert_ne!(plain, id_of("", indent, "if a:\n    b\nd\n", false));
        assert_ne!(plain, id_of("", indent, "if a:\n    b\n    d\n", true));
        assert_ne!(plain, id_of("", indent, "if a:\n    b\n    d", false));
        let far = "x = 1\n".repeat(20);
        assert_eq!(
            id_of(&far, indent, "if a:\n    b\n    d\n", false),
            id_of(&format!("{far}{far}"), indent, "if a:\n    b\n    d\n", false)
        );
        let binary = |content: &str| id_of("\0\0", "a", content, false);
        assert_ne!(binary("b"), binary("c"));
        assert_eq!(binary("b"), binary("b"));
    }
}
