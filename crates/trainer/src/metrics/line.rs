//! `metrics.jsonl`, the file that the others are made from.

use crate::error::Error;
use crate::record::{EpochRecord, StepsRecord};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Line {
    /// An epoch, after validation.
    Epoch(EpochRecord),
    /// Some optimizer steps.
    Steps(StepsRecord),
}

/// The lines of a file; none if it does not exist. A last line cut short is left out.
///
/// # Errors
/// [`Error::RunDirectory`] naming the line that is none.
pub(crate) fn lines_of(path: &Path) -> Result<Vec<Line>, Error> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::run_directory(path, error)),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(line, text): (usize, &str)| {
        serde_json::from_str(text)
            .map_err(|error| Error::run_directory(path, format!("line {}: {error}", line + 1)))
    };
    whole.lines().enumerate().map(parse).collect()
}
