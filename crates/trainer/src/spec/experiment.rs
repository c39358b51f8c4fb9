//! The tables of an experiment file.

use super::checkpoint_every::CheckpointEvery;
use super::micro_batch::MicroBatch;
use super::start_from::StartFrom;
use crate::drop_schedule::DropSchedule;
use crate::error::Error;
use crate::loss::{ClassWeights, LossSpec};
use crate::parameter_rules::ParameterRule;
use crate::progressive::ProgressiveResize;
use crate::weights::WeightsSpec;
use burn::tensor::DType;
use kiln_augment::mix::MixSpec;
use kiln_augment::{Interpolation, OpSpec};
use kiln_data::{OnBadImage, SourceSpec};
use kiln_models::{Kernels, ModelSpec};
use kiln_optim_schedules::{
    AdaptiveClip, AverageSpec, L2Sp, OptimizerSpec, ScheduleSpec, Span, Warmup,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

impl ExperimentSpec {
    /// The path of the setting that says how high the rates of a stage are, where there is one.
    pub(crate) fn rate_setting(&self, stage: &str) -> Option<String> {
        let setting = self.stage.get(stage)?.schedule.rate_setting()?;
        Some(format!("stage.{stage}.schedule.{setting}"))
    }

    /// The experiment as one TOML file that needs no other layer.
    ///
    /// # Errors
    /// [`Error::Unreadable`] for a value that TOML cannot hold, such as a seed above 2^63.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string(self).map_err(|error| Error::Unreadable {
            origin: "configuration".to_owned(),
            problem: error.to_string(),
        })
    }
}

/// One experiment, all layers merged, `[common]` and `[every_stage]` in the stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSpec {
    /// Source of all randomness.
    pub seed: u64,
    /// Names of the stages in the order they run.
    pub stages: Vec<String>,
    /// The overlay that applies when no data folder is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_data: Option<String>,
    /// Where pictures come from.
    pub data: DataSpec,
    /// How pictures become the model's input; travels with the weights.
    pub input: InputSpec,
    /// The network.
    pub model: ModelSpec,
    /// Whose weights the first stage starts from, a file's or a run's; absent: initial values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsSpec>,
    /// How the run computes.
    pub trainer: TrainerSpec,
    /// The stages by name.
    pub stage: BTreeMap<String, StageSpec>,
}

/// The `[data]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// The kind of source and its settings.
    pub source: SourceSpec,
    /// Train on a part of every class; absent: on all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<SubsetSpec>,
    /// Use only so many pictures, evenly spread over the listing, so that classes keep their shares and rare ones may be
    /// left out; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitSpec>,
    /// What happens to a picture that cannot be decoded.
    pub on_bad_image: OnBadImage,
    /// Folder for chosen subsets and generated pictures.
    pub cache: PathBuf,
    /// Bound on decoded pictures waiting for the training step, in MiB.
    pub prefetch_mib: usize,
}

/// The `[trainer]` table: what holds for all stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainerSpec {
    /// The implementation of convolution, batch norm and pooling.
    pub kernels: Kernels,
    /// Whether the batch norms of several ranks take their statistics over the pictures of all of them, or each over its own.
    pub sync_batch_norm: bool,
    /// Optimizer steps of each line about steps in `metrics.jsonl`.
    pub log_every_steps: u64,
    /// What happens when a loss or a gradient is no number.
    pub on_divergence: OnDivergence,
    /// How `on_divergence = "rollback"` goes on.
    pub rollback: RollbackSpec,
}

/// What happens when a loss or a gradient is no number, or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDivergence {
    /// The run ends with an error.
    Stop,
    /// It goes back to its newest checkpoint and on from there at lower rates.
    Rollback,
}

/// How a run goes on after it went back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackSpec {
    /// What the learning rates are multiplied by each time.
    pub lr_factor: f64,
    /// How often it may go back before it ends with an error after all.
    pub most: u64,
}

/// A stratified part of the training set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubsetSpec {
    /// Part of every class, above 0 and at most 1.
    pub fraction: f64,
}

/// How many pictures to use at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSpec {
    /// In training, at least 1.
    pub train: u32,
    /// In validation, at least 1.
    pub val: u32,
}

/// The `[input]` table: what training, evaluation and prediction must agree on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// Mean of each channel, for values in `[0, 1]`.
    pub mean: [f32; 3],
    /// Standard deviation of each channel.
    pub std: [f32; 3],
    /// Evaluation resizes the shorter side to `size / crop_ratio`, rounded down, and crops the centre.
    pub crop_ratio: f64,
    /// The filter of that resize.
    pub interpolation: Interpolation,
}

