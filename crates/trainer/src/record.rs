//! What a run measures: one line of `metrics.jsonl` per epoch, and `evaluation.json` at the end.

use serde::{Deserialize, Serialize};

/// One epoch. Accuracies are fractions; losses are means over pictures, label smoothing included in both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Name of the stage.
    pub stage: String,
    /// Epoch of the stage, from 1.
    pub epoch: u64,
    /// Optimizer steps since the run began.
    pub step: u64,
    /// Mean loss over the epoch's training pictures, each as the model saw it.
    pub train_loss: f64,
    /// Top-1 accuracy on the same.
    pub train_top1: f64,
    /// Mean loss over the validation set after the epoch.
    pub val_loss: f64,
    /// Top-1 accuracy on the validation set.
    pub val_top1: f64,
    /// Top-5 accuracy on the validation set.
    pub val_top5: f64,
    /// Mean of the classes' F1 scores on the validation set.
    pub val_macro_f1: f64,
    /// Scores of the average of weights, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<AverageScores>,
    /// Learning rate of the epoch's last step.
    pub lr: f64,
    /// Training pictures per second, validation excluded.
    pub images_per_second: f64,
    /// Seconds for the epoch, validation included.
    pub seconds: f64,
    /// Seconds of training that the step waited for pictures.
    pub data_seconds: f64,
    /// Seconds of training that the step waited for a checkpoint.
    pub checkpoint_seconds: f64,
    /// Memory the device has reserved; on the CPU the peak resident memory of the process.
    pub device_memory_bytes: Option<u64>,
    /// Resident memory of the process, where Linux tells it.
    pub host_memory_bytes: Option<u64>,
    /// Seconds since 1970 when the epoch was done.
    pub unix_seconds: f64,
    /// Pictures left out because they could not be decoded.
    pub bad_images: u64,
    /// Optimizer steps left out because gradients overflowed in f16.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped_steps: u64,
    /// How often the run had diverged and gone back to a checkpoint by then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rollbacks: u64,
    /// How often the stage's passes had been halved by then because the device was out of memory.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub halvings: u64,
}

/// Some optimizer steps. The loss and the accuracy are means over their training pictures, each as the model saw it, and
/// absent when not one of them could be decoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepsRecord {
    /// Name of the stage.
    pub stage: String,
    /// Epoch of the stage, from 1.
    pub epoch: u64,
    /// Optimizer steps since the run began, these included.
    pub step: u64,
    /// How many these are.
    pub steps: u64,
    /// Mean loss.
    pub train_loss: Option<f64>,
    /// Top-1 accuracy.
    pub train_top1: Option<f64>,
    /// Learning rate of the last one.
    pub lr: f64,
    /// Training pictures per second.
    pub images_per_second: f64,
    /// Seconds they took.
    pub seconds: f64,
    /// Seconds of these that the step waited for pictures.
    pub data_seconds: f64,
    /// Memory the device has reserved; on the CPU the peak resident memory of the process.
    pub device_memory_bytes: Option<u64>,
    /// Resident memory of the process, where Linux tells it.
    pub host_memory_bytes: Option<u64>,
    /// Seconds since 1970 when they were done.
    pub unix_seconds: f64,
}

/// Seconds since 1970; 0 for a clock before that.
pub(crate) fn unix_seconds() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What the average of weights comes to on the validation set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AverageScores {
    /// Mean loss.
    pub val_loss: f64,
    /// Top-1 accuracy.
    pub val_top1: f64,
    /// Top-5 accuracy.
    pub val_top5: f64,
    /// Mean of the classes' F1 scores.
    pub val_macro_f1: f64,
}

/// A network's scores on a labelled set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Name of the checkpoint whose weights were used.
    pub checkpoint: String,
    /// Whether they are its average of weights, `average.safetensors`.
    #[serde(default)]
    pub averaged: bool,
    /// Optimizer steps since the run began, at that checkpoint.
    pub step: u64,
    /// Pictures.
    pub samples: u64,
    /// Mean loss.
    pub loss: f64,
    /// Top-1 accuracy, a fraction.
    pub top1: f64,
    /// Top-5 accuracy, a fraction.
    pub top5: f64,
    /// Mean of the classes' F1 scores.
    pub macro_f1: f64,
    /// Names of the classes, in the order of the matrix.
    pub class_names: Vec<String>,
    /// Pictures by true class (outer) and predicted class (inner).
    pub confusion: Vec<Vec<u64>>,
    /// Pictures left out because they could not be decoded.
    pub bad_images: u64,
}
