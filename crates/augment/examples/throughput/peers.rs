//! The peers' side: a Python process that measures the rows it is told by name.

use serde::Deserialize;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) struct Peers {
    process: Child,
    names: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Seconds for each picture; `None` where a library has no such op.
#[derive(Deserialize)]
pub(crate) struct Seconds {
    pub(crate) albumentations: Option<f64>,
    pub(crate) torchvision: Option<f64>,
    pub(crate) pillow: Option<f64>,
}

impl Peers {
    /// Starts `python` and lets it decode the pictures.
    pub(crate) fn start(python: &Path, pictures: &[PathBuf]) -> Result<Self, String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/peers/augment.py");
        let mut process = Command::new(python)
            .arg(script)
            .args(pictures)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", python.display()))?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(names), Some(answers)) => {
                Ok(Self { process, names, answers: BufReader::new(answers) })
            }
            _ => Err("no pipes to the peers".to_owned()),
        }
    }

    pub(crate) fn measure(&mut self, name: &str) -> Result<Seconds, String> {
        let failed = |error: &dyn std::fmt::Display| format!("peers of `{name}`: {error}");
        writeln!(self.names, "{name}").map_err(|error| failed(&error))?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|error| failed(&error))?;
        serde_json::from_str(&line).map_err(|error| failed(&error))
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        // It ends by itself when its input does, unless it is in the middle of a row.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
