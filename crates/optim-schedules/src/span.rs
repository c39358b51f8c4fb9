//! Durations with a unit.

use crate::error::{Error, check};
use serde::{Deserialize, Serialize};

/// A duration as people write it: `{ epochs = 3 }`, `{ steps = 500 }` or `{ fraction = 0.1 }` of the stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "Table")]
pub enum Span {
    /// Passes over the training set; may be a fraction of one.
    Epochs(f64),
    /// Optimizer steps.
    Steps(u64),
    /// Part of the stage, from 0 to 1.
    Fraction(f64),
}

/// A span as it stands in TOML. serde's own form of an enum would only say "expected map with a single key".
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    epochs: Option<f64>,
    steps: Option<u64>,
    fraction: Option<f64>,
}

impl TryFrom<Table> for Span {
    type Error = &'static str;

    fn try_from(table: Table) -> Result<Self, Self::Error> {
        match table {
            Table { epochs: Some(epochs), steps: None, fraction: None } => Ok(Self::Epochs(epochs)),
            Table { epochs: None, steps: Some(steps), fraction: None } => Ok(Self::Steps(steps)),
            Table { epochs: None, steps: None, fraction: Some(part) } => Ok(Self::Fraction(part)),
            _ => Err("a span has exactly one of `epochs`, `steps`, `fraction`"),
        }
    }
}

/// What spans are measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline {
    /// Optimizer steps in one epoch.
    pub steps_per_epoch: u64,
    /// Optimizer steps in the whole stage.
    pub total_steps: u64,
}

impl Span {
    pub(crate) fn whole_stage() -> Self {
        Self::Fraction(1.0)
    }

    /// The span in optimizer steps, rounded to the nearest.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for negative or endless epochs and for fractions outside `[0, 1]`.
    pub fn steps(self, timeline: Timeline) -> Result<u64, Error> {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be finite and not negative just before"
        )]
        match self {
            Self::Steps(steps) => Ok(steps),
            Self::Epochs(epochs) => {
                check((0.0..1e9).contains(&epochs), "epochs", "at least 0 and below 1e9", epochs)?;
                Ok((epochs * timeline.steps_per_epoch as f64).round() as u64)
            }
            Self::Fraction(part) => {
                check((0.0..=1.0).contains(&part), "fraction", "from 0 to 1", part)?;
                Ok((part * timeline.total_steps as f64).round() as u64)
            }
        }
    }
}