impl InputSpec {
    /// All of it in a line, to tell two apart.
    pub(crate) fn in_words(&self) -> String {
        let Self { mean, std, crop_ratio, interpolation } = self;
        format!(
            "mean {mean:?}, std {std:?}, crop ratio {crop_ratio:.4} and {}",
            format!("{interpolation:?}").to_lowercase()
        )
    }
}

/// One `[stage.NAME]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSpec {
    /// Side of the square input, in pixels.
    pub size: u32,
    /// Smaller training pictures in the first epochs; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progressive_resize: Option<ProgressiveResize>,
    /// Pictures per step.
    pub batch: BatchSpec,
    /// Length of the stage.
    pub run_for: Span,
    /// Whose weights a stage after the first starts from: `best` or `newest` of the run so far or, as `head:best`, of a
    /// stage before; absent: the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_from: Option<StartFrom>,
    /// Which parameters learn, and how fast: the first rule that matches one counts, and all must match; empty: all
    /// learn alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<ParameterRule>,
    /// The learning rate of each layer over that of the layer behind it, from the classifier's to the stem's, times what the
    /// rules say; absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_decay: Option<f64>,
    /// The update rule.
    pub optimizer: OptimizerSpec,
    /// Whether the weight decay also takes norms and biases.
    pub decay_norm_and_bias: bool,
    /// Learning rate over the stage.
    pub schedule: ScheduleSpec,
    /// Lower rates before the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup: Option<Warmup>,
    /// Augmentation of training pictures; the result must be `size` x `size`.
    pub pipeline: Vec<OpSpec>,
    /// Mixing of the pictures of a micro-batch, and of their labels; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixing: Option<MixSpec>,
    /// How long to mix from the stage's start on; absent: to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixing_for: Option<Span>,
    /// The loss.
    pub loss: LossSpec,
    /// How much the classes count in it; absent: each as often as it is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// Bound on the global norm of the gradients; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_grad_norm: Option<f64>,
    /// Bound on every value of the gradients, before that on their norm; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_grad_value: Option<f64>,
    /// Bound on the gradients of each output by its weights, before the other two; the classifier is spared; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptive_clip: Option<AdaptiveClip>,
    /// A pull of the weights towards those the stage starts from, and of the classifier's towards zero; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l2_sp: Option<L2Sp>,
    /// How much of the model's `dropout` and `block_dropout` is dropped as the stage goes on; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout_schedule: Option<DropSchedule>,
    /// The same for its `stochastic_depth`; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stochastic_depth_schedule: Option<DropSchedule>,
    /// A second network that follows the one that trains, scored beside it and saved with it; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<AverageSpec>,
    /// Number format of the maps in training.
    pub precision: Precision,
    /// Ends the stage early; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingSpec>,
    /// When checkpoints are written and which are kept.
    pub checkpoint: CheckpointSpec,
}

/// Pictures per step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchSpec {
    /// Pictures in one forward and backward pass.
    pub micro: MicroBatch,
    /// Passes whose gradients are averaged into one optimizer step.
    pub accumulate: u32,
    /// Whether an epoch leaves out the pictures that do not fill a step.
    pub drop_last: bool,
}

/// Number format of the maps in training. Weights, their gradients, batch norm, the classifier and the loss are always f32,
/// and so is validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats throughout.
    F32,
    /// Floats of 16 bits with the range of f32.
    Bf16,
    /// Floats of 16 bits with more digits and less range; the loss is scaled so that small gradients count.
    F16,
}

impl Precision {
    /// The format of maps.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
            Self::F16 => DType::F16,
        }
    }
}

/// What is watched to tell a better epoch from a worse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Validation loss: lower is better.
    ValLoss,
    /// Validation top-1 accuracy: higher is better.
    ValTop1,
    /// Mean of the classes' F1 scores in validation: higher is better.
    #[serde(rename = "val_macro_f1")]
    ValMacroF1,
}

/// Ends a stage that no longer improves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingSpec {
    /// Epochs without improvement after which the stage ends.
    pub patience: u64,
    /// Smallest change that counts as an improvement.
    #[serde(default)]
    pub min_delta: f64,
}

/// When checkpoints are written and which are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointSpec {
    /// The time between two checkpoints. The end of a stage and a new best epoch are always kept too.
    pub every: CheckpointEvery,
    /// How many of the newest stay on disk beside the best.
    pub keep_newest: usize,
    /// What makes an epoch the best; early stopping watches it too.
    pub best_by: Metric,
    /// Other metrics by which the best checkpoint stays on disk too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep_best_by: Vec<Metric>,
}
