//! Where a run is.

use crate::early_stopping::{Best, Patience};
use crate::tally::Tally;
use kiln_optim_schedules::PlateauState;
use serde::{Deserialize, Serialize};

/// Everything a resumed run needs beside tensors. Randomness is not in it: every draw is a function of the
/// seed and the position.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct TrainState {
    /// Index of the stage among the experiment's.
    pub(crate) stage: usize,
    /// Epochs of the stage that are trained, evaluated and recorded.
    pub(crate) epoch: u64,
    /// Optimizer steps done in the epoch after those.
    pub(crate) step_in_epoch: u64,
    /// Optimizer steps since the run began.
    pub(crate) run_step: u64,
    /// Training hits and losses of the unfinished epoch.
    pub(crate) tally: Tally,
    /// Seconds spent on the unfinished epoch.
    pub(crate) seconds: f64,
    /// The best epoch so far.
    pub(crate) best: Option<Best>,
    /// How long the stage has waited for an improvement.
    pub(crate) patience: Patience,
    /// What a plateau schedule has seen of the stage.
    #[serde(default)]
    pub(crate) plateau: PlateauState,
    /// Networks in the stage's average of weights.
    #[serde(default)]
    pub(crate) average_updates: u64,
    /// Lines of `metrics.jsonl` that belong to this state.
    pub(crate) records: usize,
    /// Whether the stage is complete: by its length or by early stopping.
    pub(crate) stage_done: bool,
}

impl TrainState {
    /// The state at the start of the stage after this one.
    pub(crate) fn next_stage(self) -> Self {
        let Self { stage, run_step, best, records, .. } = self;
        Self { stage: stage + 1, run_step, best, records, ..Self::default() }
    }

    /// Name of the checkpoint that holds this state.
    pub(crate) fn checkpoint_name(&self) -> String {
        format!("stage{:02}-step{:08}", self.stage + 1, self.run_step)
    }
}
