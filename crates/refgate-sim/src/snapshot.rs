//! How does the whole world go back? Every step is kept; objects once, by hard links, since git never changes one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::world::MARK;

/// What a step holds of the world's folder.
const PARTS: [&str; 5] = ["server.git", "clone", "you", "contents", "refgate-sim/state.toml"];

/// Where the parts have their objects.
const STORES: [&str; 3] = ["server.git/objects", "clone/.git/objects", "you/.git/objects"];

/// So many steps are kept.
const MOST: usize = 400;

fn folder(root: &Path, step: usize) -> PathBuf {
    root.join(MARK).join("steps").join(step.to_string())
}

/// All objects that were ever seen, for steps to come back to.
fn kept(root: &Path) -> PathBuf {
    root.join(MARK).join("objects")
}

/// Whether a folder holds the objects of a repository.
fn is_store(path: &Path) -> bool {
    STORES.iter().any(|store| path.ends_with(store))
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
    for store in STORES {
        add(&root.join(store), &kept(root).join(store))?;
    }
    for part in PARTS {
        copy(&root.join(part), &torn.join(part))?;
    }
    fs::rename(&torn, &to)?;
    if let Some(old) = step.checked_sub(MOST).filter(|old| *old > 0) {
        remove(&folder(root, old))?;
    }
    Ok(())
}

/// Which step the world is at: what is kept next is kept as this one.
pub(crate) fn step(root: &Path) -> usize {
    let text = fs::read_to_string(root.join(MARK).join("step")).unwrap_or_default();
    text.trim().parse().unwrap_or(1)
}

pub(crate) fn set_step(root: &Path, step: usize) -> io::Result<()> {
    fs::write(root.join(MARK).join("step"), step.to_string())
}

/// Keeps the world as it is before something is done to it.
///
/// # Errors
/// If a file cannot be copied.
pub(crate) fn remember(root: &Path) -> io::Result<()> {
    let now = step(root);
    forget_from(root, now)?;
    take(root, now)?;
    set_step(root, now + 1)
}

/// Removes the whole world, and nothing else that lies in its folder.
///
/// # Errors
/// If something cannot be removed.
pub(crate) fn clear(root: &Path) -> io::Result<()> {
    for part in ["server.git", "clone", "you", "contents", MARK] {
        remove(&root.join(part))?;
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
        unlink(&to)?;
        if kept.is_dir() {
            fs::create_dir_all(&to)?;
            empty(&to)?;
        } else {
            remove(&to)?;
        }
        copy(&kept, &to)?;
    }
    for store in STORES {
        add(&kept(root).join(store), &root.join(store))?;
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
    STORES.iter().try_for_each(|store| add(&root.join(store), &to.join(store)))
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

/// A link in the place of a folder of ours goes; where it leads stays as it is.
fn unlink(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => remove(path),
        _ => Ok(()),
    }
}

/// Removes what is in a folder, except objects.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        unlink(&path)?;
        if is_store(&path) {
            continue;
        }
        let has_store = STORES.iter().any(|store| path.join("objects").ends_with(store));
        if has_store && path.is_dir() { empty(&path)? } else { remove(&path)? }
    }
    Ok(())
}

/// Links the objects that are not there yet.
fn add(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            add(&path, &to)?;
        } else if !to.exists() && fs::hard_link(&path, &to).is_err() {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}

/// Copies all but objects.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if is_store(from) {
        return Ok(());
    }
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
    fs::copy(from, to).map(|_| ())
}
