//! Which epoch is the best so far, and when to give up.

use crate::record::EpochRecord;
use crate::spec::Metric;
use serde::{Deserialize, Serialize};

/// The best epoch of the run so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    /// Name of the checkpoint that holds its weights.
    pub(crate) checkpoint: String,
    /// What it is the best by.
    pub(crate) metric: Metric,
    /// The metric's value.
    pub(crate) value: f64,
}

impl Best {
    /// Whether an epoch with this value is better. A stage that watches another metric starts afresh.
    pub(crate) fn is_beaten_by(&self, metric: Metric, value: f64) -> bool {
        self.metric != metric || metric.gain(self.value, value) > 0.0
    }
}

/// Epochs of this stage without an improvement of at least `min_delta`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Patience {
    reference: Option<f64>,
    waited: u64,
}

impl Patience {
    /// Counts an epoch; true when `patience` epochs have passed without improvement.
    pub(crate) fn is_over(
        &mut self,
        metric: Metric,
        value: f64,
        min_delta: f64,
        patience: u64,
    ) -> bool {
        let improved = self.reference.is_none_or(|before| metric.gain(before, value) > min_delta);
        if improved {
            self.reference = Some(value);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        self.waited >= patience
    }
}

impl Metric {
    /// The metric's value in a record.
    pub(crate) fn of(self, record: &EpochRecord) -> f64 {
        match self {
            Self::ValLoss => record.val_loss,
            Self::ValTop1 => record.val_top1,
        }
    }

    /// By how much `after` is better than `before`; negative when it is worse.
    pub(crate) fn gain(self, before: f64, after: f64) -> f64 {
        match self {
            Self::ValLoss => before - after,
            Self::ValTop1 => after - before,
        }
    }
}
