//! Writes refgate's own files in a git directory. A repository that somebody sent can contain
//! symbolic links there: nothing is read or written through one (docs/security.md).

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The directory in the git directory that contains all files of refgate.
pub const DIRECTORY: &str = "refgate";

/// The prefix of a file that is not complete yet. After a kill, it can be deleted.
pub const UNFINISHED: &str = ".new-";

/// The directory of refgate's files in a git directory. It need not exist.
///
/// # Errors
/// Returns an error if its place is taken by a symbolic link or a file.
pub fn own_directory(git_dir: &Path) -> io::Result<PathBuf> {
    let path = git_dir.join(DIRECTORY);
    reject_other_than_directory(&path)?;
    Ok(path)
}

/// Creates a directory in [`own_directory`] and returns its path.
///
/// # Errors
/// Returns an error if the directory cannot be created, or if its place is taken by a
/// symbolic link or a file.
pub fn create_own_directory(git_dir: &Path, name: &str) -> io::Result<PathBuf> {
    let path = own_directory(git_dir)?.join(name);
    reject_other_than_directory(&path)?;
    fs::create_dir_all(&path)?;
    Ok(path)
}

/// Replaces a file. A rename replaces it, so no process reads an incomplete one, and a symbolic
/// link at its place is replaced instead of followed.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Opens a file for a lock, and creates it if it is missing.
///
/// # Errors
/// Returns an error if the file cannot be opened, or if it is a symbolic link.
pub fn open_lock_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    options.custom_flags(i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0));
    options.open(path)
}

fn reject_other_than_directory(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_dir() => {
            let path = path.display();
            let kind = if found.is_symlink() { "a symbolic link" } else { "not a directory" };
            Err(io::Error::other(format!("{path} is {kind}; refgate does not write through it")))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
