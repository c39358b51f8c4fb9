//! Where a run is.

use crate::early_stopping::{Best, Patience};
use crate::tally::Tally;
use crate::weights::Take;
use kiln_optim_schedules::{LossScaler, PlateauState};
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
    /// Seconds of these that it waited for pictures.
    pub(crate) data_seconds: f64,
    /// Seconds of these that it waited for checkpoints.
    pub(crate) checkpoint_seconds: f64,
    /// Steps after the last line about steps.
    pub(crate) span: UnloggedSteps,
    /// The best epoch so far.
    pub(crate) best: Option<Best>,
    /// The best epoch of this stage.
    #[serde(default)]
    pub(crate) stage_best: Option<Best>,
    /// What the stages before this one came to.
    #[serde(default)]
    pub(crate) finished: Vec<FinishedStage>,
    /// The best epochs of this stage by the other metrics of `keep_best_by`, in their order.
    pub(crate) also_best: Vec<Best>,
    /// How long the stage has waited for an improvement.
    pub(crate) patience: Patience,
    /// What a plateau schedule has seen of the stage.
    #[serde(default)]
    pub(crate) plateau: PlateauState,
    /// Networks in the stage's average of weights.
    #[serde(default)]
    pub(crate) average_updates: u64,
    /// What the loss is multiplied by in f16.
    #[serde(default)]
    pub(crate) loss_scaler: LossScaler,
    /// Steps of the unfinished epoch that were left out because gradients overflowed in f16.
    #[serde(default)]
    pub(crate) skipped_steps: u64,
    /// How often the stage's passes were halved because the device was out of memory.
    #[serde(default)]
    pub(crate) halvings: u32,
    /// How often the run has diverged and gone back.
    pub(crate) rollbacks: u64,
    /// SHA-256 of the file of weights that the stage is drawn to, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) anchor_sha256: Option<String>,
    /// Ranks that trained last, and whether batch norm took its statistics over all of them.
    #[serde(default)]
    pub(crate) ranks: TrainingRanks,
    /// Lines of `metrics.jsonl` that belong to this state.
    pub(crate) lines: usize,
    /// Whether the stage is complete: by its length or by early stopping.
    pub(crate) stage_done: bool,
}

/// Who trains: what of it can change the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrainingRanks {
    pub(crate) size: usize,
    pub(crate) sync_batch_norm: bool,
}

impl Default for TrainingRanks {
    fn default() -> Self {
        Self { size: 1, sync_batch_norm: false }
    }
}

/// Steps that there is no line about yet.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct UnloggedSteps {
    pub(crate) steps: u64,
    pub(crate) tally: Tally,
    pub(crate) seconds: f64,
    pub(crate) data_seconds: f64,
}

/// The checkpoints of a stage that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FinishedStage {
    /// Name of the last one.
    pub(crate) newest: String,
    /// The best epoch.
    pub(crate) best: Option<Best>,
}

impl TrainState {
    /// Counts the pictures of a step of the unfinished epoch.
    pub(crate) fn count(&mut self, step: &Tally) {
        self.tally.merge(step);
        self.span.tally.merge(step);
    }

    /// Counts time that was spent on waiting for pictures.
    pub(crate) fn waited_for_data(&mut self, seconds: f64) {
        self.data_seconds += seconds;
        self.span.data_seconds += seconds;
    }

    /// Counts the time of a step.
    pub(crate) fn took(&mut self, seconds: f64) {
        self.seconds += seconds;
        self.span.seconds += seconds;
        self.span.steps += 1;
    }

    /// Counts time that was spent on waiting for a checkpoint.
    pub(crate) fn waited_for_checkpoint(&mut self, seconds: f64) {
        self.seconds += seconds;
        self.checkpoint_seconds += seconds;
    }

    /// The state at the start of the stage after this one.
    pub(crate) fn next_stage(self) -> Self {
        let finished = FinishedStage { newest: self.checkpoint_name(), best: self.stage_best };
        let Self { stage, run_step, best, lines, rollbacks, ranks, finished: mut before, .. } =
            self;
        before.push(finished);
        Self {
            stage: stage + 1,
            run_step,
            best,
            lines,
            rollbacks,
            ranks,
            finished: before,
            ..Self::default()
        }
    }

    /// Names of the checkpoints that must stay: the best one's, and those of stages that later ones start from.
    pub(crate) fn needed<'a>(
        &'a self,
        later: &'a [(usize, Take)],
    ) -> impl Iterator<Item = &'a str> {
        let name = |best: &'a Best| best.checkpoint.as_str();
        let of_stages =
            later.iter().filter_map(move |&(stage, take)| match (self.finished.get(stage), take) {
                (Some(finished), Take::Newest) => Some(finished.newest.as_str()),
                (Some(finished), Take::Best) => finished.best.as_ref().map(name),
                (None, Take::Best) if stage == self.stage => self.stage_best.as_ref().map(name),
                (None, _) => None,
            });
        let also = self.also_best.iter().map(name);
        self.best.as_ref().map(name).into_iter().chain(also).chain(of_stages)
    }

    /// Name of the checkpoint that holds this state. With the epochs that are done in it, one that is written when somebody
    /// asks to stop before the last validation of an epoch comes before the one written after it.
    pub(crate) fn checkpoint_name(&self) -> String {
        let Self { stage, epoch, run_step, .. } = self;
        format!("stage{:02}-epoch{epoch:04}-step{run_step:08}", stage + 1)
    }
}
