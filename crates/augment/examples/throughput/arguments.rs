//! The command line.

use std::path::{Path, PathBuf};

const USAGE: &str = "usage: throughput --data DIR [--limit N] [--only ROW]... [--rounds N] [--peers [--python FILE]]";

pub(crate) struct Arguments {
    /// Folder of photographs.
    pub(crate) data: PathBuf,
    /// The Python that has the peers, if they are asked for.
    pub(crate) python: Option<PathBuf>,
    /// Names of rows; empty for all.
    pub(crate) only: Vec<String>,
    /// Turns, of which the median counts.
    pub(crate) rounds: usize,
    /// Pictures at most.
    limit: usize,
}

impl Arguments {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut data, mut python, mut with_peers) = (None, PathBuf::from("python3"), false);
        let (mut only, mut rounds, mut limit) = (Vec::new(), 1, usize::MAX);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value\n{USAGE}"));
            let count = |text: String| match text.parse() {
                Ok(count @ 1..) => Ok(count),
                _ => Err(format!("`{text}` is no count\n{USAGE}")),
            };
            match word.as_str() {
                "--data" => data = Some(PathBuf::from(value()?)),
                "--python" => python = PathBuf::from(value()?),
                "--only" => only.push(value()?),
                "--rounds" => rounds = count(value()?)?,
                "--limit" => limit = count(value()?)?,
                "--peers" => with_peers = true,
                _ => return Err(format!("unknown argument `{word}`\n{USAGE}")),
            }
        }
        let data = data.ok_or(format!("no --data\n{USAGE}"))?;
        Ok(Self { data, python: with_peers.then_some(python), only, rounds, limit })
    }

    /// Every JPEG of the folder and the folders in it, at most as many as allowed and then spread over all.
    pub(crate) fn pictures(&self) -> Result<Vec<PathBuf>, String> {
        let mut found = Vec::new();
        collect(&self.data, &mut found)?;
        found.sort();
        if found.is_empty() {
            return Err(format!("{}: no .jpg files", self.data.display()));
        }
        let step = found.len().div_ceil(self.limit.min(found.len()));
        Ok(found.into_iter().step_by(step).collect())
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let at = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(at)? {
        let path = entry.map_err(at)?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "jpg") {
            found.push(path);
        }
    }
    Ok(())
}
