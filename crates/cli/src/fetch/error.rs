//! What can go wrong with a download.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("no weights are called `{name}`{}; `kiln weights list` has all", suggestion(nearest.as_deref()))]
    Unknown { name: String, nearest: Option<String> },
    #[error("no folder for downloads: set KILN_CACHE or give --cache")]
    NoCache,
    #[error("{url}: {problem}")]
    Request { url: String, problem: String },
    #[error("{url}: the server answers {status}")]
    Status { url: String, status: u16 },
    #[error("{url}: broken off after {received} bytes: {problem}; {}", next(*kept))]
    BrokenOff { url: String, received: u64, problem: String, kept: bool },
    #[error(
        "{url}: the file has SHA-256 {found}, expected {expected}...; it is not what was published and was removed"
    )]
    Checksum { url: String, expected: String, found: String },
    #[error("{}: {problem}", path.display())]
    File { path: PathBuf, problem: String },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

fn next(kept: bool) -> &'static str {
    if kept {
        "they are kept, and the same command goes on from there"
    } else {
        "the same command begins anew"
    }
}

impl FetchError {
    pub(super) fn file(path: &Path, error: impl std::fmt::Display) -> Self {
        Self::File { path: path.to_owned(), problem: error.to_string() }
    }

    /// 2 for a name that is not known, 5 for a file that is not what was published, 1 for the network and the disk.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Unknown { .. } | Self::NoCache => 2,
            Self::Checksum { .. } => 5,
            _ => 1,
        }
    }
}
