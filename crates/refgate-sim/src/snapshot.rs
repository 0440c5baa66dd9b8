//! How does the whole world go back? Every step is kept: objects by hard links, all else by copies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a step holds of the world's folder.
const PARTS: [&str; 5] = ["server.git", "clone", "you", "contents", "refgate-sim/state.toml"];

/// So many steps are kept.
const MOST: usize = 400;

fn folder(root: &Path, step: usize) -> PathBuf {
    root.join("refgate-sim").join("steps").join(step.to_string())
}

/// Keeps the world as it is, as this step.
///
/// # Errors
/// If a file cannot be copied.
pub(crate) fn take(root: &Path, step: usize) -> io::Result<()> {
    let to = folder(root, step);
    remove(&to)?;
    // What is torn by a kill must not look whole.
    let torn = to.with_extension("torn");
    remove(&torn)?;
    for part in PARTS {
        copy(&root.join(part), &torn.join(part))?;
    }
    fs::rename(&torn, &to)?;
    if let Some(old) = step.checked_sub(MOST) {
        remove(&folder(root, old))?;
    }
    Ok(())
}

/// Whether a step is kept.
pub(crate) fn is_kept(root: &Path, step: usize) -> bool {
    folder(root, step).is_dir()
}

/// Brings the world back to a step. The folders themselves stay, so that
/// nobody's shell stands in a folder that is gone.
///
/// # Errors
/// If a file cannot be copied.
pub(crate) fn restore(root: &Path, step: usize) -> io::Result<()> {
    let from = folder(root, step);
    for part in PARTS {
        let (kept, to) = (from.join(part), root.join(part));
        if !kept.is_dir() {
            remove(&to)?;
            copy(&kept, &to)?;
            continue;
        }
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(&to)? {
            remove(&entry?.path())?;
        }
        copy(&kept, &to)?;
    }
    Ok(())
}

/// Forgets the steps from one on: another way was taken.
///
/// # Errors
/// If something cannot be removed.
pub(crate) fn forget_from(root: &Path, step: usize) -> io::Result<()> {
    let mut at = step;
    while is_kept(root, at) {
        remove(&folder(root, at))?;
        at += 1;
    }
    Ok(())
}

/// Copies the whole world to another folder.
///
/// # Errors
/// If a file cannot be copied.
pub(crate) fn fork(root: &Path, to: &Path) -> io::Result<()> {
    for part in PARTS {
        copy(&root.join(part), &to.join(part))?;
    }
    Ok(())
}

pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match gone {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Git never changes an object once it is written, so a hard link is a copy.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if found.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    if found.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    let is_object = from.components().any(|part| part.as_os_str() == "objects")
        && from
            .components()
            .any(|part| part.as_os_str() == ".git" || part.as_os_str() == "server.git");
    if !is_object || fs::hard_link(from, to).is_err() {
        fs::copy(from, to)?;
    }
    Ok(())
}
