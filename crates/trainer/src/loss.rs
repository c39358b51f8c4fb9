//! What training makes smaller, for labels that are classes or, of mixed pictures, two classes by their parts.

use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_augment::mix::MixedLabel;
use serde::{Deserialize, Serialize};

/// The `loss` of a stage: `type` and the settings of that type. Validation is scored by it too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LossSpec {
    /// Cross entropy with soft targets.
    ///
    /// # Parity
    /// `torch.nn.functional.cross_entropy(..., label_smoothing=...)`; for mixed pictures timm's `mixup_target`.
    CrossEntropy {
        /// Part of the target that is spread, at least 0 and below 1.
        #[serde(default)]
        label_smoothing: f64,
        /// Over which classes.
        #[serde(default, skip_serializing_if = "SmoothOver::is_all")]
        smooth_over: SmoothOver,
    },
    /// A yes or no for every class (Wightman et al., "ResNet strikes back", 2021).
    ///
    /// # Formula
    /// `-(t log sigmoid(x) + (1 - t) log sigmoid(-x))`, the mean over the classes.
    ///
    /// # Parity
    /// timm's `BinaryCrossEntropy`.
    BinaryCrossEntropy {
        /// Part of the target that is spread over all classes, at least 0 and below 1.
        #[serde(default)]
        label_smoothing: f64,
        /// Targets above it become 1, others 0; from 0 to 1; absent: they stay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target_threshold: Option<f64>,
        /// Whether the classes' losses are summed instead.
        #[serde(default)]
        sum_classes: bool,
    },
    /// Cross entropy that counts less where the network is sure (Lin et al., 2017, with softmax).
    ///
    /// # Formula
    /// `-sum over classes of t (1 - p) ^ gamma log p`.
    ///
    /// # Parity
    /// The formula; with `gamma = 0`, cross entropy.
    Focal {
        /// How much less, at least 0.
        #[serde(default = "two")]
        gamma: f64,
        /// Part of the target that is spread over all classes, at least 0 and below 1.
        #[serde(default)]
        label_smoothing: f64,
    },
}

fn two() -> f64 {
    2.0
}

/// Which classes get the part of the target that smoothing takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmoothOver {
    /// All, the true one included, as in PyTorch (Szegedy et al., 2015).
    #[default]
    AllClasses,
    /// The K - 1 others.
    OtherClasses,
}

impl SmoothOver {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_all(&self) -> bool {
        *self == Self::AllClasses
    }
}

impl LossSpec {
    /// What is out of range: the setting, and what it must be.
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let (Self::CrossEntropy { label_smoothing, .. }
        | Self::BinaryCrossEntropy { label_smoothing, .. }
        | Self::Focal { label_smoothing, .. }) = self;
        if !(0.0..1.0).contains(label_smoothing) {
            return Some(("label_smoothing", "at least 0 and below 1"));
        }
        match self {
            Self::BinaryCrossEntropy { target_threshold: Some(threshold), .. }
                if !(0.0..=1.0).contains(threshold) =>
            {
                Some(("target_threshold", "from 0 to 1"))
            }
            Self::Focal { gamma, .. } if !(*gamma >= 0.0 && gamma.is_finite()) => {
                Some(("gamma", "at least 0"))
            }
            _ => None,
        }
    }
}

/// How much the classes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// `n / (K n_c)` for a class with `n_c` of the `n` training pictures of `K` classes: all classes count alike.
    ///
    /// # Parity
    /// scikit-learn's `compute_class_weight("balanced", ...)`.
    Balanced,
    /// The roots of those, scaled so that their mean over the training pictures is 1: half of the way.
    SquareRoot,
}

impl ClassWeights {
    /// A weight for each class, whose mean over the training pictures is 1. A class without pictures gets 1.
    pub fn of(self, pictures: &[u32]) -> Vec<f32> {
        let all: f64 = pictures.iter().copied().map(f64::from).sum();
        let classes = pictures.iter().filter(|count| **count > 0).count() as f64;
        let balanced = |count: u32| all / (classes * f64::from(count));
        let raw = |count: u32| match self {
            Self::Balanced => balanced(count),
            Self::SquareRoot => balanced(count).sqrt(),
        };
        let used = || pictures.iter().copied().filter(|count| *count > 0);
        let mean = used().map(|count| raw(count) * f64::from(count)).sum::<f64>() / all;
        #[allow(clippy::cast_possible_truncation, reason = "the loss is computed in f32")]
        let weight = |count: u32| if count == 0 { 1.0 } else { (raw(count) / mean) as f32 };
        pictures.iter().copied().map(weight).collect()
    }
}

