//! Where the workspace is and which files belong to it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The checkout that these commands work on.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
}

/// Folders at the root that are made, not written.
const MADE: [&str; 4] = [".git", ".kiln", "runs", "target"];

impl Workspace {
    /// The folder above this package.
    pub(crate) fn find() -> Self {
        // Cargo sets the variable when it runs the program; the path compiled in is right too,
        // unless the checkout was moved after the build.
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().map_or_else(|| package.clone(), Path::to_path_buf);
        Self { root }
    }

    /// Relative paths, with `/`, of all files that are or could be committed, sorted.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let mut files = match self.files_by_git() {
            Some(files) => files,
            None => self.files_by_walk()?,
        };
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// What git tracks or would track; `None` outside a repository (such as a source archive).
    fn files_by_git(&self) -> Option<Vec<String>> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()
            .ok()?;
        let listing = String::from_utf8(output.stdout).ok()?;
        let files: Vec<String> = listing
            .split('\0')
            // A file deleted from the disk stays in the index until the next commit.
            .filter(|path| !path.is_empty() && self.root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        (output.status.success() && !files.is_empty()).then_some(files)
    }

    fn files_by_walk(&self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let path = self.root.join(&folder);
            for entry in fs::read_dir(&path).with_context(|| path.display().to_string())? {
                let entry = entry.with_context(|| path.display().to_string())?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let kind = entry.file_type().with_context(|| path.display().to_string())?;
                if folder.is_empty() {
                    if kind.is_dir() && !MADE.contains(&name.as_str()) {
                        folders.push(name);
                    } else if kind.is_file() {
                        files.push(name);
                    }
                } else if kind.is_dir() {
                    folders.push(format!("{folder}/{name}"));
                } else if kind.is_file() {
                    files.push(format!("{folder}/{name}"));
                }
            }
        }
        Ok(files)
    }
}

/// The cargo that started this program, so that the pinned toolchain stays the same.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

#[cfg(test)]
mod tests {
    use super::Workspace;

    #[test]
    fn both_listings_find_this_file() {
        let workspace = Workspace::find();
        let this = "xtask/src/workspace.rs".to_owned();
        assert!(workspace.files().unwrap().contains(&this));
        assert!(workspace.files_by_walk().unwrap().contains(&this));
    }
}
