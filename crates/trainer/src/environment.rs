//! Where a run took place.

use crate::run::RunSettings;
use serde::Serialize;
use std::process::Command;

/// `environment.json`: what a reader of results needs to know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Environment {
    /// Version of Kiln.
    pub(crate) kiln_version: &'static str,
    /// Commit of the working directory, with `-dirty` after uncommitted changes; absent outside a repository.
    pub(crate) commit: Option<String>,
    /// The device as Burn names it.
    pub(crate) device: String,
    /// The processor's name, where Linux tells it.
    pub(crate) processor: Option<String>,
    /// Threads that the machine runs at once.
    pub(crate) threads: usize,
    /// Worker threads of the loader.
    pub(crate) loader_workers: usize,
    /// Processes or threads that train together.
    pub(crate) ranks: usize,
    /// The command line.
    pub(crate) command: Vec<String>,
    /// Seconds since 1970.
    pub(crate) started_unix_seconds: u64,
}

impl Environment {
    /// Looks around.
    pub(crate) fn here(settings: &RunSettings) -> Self {
        Self {
            kiln_version: env!("CARGO_PKG_VERSION"),
            commit: commit(),
            device: format!("{:?}", settings.device),
            processor: processor(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            loader_workers: settings.workers,
            ranks: settings.ranks.size(),
            command: std::env::args().collect(),
            started_unix_seconds: std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        }
    }
}

fn commit() -> Option<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .output()
        .ok()?;
    let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}

/// The name of the processor, where Linux tells it.
pub fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