/// A loss with what it needs of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    spec: LossSpec,
    class_weights: Option<Vec<f32>>,
}

impl Loss {
    /// The loss in which each class's term is weighted.
    ///
    /// # Parity
    /// The `weight` of PyTorch's losses, with targets that are distributions, which PyTorch also divides by the number of
    /// pictures and not by their weights.
    pub fn new(spec: LossSpec, class_weights: Option<Vec<f32>>) -> Self {
        Self { spec, class_weights }
    }

    /// The loss summed over the pictures; divide by their number for the mean.
    ///
    /// # Shapes
    /// `logits`: `[labels, classes]`; result: `[1]`.
    pub fn sum(&self, logits: Tensor<2>, labels: &[MixedLabel], device: &Device) -> Tensor<1> {
        let classes = logits.dims()[1];
        let weighted = |terms: Tensor<2>| match &self.class_weights {
            None => terms,
            Some(weights) => {
                let row = TensorData::new(weights.clone(), [1, classes]);
                terms * Tensor::from_data(row, (device, DType::F32))
            }
        };
        match self.spec {
            LossSpec::CrossEntropy { label_smoothing, smooth_over } => {
                // K / (K - 1) as much, spread over all, leaves the true class what it has when the others get the part.
                let spread = match smooth_over {
                    SmoothOver::AllClasses => label_smoothing,
                    SmoothOver::OtherClasses => {
                        label_smoothing * classes as f64 / (classes as f64 - 1.0).max(1.0)
                    }
                };
                let targets = soft_targets(labels, classes, spread, device);
                weighted(log_softmax(logits, 1) * targets).sum().neg()
            }
            LossSpec::BinaryCrossEntropy { label_smoothing, target_threshold, sum_classes } => {
                let mut targets = soft_targets(labels, classes, label_smoothing, device);
                if let Some(threshold) = target_threshold {
                    targets = targets.greater_elem(threshold).float();
                }
                let yes = log_sigmoid(logits.clone()) * targets.clone();
                let no = log_sigmoid(logits.neg()) * (targets.neg() + 1.0);
                let parts = if sum_classes { 1.0 } else { classes as f64 };
                weighted(yes + no).sum().neg() / parts
            }
            LossSpec::Focal { gamma, label_smoothing } => {
                let targets = soft_targets(labels, classes, label_smoothing, device);
                let log_p = log_softmax(logits, 1);
                if gamma == 0.0 {
                    return weighted(log_p * targets).sum().neg();
                }
                let unsure = (log_p.clone().exp().neg() + 1.0).powf_scalar(gamma);
                weighted(unsure * log_p * targets).sum().neg()
            }
        }
    }
}

/// The target distributions of `labels`: `1 - smoothing` on the class, `smoothing` spread evenly over all classes,
/// the class included. A mixed picture has the distributions of both of its classes by their parts.
///
/// # Shapes
/// `[labels, classes]`.
fn soft_targets(
    labels: &[MixedLabel],
    classes: usize,
    smoothing: f64,
    device: &Device,
) -> Tensor<2> {
    let spread = smoothing / classes as f64;
    #[allow(clippy::cast_possible_truncation, reason = "the loss is computed in f32")]
    let target = |part: f64| (part * (1.0 - smoothing) + spread) as f32;
    let mut values = vec![target(0.0); labels.len() * classes];
    for (row, label) in values.chunks_exact_mut(classes).zip(labels) {
        if label.class == label.partner {
            row[label.class as usize] = target(1.0);
        } else {
            row[label.class as usize] = target(label.lambda);
            row[label.partner as usize] = target(1.0 - label.lambda);
        }
    }
    Tensor::from_data(TensorData::new(values, [labels.len(), classes]), (device, DType::F32))
}
