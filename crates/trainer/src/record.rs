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
    /// Scores of the average of weights, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<AverageScores>,
    /// Learning rate of the epoch's last step.
    pub lr: f64,
    /// Training pictures per second, validation excluded.
    pub images_per_second: f64,
    /// Seconds for the epoch, validation included.
    pub seconds: f64,
    /// Memory the device has reserved; on the CPU the peak resident memory of the process.
    pub device_memory_bytes: Option<u64>,
    /// Pictures left out because they could not be decoded.
    pub bad_images: u64,
    /// Optimizer steps left out because gradients overflowed in f16.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped_steps: u64,
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
    /// Names of the classes, in the order of the matrix.
    pub class_names: Vec<String>,
    /// Pictures by true class (outer) and predicted class (inner).
    pub confusion: Vec<Vec<u64>>,
    /// Pictures left out because they could not be decoded.
    pub bad_images: u64,
}
