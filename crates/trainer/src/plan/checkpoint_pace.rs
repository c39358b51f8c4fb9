//! When the next checkpoint is due.

use crate::spec::CheckpointEvery;
use kiln_optim_schedules::Timeline;
use serde::Serialize;
use std::time::Duration;

/// The time between two checkpoints, resolved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointPace {
    /// Optimizer steps of the stage.
    Steps(u64),
    /// By the clock, in seconds.
    Seconds(f64),
}

impl CheckpointPace {
    /// Resolves `every`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(every: CheckpointEvery, timeline: Timeline) -> Result<Self, String> {
        match every.span() {
            Ok(span) => match span.steps(timeline).map_err(|error| error.to_string())? {
                0 => Err("must be at least one step".to_owned()),
                steps => Ok(Self::Steps(steps)),
            },
            // A year, so that it is a time that can be added up.
            Err(minutes) if minutes > 0.0 && minutes <= 525_600.0 => {
                Ok(Self::Seconds(60.0 * minutes))
            }
            Err(_) => Err("`minutes` must be above 0 and at most a year".to_owned()),
        }
    }

    /// Whether a checkpoint is due after step `step` of the stage, `since` after the one before.
    pub(crate) fn is_due(self, step: u64, since: Duration) -> bool {
        match self {
            Self::Steps(every) => step.is_multiple_of(every),
            Self::Seconds(every) => since.as_secs_f64() >= every,
        }
    }
}
