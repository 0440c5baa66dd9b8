//! A Git directory of its own for trial merges. It holds no settings of the repository and
//! no merge drivers, its attributes override those of every tree, and objects that a merge
//! writes go away with it (docs/design/threats.md, H9).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use tempfile::TempDir;

use crate::reader::Reader;

/// Attributes with the highest precedence. A tree could otherwise choose markers of any
/// length: a size of 500,000,000 makes Git write a file of that length for each conflict.
const ATTRIBUTES: &str = "* conflict-marker-size=7\n";

/// The windows bound the address space that packs take, so that [`MAX_MEMORY`] can be low.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tuseReplaceRefs = false\n\
    \tpackedGitWindowSize = 32m\n\tpackedGitLimit = 256m\n\tbigFileThreshold = 64m\n";

/// The address space of a trial merge, in bytes.
const MAX_MEMORY: u64 = 4 << 30;

/// Variables that would lead Git to another repository, to other objects or to settings of
/// the caller.
const SCRUBBED: [&str; 14] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_EXTERNAL_DIFF",
    "GIT_ATTR_SOURCE",
];

/// A temporary Git directory that reads the objects of a repository.
#[derive(Debug)]
pub struct MergeStore {
    folder: TempDir,
}

impl MergeStore {
    /// Creates a store that reads the objects of these object directories.
    ///
    /// # Errors
    /// Returns an error if the temporary directory cannot be written.
    pub fn new(object_directories: &[PathBuf]) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("refgate-merge-").tempdir()?;
        let path = folder.path();
        for name in ["objects/info", "refs", "info"] {
            fs::create_dir_all(path.join(name))?;
        }
        fs::write(path.join("HEAD"), "ref: refs/heads/none\n")?;
        fs::write(path.join("config"), CONFIG)?;
        fs::write(path.join("info/attributes"), ATTRIBUTES)?;
        let lines: Vec<String> =
            object_directories.iter().map(|path| path.display().to_string() + "\n").collect();
        fs::write(path.join("objects/info/alternates"), lines.concat())?;
        Ok(Self { folder })
    }

    /// The directory of the objects that merges write.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }

    /// A Git command in this store. It reads no setting of a user or of the system.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut git = Command::new("git");
        for name in SCRUBBED {
            git.env_remove(name);
        }
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        git.env("GIT_ATTR_NOSYSTEM", "1").env("GIT_NO_REPLACE_OBJECTS", "1");
        git.arg("--git-dir").arg(self.folder.path()).current_dir(self.folder.path());
        git
    }

    /// A Git command whose objects go to another object directory instead of this store.
    #[must_use]
    pub fn command_writing_to(&self, objects: &Path) -> Command {
        let mut git = self.command();
        git.env("GIT_OBJECT_DIRECTORY", objects);
        git
    }
}

impl Reader {
    /// Names the object directories of the push in quarantine, so that trial merges see its
    /// objects. Without this, merges see the objects at rest.
    pub fn set_object_directories(&mut self, directories: Vec<PathBuf>) {
        self.object_directories = directories;
    }

    /// A Git command for a trial merge. The reader sees the objects that it writes, until
    /// [`Reader::discard_merges`].
    pub(crate) fn merge_command(&self) -> io::Result<Command> {
        let mut merges = self.merges.borrow_mut();
        if let Some(store) = merges.as_ref() {
            return Ok(store.command());
        }
        let mut directories = self.object_directories.clone();
        let own = self.git_dir().join("objects");
        if !directories.contains(&own) {
            directories.push(own);
        }
        let store = MergeStore::new(&directories)?;
        let objects = store.objects().display().to_string();
        let odb = self.repository().odb().map_err(io::Error::other)?;
        odb.add_disk_alternate(&objects).map_err(io::Error::other)?;
        Ok(merges.insert(store).command())
    }

    /// Removes what trial merges wrote.
    pub fn discard_merges(&self) {
        self.merges.borrow_mut().take();
    }
}

/// Bounds the memory of a child process. The time is bounded by the caller.
pub fn limit_memory(child: &Child) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Pid, Resource, Rlimit, prlimit};
        let limit = Rlimit { current: Some(MAX_MEMORY), maximum: Some(MAX_MEMORY) };
        // A child that has ended already needs no limit.
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let _ = pid.map(|pid| prlimit(Some(pid), Resource::As, limit));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (child, MAX_MEMORY);
}
