//! Walking a class folder the way torchvision's `ImageFolder` does.

use crate::error::Error;
use rayon::prelude::*;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

/// Endings of the files that are listed, compared without regard to case.
const EXTENSIONS: [&str; 3] = ["jpg", "jpeg", "png"];

/// A picture found: its path below the class folder with `/` between parts, and its size in bytes.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) file_bytes: u64,
}

/// Names of the folders in `root`, sorted. Hidden ones and symbolic links are left out, the latter with a warning.
pub(crate) fn class_folders(root: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in entries(root)? {
        if kind(&entry)? == Kind::Folder {
            names.push(name(&entry)?);
        }
    }
    Ok(names)
}

/// The pictures of each class of `root`, classes in the order given.
pub(crate) fn pictures(root: &Path, classes: &[String]) -> Result<Vec<Vec<Found>>, Error> {
    classes
        .par_iter()
        .map(|class| {
            let folder = root.join(class);
            let found = pictures_of_class(&folder)?;
            if found.is_empty() {
                return Err(Error::EmptyClass { class: class.clone(), path: folder });
            }
            Ok(found)
        })
        .collect()
}

/// Pictures below `folder`, in torchvision's order: folders by their whole path, then files by name.
fn pictures_of_class(folder: &Path) -> Result<Vec<Found>, Error> {
    let mut folders: Vec<(String, Vec<Found>)> = Vec::new();
    let mut pending: Vec<(PathBuf, String)> = vec![(folder.to_path_buf(), String::new())];
    while let Some((path, prefix)) = pending.pop() {
        let mut found = Vec::new();
        for entry in entries(&path)? {
            match kind(&entry)? {
                Kind::Folder => pending.push((entry.path(), format!("{prefix}{}/", name(&entry)?))),
                Kind::Picture { file_bytes } => {
                    found.push(Found { name: format!("{prefix}{}", name(&entry)?), file_bytes });
                }
                Kind::Other => {}
            }
        }
        folders.push((prefix, found));
    }
    // Without the closing slash, as the paths that torchvision sorts: "a-b" comes before "a/b".
    folders.sort_by(|(a, _), (b, _)| a.trim_end_matches('/').cmp(b.trim_end_matches('/')));
    Ok(folders.into_iter().flat_map(|(_, found)| found).collect())
}

/// What is in a folder and not hidden, sorted by name.
fn entries(folder: &Path) -> Result<Vec<DirEntry>, Error> {
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(Error::io("list", folder))?;
    entries.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

#[derive(PartialEq, Eq)]
enum Kind {
    Folder,
    Picture { file_bytes: u64 },
    Other,
}

fn kind(entry: &DirEntry) -> Result<Kind, Error> {
    let path = entry.path();
    let file_type = entry.file_type().map_err(Error::io("inspect", &path))?;
    if file_type.is_dir() {
        return Ok(Kind::Folder);
    }
    if file_type.is_symlink() && path.is_dir() {
        tracing::warn!(path = %path.display(), "a symbolic link to a folder is not followed");
        return Ok(Kind::Other);
    }
    let ending = path.extension().and_then(|ending| ending.to_str());
    let listed = ending.is_some_and(|ending| {
        EXTENSIONS.iter().any(|extension| ending.eq_ignore_ascii_case(extension))
    });
    if !listed {
        return Ok(Kind::Other);
    }
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => Ok(Kind::Picture { file_bytes: metadata.len() }),
        // A pipe or a device would keep the loader waiting for bytes that nobody sends.
        Ok(_) => {
            tracing::warn!(path = %path.display(), "neither a file nor a folder: ignored");
            Ok(Kind::Other)
        }
        // A link to nothing is a picture that is missing, which is for the loader to report or to skip.
        Err(_) if file_type.is_symlink() => Ok(Kind::Picture { file_bytes: 0 }),
        Err(error) => Err(Error::io("inspect", &path)(error)),
    }
}

fn name(entry: &DirEntry) -> Result<String, Error> {
    entry.file_name().into_string().map_err(|_| Error::NotUnicode { path: entry.path() })
}
