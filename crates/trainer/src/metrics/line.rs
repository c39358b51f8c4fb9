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
    parsed(path, whole)
}

/// The first `count` lines of a file, as text and parsed. What follows is of no account.
///
/// # Errors
/// [`Error::RunDirectory`] when there are fewer, or naming the line that is none.
pub(crate) fn first_lines(path: &Path, count: usize) -> Result<(String, Vec<Line>), Error> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(|error| Error::run_directory(path, error))?,
    };
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let ends: Vec<usize> = ends.take(count).collect();
    if ends.len() < count {
        let problem = format!("has {} lines, the checkpoint knows {count}", ends.len());
        return Err(Error::run_directory(path, problem));
    }
    let kept = &bytes[..ends.last().copied().unwrap_or(0)];
    let text = String::from_utf8_lossy(kept).into_owned();
    let lines = parsed(path, &text)?;
    Ok((text, lines))
}

/// The lines of `text`, which stands in the file `path`.
fn parsed(path: &Path, text: &str) -> Result<Vec<Line>, Error> {
    let parse = |(line, text): (usize, &str)| {
        serde_json::from_str(text)
            .map_err(|error| Error::run_directory(path, format!("line {}: {error}", line + 1)))
    };
    text.lines().enumerate().map(parse).collect()
}
