//! Which epoch is the best so far, and when to give up.

use crate::record::EpochRecord;
use crate::spec::Metric;
use serde::{Deserialize, Serialize};

/// The best epoch of the run so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    /// Name of the checkpoint that holds its weights.
    pub(crate) checkpoint: String,
    /// Whether they are the checkpoint's average.
    #[serde(default)]
    pub(crate) averaged: bool,
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
    /// Epochs since the last improvement.
    pub(crate) fn waited(&self) -> u64 {
        self.waited
    }

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
    /// The metric's value in a record: the better one of the network that trains and the average, and whether it is the
    /// average's.
    pub(crate) fn of(self, record: &EpochRecord) -> (f64, bool) {
        let live = self.one_of(record.val_loss, record.val_top1, record.val_macro_f1);
        let average = record
            .average
            .map(|average| self.one_of(average.val_loss, average.val_top1, average.val_macro_f1));
        match average {
            Some(average) if self.gain(live, average) > 0.0 => (average, true),
            _ => (live, false),
        }
    }

    fn one_of(self, loss: f64, top1: f64, macro_f1: f64) -> f64 {
        match self {
            Self::ValLoss => loss,
            Self::ValTop1 => top1,
            Self::ValMacroF1 => macro_f1,
        }
    }

    /// By how much `after` is better than `before`; negative when it is worse.
    pub(crate) fn gain(self, before: f64, after: f64) -> f64 {
        match self {
            Self::ValLoss => before - after,
            Self::ValTop1 | Self::ValMacroF1 => after - before,
        }
    }
}
