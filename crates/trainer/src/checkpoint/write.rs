//! Sets on disk: written whole, and removed so that no half of one is ever taken for a whole one.

use super::set::{SET, names};
use super::snapshot::Snapshot;
use super::sums::{SUMS, Sums};
use crate::error::Error;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

/// Ends of the names of folders that are being written or removed. They begin with a dot.
const UNFINISHED: [&str; 2] = [".partial", ".removed"];

/// Writes a set under `folder`: to a hidden folder, synced, renamed. One of the same place in the run is kept: it was
/// whole when the run was resumed from it, and nothing has happened since.
///
/// # Errors
/// [`Error::Checkpoint`] when anything cannot be written; nothing is left behind then.
pub(super) fn write(folder: &Path, snapshot: Snapshot) -> Result<(), Error> {
    let name = snapshot.state.checkpoint_name();
    let path = folder.join(&name);
    if path.exists() {
        return Ok(());
    }
    let partial = folder.join(format!(".{name}{}", UNFINISHED[0]));
    let written = write_files(&partial, snapshot).and_then(|()| {
        fs::rename(&partial, &path)
            .and_then(|()| sync_folder(folder))
            .map_err(|error| Error::checkpoint(&path, error))
    });
    if written.is_err() {
        // The disk may be full: give its space back. The error to report is the first one.
        let _ = fs::remove_dir_all(&partial);
    }
    written
}

fn write_files(partial: &Path, snapshot: Snapshot) -> Result<(), Error> {
    let fault = |error: std::io::Error| Error::checkpoint(partial, error);
    if partial.exists() {
        fs::remove_dir_all(partial).map_err(fault)?;
    }
    fs::create_dir_all(partial).map_err(fault)?;
    let mut sums = Sums::default();
    snapshot.encode(partial, |name, contents| {
        sums.add(name, contents);
        sync_write(&partial.join(name), contents)
    })?;
    sync_write(&partial.join(SUMS), sums.to_text().as_bytes())?;
    sync_folder(partial).map_err(fault)
}

/// Removes a set so that one half removed is never taken for a whole one.
fn hide_and_remove(path: &Path) -> std::io::Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let hidden = path.with_file_name(format!(".{}{}", name.unwrap_or_default(), UNFINISHED[1]));
    if hidden.exists() {
        fs::remove_dir_all(&hidden)?;
    }
    fs::rename(path, &hidden)?;
    fs::remove_dir_all(&hidden)
}

fn sync_write(path: &Path, contents: &[u8]) -> Result<(), Error> {
    File::create(path)
        .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
        .map_err(|error| Error::checkpoint(path, error))
}

/// A rename is only on disk once its folder is. Windows cannot open folders and does not need it.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Removes all sets but the newest `keep` and those that are `needed`.
///
/// # Errors
/// [`Error::Checkpoint`] when one cannot be removed.
pub(super) fn prune(folder: &Path, keep: usize, needed: &HashSet<String>) -> Result<(), Error> {
    let names = names(folder)?;
    let old = names.len().saturating_sub(keep);
    remove(folder, names[..old].iter().filter(|name| !needed.contains(*name)))
}

fn remove<'a>(folder: &Path, names: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    for name in names {
        let path = folder.join(name);
        hide_and_remove(&path).map_err(|error| Error::checkpoint(&path, error))?;
    }
    Ok(())
}

/// Removes what a killed run left half written or half removed.
///
/// # Errors
/// [`Error::Checkpoint`] when something cannot be removed.
pub(crate) fn clean(folder: &Path) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_unfinished = UNFINISHED.iter().any(|end| name.ends_with(end));
        if name.starts_with(&format!(".{SET}")) && is_unfinished {
            let path = entry.path();
            fs::remove_dir_all(&path).map_err(|error| Error::checkpoint(&path, error))?;
        }
    }
    Ok(())
}
