//! Stores the whole world as steps, and restores them. Git never changes an object, so each object
//! is stored once, as a hard link.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::world::MARK;

/// The parts of the world's folder that a step contains.
const PARTS: [&str; 5] = ["server.git", "clone", "you", "contents", "refgate-sim/state.toml"];

/// The folders of Git objects in these parts.
const STORES: [&str; 3] = ["server.git/objects", "clone/.git/objects", "you/.git/objects"];

/// The number of steps that are kept.
const MAX_STEPS: usize = 400;

fn folder(root: &Path, step: usize) -> PathBuf {
    root.join(MARK).join("steps").join(step.to_string())
}

/// The folder of all objects that any step needs.
fn kept(root: &Path) -> PathBuf {
    root.join(MARK).join("objects")
}

/// Whether a folder contains the objects of a repository.
fn is_store(path: &Path) -> bool {
    STORES.iter().any(|store| path.ends_with(store))
}

/// Stores the world as this step.
///
/// # Errors
/// If a file cannot be copied.
pub(crate) fn take(root: &Path, step: usize) -> io::Result<()> {
    let to = folder(root, step);
    remove(&to)?;
    // The step gets its name last, because an interrupted copy must not look complete.
    let torn = to.with_extension("torn");
    remove(&torn)?;
    for store in STORES {
        add(&root.join(store), &kept(root).join(store))?;
    }
    for part in PARTS {
        copy(&root.join(part), &torn.join(part))?;
    }
    fs::rename(&torn, &to)?;
    if let Some(old) = step.checked_sub(MAX_STEPS).filter(|old| *old > 0) {
        remove(&folder(root, old))?;
    }
    Ok(())
}

/// The number of the current step. The next stored step gets this number.
pub(crate) fn step(root: &Path) -> usize {
    let text = fs::read_to_string(root.join(MARK).join("step")).unwrap_or_default();
    text.trim().parse().unwrap_or(1)
}

pub(crate) fn set_step(root: &Path, step: usize) -> io::Result<()> {
    fs::write(root.join(MARK).join("step"), step.to_string())
}

/// Stores the world as a step before a verb changes it.
///
/// # Errors
/// If a file cannot be copied.
pub(crate) fn remember(root: &Path) -> io::Result<()> {
    let now = step(root);
    forget_from(root, now)?;
    take(root, now)?;
    set_step(root, now + 1)
}

/// Removes the whole world, but no other file in its folder.
///
/// # Errors
/// If something cannot be removed.
pub(crate) fn clear(root: &Path) -> io::Result<()> {
    for part in ["server.git", "clone", "you", "contents", MARK] {
        remove(&root.join(part))?;
    }
    Ok(())
}

/// Whether a step is stored.
pub(crate) fn is_stored(root: &Path, step: usize) -> bool {
    folder(root, step).is_dir()
}

/// Restores the world of a step. The folders themselves stay, because a folder can be
/// the working directory of the learner's shell.
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

/// Removes this step and all later ones, which a new step makes invalid.
///
/// # Errors
/// If something cannot be removed.
pub(crate) fn forget_from(root: &Path, step: usize) -> io::Result<()> {
    let mut at = step;
    while is_stored(root, at) {
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

/// Removes the path if it is a symbolic link. The target of the link is not changed.
fn unlink(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => remove(path),
        _ => Ok(()),
    }
}

/// Removes the content of a folder, except Git objects.
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

/// Links the objects that the target does not have yet.
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

/// Copies everything except Git objects.
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
