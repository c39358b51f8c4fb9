//! When checkpoints are written.

use kiln_optim_schedules::Span;
use serde::{Deserialize, Serialize};

/// The time between two checkpoints: a span of training such as `{ epochs = 1 }` or, by the clock, `{ minutes = 10 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "Table")]
pub enum CheckpointEvery {
    /// Passes over the training set; may be a fraction of one.
    Epochs(f64),
    /// Optimizer steps.
    Steps(u64),
    /// Part of the stage, from 0 to 1.
    Fraction(f64),
    /// Minutes by the clock, to be looked at after each step.
    Minutes(f64),
}

/// As it stands in TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    epochs: Option<f64>,
    steps: Option<u64>,
    fraction: Option<f64>,
    minutes: Option<f64>,
}

impl TryFrom<Table> for CheckpointEvery {
    type Error = &'static str;

    fn try_from(table: Table) -> Result<Self, Self::Error> {
        let Table { epochs, steps, fraction, minutes } = table;
        match (epochs, steps, fraction, minutes) {
            (Some(epochs), None, None, None) => Ok(Self::Epochs(epochs)),
            (None, Some(steps), None, None) => Ok(Self::Steps(steps)),
            (None, None, Some(part), None) => Ok(Self::Fraction(part)),
            (None, None, None, Some(minutes)) => Ok(Self::Minutes(minutes)),
            _ => Err("it has exactly one of `epochs`, `steps`, `fraction`, `minutes`"),
        }
    }
}

impl CheckpointEvery {
    /// The span of training, or the minutes.
    pub(crate) fn span(self) -> Result<Span, f64> {
        match self {
            Self::Epochs(epochs) => Ok(Span::Epochs(epochs)),
            Self::Steps(steps) => Ok(Span::Steps(steps)),
            Self::Fraction(part) => Ok(Span::Fraction(part)),
            Self::Minutes(minutes) => Err(minutes),
        }
    }
}
