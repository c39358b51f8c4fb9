//! Down when a measure stops improving.

use super::catalog::Schedule;
use super::checks::check_rate;
use super::constant::Constant;
use crate::error::{Error, check};
use crate::span::Timeline;
use serde::{Deserialize, Serialize};

/// The same rate until the validation loss or accuracy of `patience` epochs has brought nothing new, then `factor` times it,
/// and so on: the one schedule with a state, [`PlateauState`].
///
/// # Formula
/// `lr = max(lr * factor, min_lr)` after more than `patience` epochs without an improvement; then `cooldown` epochs are not
/// counted. An epoch improves on the best one when it is better by more than `threshold`, of the best (`rel`) or in the
/// measure's own unit (`abs`). What is not a number does not improve.
///
/// # Parity
/// `torch.optim.lr_scheduler.ReduceLROnPlateau`, stepped after each epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plateau {
    /// The first learning rate, at least 0.
    pub lr: f64,
    /// What is watched.
    #[serde(default)]
    pub mode: PlateauMode,
    /// What the rate is multiplied by, above 0 and below 1.
    #[serde(default = "tenth")]
    pub factor: f64,
    /// Epochs without improvement that are put up with.
    #[serde(default = "ten")]
    pub patience: u64,
    /// How much better an improvement is, at least 0.
    #[serde(default = "threshold")]
    pub threshold: f64,
    /// What the threshold is measured in.
    #[serde(default)]
    pub threshold_mode: ThresholdMode,
    /// Epochs after a reduction that are not counted.
    #[serde(default)]
    pub cooldown: u64,
    /// The lowest learning rate, at least 0.
    #[serde(default)]
    pub min_lr: f64,
    /// A reduction by no more than this is left out, at least 0.
    #[serde(default = "eps")]
    pub eps: f64,
}

/// What a [`Plateau`] watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlateauMode {
    /// The validation loss, which must fall.
    #[default]
    Min,
    /// The validation accuracy, which must rise.
    Max,
}

/// What a [`Plateau`]'s threshold is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdMode {
    /// The best value so far.
    #[default]
    Rel,
    /// The measure's own unit.
    Abs,
}

/// Where a [`Plateau`] is. It begins as `PlateauState::default()`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PlateauState {
    best: Option<f64>,
    waited: u64,
    cooling: u64,
    /// After reductions.
    lr: Option<f64>,
}

fn tenth() -> f64 {
    0.1
}

fn ten() -> u64 {
    10
}

fn threshold() -> f64 {
    1e-4
}

fn eps() -> f64 {
    1e-8
}

impl Plateau {
    /// # Errors
    /// [`Error::OutOfRange`] naming the setting.
    pub fn validate(&self) -> Result<(), Error> {
        check_rate(self.lr)?;
        let Self { factor, threshold, min_lr, eps, .. } = *self;
        check(factor > 0.0 && factor < 1.0, "factor", "above 0 and below 1", factor)?;
        for (field, value) in [("threshold", threshold), ("min_lr", min_lr), ("eps", eps)] {
            check(value >= 0.0 && value.is_finite(), field, "at least 0", value)?;
        }
        Ok(())
    }

    /// The rate before any reduction.
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        self.validate()?;
        Constant { lr: self.lr }.build(timeline)
    }

    /// Takes an epoch's measure into `state`.
    pub fn observe(&self, state: &mut PlateauState, value: f64) {
        let improved = state.best.is_none_or(|best| self.improves(best, value));
        if improved && !value.is_nan() {
            state.best = Some(value);
            state.waited = 0;
        } else {
            state.waited += 1;
        }
        if state.cooling > 0 {
            state.cooling -= 1;
            state.waited = 0;
        }
        if state.waited > self.patience {
            let lr = state.lr.unwrap_or(self.lr);
            let reduced = (lr * self.factor).max(self.min_lr);
            if lr - reduced > self.eps {
                state.lr = Some(reduced);
            }
            state.cooling = self.cooldown;
            state.waited = 0;
        }
    }

    /// The rate that reductions have left, over the first one.
    pub fn factor(&self, state: &PlateauState) -> f64 {
        state.lr.map_or(1.0, |lr| lr / self.lr)
    }

    fn improves(&self, best: f64, value: f64) -> bool {
        let threshold = self.threshold;
        match (self.mode, self.threshold_mode) {
            (PlateauMode::Min, ThresholdMode::Rel) => value < best * (1.0 - threshold),
            (PlateauMode::Min, ThresholdMode::Abs) => value < best - threshold,
            (PlateauMode::Max, ThresholdMode::Rel) => value > best * (threshold + 1.0),
            (PlateauMode::Max, ThresholdMode::Abs) => value > best + threshold,
        }
    }
}
