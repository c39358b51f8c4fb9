//! What can be wrong with a file of weights.

use std::fmt;
use std::path::{Path, PathBuf};

/// Errors of reading, fitting and writing weights. Every message names the file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WeightsError {
    /// The file cannot be read or written, or its content makes no sense.
    #[error("weights {}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A tensor has numbers that no weight has.
    #[error(
        "weights {}: tensor `{name}` holds {found} numbers, expected 16-, 32- or 64-bit floats", path.display()
    )]
    NumberType {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// What it holds.
        found: String,
    },
    /// The names are not those of the layout.
    #[error("weights {}: {problem}", path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        problem: String,
    },
    /// The tensors are not those of the model.
    #[error("weights {} do not fit the model:{mismatch}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Which do not fit.
        mismatch: Box<Mismatch>,
    },
}

impl WeightsError {
    pub(super) fn file(path: &Path, problem: impl fmt::Display) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }

    pub(super) fn layout(path: &Path, problem: impl fmt::Display) -> Self {
        Self::Layout { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// All tensors that keep a file from fitting a model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mismatch {
    /// Names that the model has and the file has not, each with the nearest name that the file has beyond the model's.
    pub missing: Vec<(String, Option<String>)>,
    /// Names that only the file has.
    pub unexpected: Vec<String>,
    /// Names with the model's shape and the file's.
    pub misshapen: Vec<(String, Vec<usize>, Vec<usize>)>,
}

/// Tensors of a kind that a message names; the others are counted.
const NAMED: usize = 8;

impl Mismatch {
    pub(super) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing.iter().map(|(name, nearest)| match nearest {
            Some(nearest) => format!("`{name}` (the file has `{nearest}`)"),
            None => format!("`{name}`"),
        });
        list(f, "missing", missing)?;
        list(f, "unexpected", self.unexpected.iter().map(|name| format!("`{name}`")))?;
        let misshapen = self.misshapen.iter().map(|(name, expected, found)| {
            format!("`{name}` has {found:?} where the model has {expected:?}")
        });
        list(f, "of another shape", misshapen)
    }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    kind: &str,
    mut items: impl ExactSizeIterator<Item = String>,
) -> fmt::Result {
    let count = items.len();
    if count == 0 {
        return Ok(());
    }
    write!(f, "\n  {count} {kind}: ")?;
    let named: Vec<String> = items.by_ref().take(NAMED).collect();
    write!(f, "{}", named.join(", "))?;
    if count > NAMED { write!(f, " and {} more", count - NAMED) } else { Ok(()) }
}
